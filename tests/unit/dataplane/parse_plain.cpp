// The short way through parse against the one that goes layer by layer: what the first takes, the second takes the
// same.
#include "dataplane/stages/parse_plain.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane {
namespace {

using test::End;
using test::Frame;

std::vector<Frame> plain_frames() {
  const End client("10.1.2.3", 41000), server("198.51.100.7", 443);
  const End client6("fd00::3", 41000), server6("2001:db8::7", 443);
  return {
      test::udp(client, server, Frame(18, 'x')),
      test::udp(client6, server6, Frame(18, 'x')),
      test::udp(client, server, {}),
      test::udp(client6, server6, {}),
      test::tcp(client, server, wire::Tcp::syn),
      test::tcp(client6, server6, wire::Tcp::ack),
      test::tcp(client, server, wire::Tcp::ack, {.payload = Frame(40, 'y')}),
  };
}

struct Outcome {
  bool plain;
  ParseResult result;
  Parsed by_plain, by_layers;
};

Outcome both_ways(Frame& frame, std::size_t length, const ParseRules& rules) {
  Packet packet;
  packet.data = frame.data();
  packet.length = static_cast<std::uint32_t>(length);
  Outcome outcome;
  Drop why{};
  outcome.plain = parse_plain(packet, rules, outcome.by_plain);
  outcome.result = parse(packet, rules, outcome.by_layers, why);
  return outcome;
}

TEST(ParsePlain, TakesThePlainOnes) {
  for (Frame& frame : plain_frames()) {
    const Outcome outcome = both_ways(frame, frame.size(), {});
    EXPECT_TRUE(outcome.plain);
    EXPECT_EQ(outcome.result, ParseResult::ok);
    EXPECT_EQ(outcome.by_plain, outcome.by_layers);
  }
}

TEST(ParsePlain, LeavesTaggedPortsAlone) {
  ParseRules rules;
  rules.vlan.customer = 7;
  for (Frame& frame : plain_frames()) EXPECT_FALSE(both_ways(frame, frame.size(), rules).plain);
}

// Bytes of the headers changed and frames cut short, at random; without checksums more of it is let through.
TEST(ParsePlain, SaysWhatTheLayersSay) {
  std::mt19937 random(20);
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  std::size_t taken = 0, refused = 0;
  const std::vector<Frame> frames = plain_frames();
  for (int i = 0; i < 300'000; ++i) {
    Frame frame = frames[below(frames.size())];
    constexpr std::size_t headers = 74;
    for (std::size_t changes = below(4); changes != 0; --changes) {
      std::uint8_t& byte = frame[12 + below(std::min(frame.size(), headers) - 12)];
      byte = below(2) == 0 ? static_cast<std::uint8_t>(random()) : static_cast<std::uint8_t>(byte ^ 1U << below(8));
    }
    const std::size_t length = below(4) == 0 ? below(frame.size() + 1) : frame.size();
    const Outcome outcome = both_ways(frame, length, {below(2) == 0, {}, below(2) == 0});
    if (!outcome.plain) {
      ++refused;
      continue;
    }
    ++taken;
    ASSERT_EQ(outcome.result, ParseResult::ok) << "round " << i;
    ASSERT_EQ(outcome.by_plain, outcome.by_layers) << "round " << i;
  }
  EXPECT_GT(taken, 100'000U);
  EXPECT_GT(refused, 100'000U);
}

}  // namespace
}  // namespace sallyport::dataplane
