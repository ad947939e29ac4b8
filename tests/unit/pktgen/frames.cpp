// What the generator puts on the wire, byte for byte where it matters.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "pktgen/address_shift.h"
#include "pktgen/neighbours.h"
#include "pktgen/payload.h"
#include "pktgen/udp_frames.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using dataplane::MacAddress;

constexpr MacAddress own = {2, 0, 0, 0, 0, 1};
constexpr MacAddress other = {2, 0, 0, 0, 0, 2};

UdpOptions udp(const char* from, const char* to) {
  UdpOptions options;
  options.from = parse_address(from).value();
  options.to = parse_address(to).value();
  return options;
}

// The sums of the receiver (RFC 1071): all words with the checksum give 0xffff.
bool sums_hold(std::span<const std::uint8_t> frame) {
  const std::uint8_t* packet = frame.data() + sizeof(wire::Ethernet);
  if (wire::at<wire::Ethernet>(frame.data()).type.get() == wire::ethertype_ipv4) {
    const auto& ip = wire::at<wire::Ipv4>(packet);
    const std::uint32_t length = ip.total_length.get() - 20U;
    return wire::fold(wire::sum_words(packet, 20)) == 0xffff &&
           wire::fold(wire::pseudo_header(ip.source, ip.destination, 17, length) +
                      wire::sum_words(packet + 20, length)) == 0xffff;
  }
  const auto& ip = wire::at<wire::Ipv6>(packet);
  const std::uint32_t length = ip.payload_length.get();
  return wire::fold(wire::pseudo_header(ip.source, ip.destination, ip.next_header, length) +
                    wire::sum_words(packet + 40, length)) == 0xffff;
}

std::string sender_of(std::span<const std::uint8_t> frame) {
  const std::uint8_t* packet = frame.data() + sizeof(wire::Ethernet);
  const bool v4 = wire::at<wire::Ethernet>(frame.data()).type.get() == wire::ethertype_ipv4;
  const IpAddress address = v4 ? IpAddress::from_bytes(Family::v4, wire::at<wire::Ipv4>(packet).source.data())
                               : IpAddress::from_bytes(Family::v6, wire::at<wire::Ipv6>(packet).source.data());
  const auto& datagram = wire::at<wire::Udp>(packet + (v4 ? 20 : 40));
  return to_string(address) + ' ' + std::to_string(datagram.source_port.get());
}

TEST(UdpFrames, EveryFrameIsWholeAndKnownAgain) {
  for (const auto& [from, to] : {std::pair{"10.1.255.250", "192.0.2.1"}, {"fd00::ffff", "2001:db8::1"}}) {
    UdpOptions options = udp(from, to);
    options.flows = 1000;
    options.sources = 10;
    options.size = 0;
    UdpFrames frames(options, own, other);
    std::array<std::uint8_t, 1600> bytes{};
    std::map<std::uint32_t, int> sizes;
    std::set<std::string> senders;
    for (std::uint64_t i = 0; i < 12'000; ++i) {
      const std::uint32_t length = frames.write(i, 1000 + i, bytes.data());
      const std::span<const std::uint8_t> frame(bytes.data(), length);
      ASSERT_TRUE(sums_hold(frame)) << i;
      const std::optional<Stamp> stamp = frames.read(frame);
      ASSERT_TRUE(stamp);
      ASSERT_EQ(stamp->sequence, i);
      ASSERT_EQ(stamp->cycles, 1000 + i);
      ++sizes[length];
      senders.insert(sender_of(frame));
    }
    EXPECT_EQ(senders.size(), 1000U);
    ASSERT_EQ(sizes.size(), 3U);
    EXPECT_EQ(sizes.begin()->second, 7000);
    EXPECT_EQ(sizes.rbegin()->first, 1514U);
    EXPECT_EQ(sizes.rbegin()->second, 1000);
  }
}

// Sizes are in the same proportions in every flow, though flows come up in step with the turns of the sizes.
TEST(UdpFrames, EveryFlowHasAllSizes) {
  UdpOptions options = udp("10.1.0.1", "192.0.2.1");
  options.size = 0;
  for (const std::uint64_t flows : {1U, 2U, 3U, 12U, 24U, 100U}) {
    options.flows = flows;
    options.sources = 1;
    UdpFrames frames(options, own, other);
    std::array<std::uint8_t, 1600> bytes{};
    std::map<std::string, std::map<std::uint32_t, int>> sizes;
    for (std::uint64_t i = 0; i < 1200 * flows; ++i) {
      const std::uint32_t length = frames.write(i, 0, bytes.data());
      ++sizes[sender_of({bytes.data(), length})][length];
    }
    EXPECT_EQ(sizes.size(), flows);
    for (const auto& [sender, counts] : sizes) {
      ASSERT_EQ(counts.size(), 3U) << flows << ' ' << sender;
      EXPECT_NEAR(counts.begin()->second, 700, 100) << flows << ' ' << sender;
      EXPECT_NEAR(counts.rbegin()->second, 100, 50) << flows << ' ' << sender;
    }
  }
}

TEST(UdpFrames, SendersGoOnOverTheEndOfAByte) {
  UdpOptions options = udp("10.1.0.255", "192.0.2.1");
  options.flows = options.sources = 2;
  UdpFrames frames(options, own, other);
  std::array<std::uint8_t, 64> bytes{};
  (void)frames.write(1, 0, bytes.data());
  EXPECT_EQ(sender_of(bytes), "10.1.1.0 1024");
}

TEST(UdpFrames, RandomOrderComesBackWithItsSeed) {
  UdpOptions options = udp("10.1.0.1", "192.0.2.1");
  options.flows = 100'000;
  options.sources = 2;
  options.random_order = true;
  std::array<std::uint8_t, 64> first{};
  std::array<std::uint8_t, 64> second{};
  UdpFrames one(options, own, other);
  UdpFrames two(options, own, other);
  std::set<std::string> senders;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    (void)one.write(i, 5, first.data());
    (void)two.write(i, 5, second.data());
    ASSERT_EQ(first, second);
    senders.insert(sender_of(first));
  }
  EXPECT_GT(senders.size(), 950U);
}

TEST(UdpFrames, OthersFramesAreNotOurs) {
  UdpOptions options = udp("10.1.0.1", "192.0.2.1");
  UdpFrames ours(options, own, other);
  options.run = 2;
  UdpFrames theirs(options, own, other);
  std::array<std::uint8_t, 64> bytes{};
  const std::uint32_t length = theirs.write(0, 0, bytes.data());
  EXPECT_FALSE(ours.read({bytes.data(), length}));
  for (std::size_t cut = 0; cut < length; ++cut) EXPECT_FALSE(theirs.read({bytes.data(), cut})) << cut;
}

TEST(AddressShift, MovesByWholeBlocksAndSumsStillHold) {
  struct Case {
    const char* from;
    const char* block;
    std::uint64_t copy;
    const char* wanted;
  };
  for (const Case& one :
       {Case{"10.1.0.7", "10.1.0.0/24", 300, "10.2.44.7 1024"}, Case{"10.1.0.7", "10.1.0.4/30", 3, "10.1.0.19 1024"},
        Case{"10.1.0.7", "10.1.0.7/32", 250, "10.1.1.1 1024"}, Case{"10.1.0.7", "0.0.0.0/0", 5, "10.1.0.7 1024"},
        Case{"10.1.0.7", "10.9.0.0/16", 5, "10.1.0.7 1024"},
        Case{"fd00::1:2:3", "fd00::/64", 0x10002, "fd00:0:1:2:0:1:2:3 1024"},
        Case{"fd00::1:2:3", "10.0.0.0/8", 2, "fd00::1:2:3 1024"}}) {
    const bool v4 = std::string(one.from).find(':') == std::string::npos;
    UdpOptions options = udp(one.from, v4 ? "192.0.2.1" : "2001:db8::1");
    options.size = 100;
    UdpFrames frames(options, own, other);
    std::array<std::uint8_t, 100> bytes{};
    const std::uint32_t length = frames.write(0, 0, bytes.data());
    AddressShift(parse_prefix(one.block)->prefix).apply({bytes.data(), length}, one.copy);
    EXPECT_EQ(sender_of(bytes), one.wanted) << one.block;
    EXPECT_TRUE(sums_hold({bytes.data(), length})) << one.block;
    for (std::size_t cut = 0; cut < length; ++cut) {
      AddressShift(parse_prefix(one.block)->prefix).apply({bytes.data(), cut}, one.copy);
    }
  }
}

TEST(AddressShift, CopiesEndWhereTheAddressesEnd) {
  for (const auto& [block, copies] : {std::pair<const char*, std::uint64_t>{"250.0.0.0/8", 6},
                                      {"0.0.0.0/0", 1},
                                      {"255.255.255.255/32", 1},
                                      {"10.1.0.0/24", (std::uint64_t{1} << 24U) - 0x0a0100},
                                      {"fe00::/7", 1},
                                      {"::/48", std::uint64_t{1} << 48U}}) {
    EXPECT_EQ(copies_that_fit(parse_prefix(block)->prefix), copies) << block;
  }
  EXPECT_GT(copies_that_fit(parse_prefix("::1/128")->prefix), std::uint64_t{1} << 60U);
}

TEST(AddressShift, KnowsWhomItMoves) {
  UdpFrames frames(udp("10.1.0.7", "192.0.2.1"), own, other);
  std::array<std::uint8_t, 64> bytes{};
  const std::uint32_t length = frames.write(0, 0, bytes.data());
  for (const auto& [block, moves] :
       {std::pair{"10.1.0.0/24", true}, {"192.0.2.0/24", true}, {"10.9.0.0/16", false}, {"2001:db8::/32", false}}) {
    EXPECT_EQ(AddressShift(parse_prefix(block)->prefix).applies_to({bytes.data(), length}), moves) << block;
  }
  EXPECT_FALSE(AddressShift(parse_prefix("10.1.0.0/24")->prefix).applies_to({bytes.data(), 20}));
}

TEST(Payload, BrokenFramesHaveNone) {
  UdpFrames frames(udp("10.1.0.1", "192.0.2.1"), own, other);
  std::array<std::uint8_t, 64> whole{};
  const std::uint32_t length = frames.write(0, 0, whole.data());
  for (std::size_t at = 12; at < 42; ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      std::array<std::uint8_t, 64> bytes = whole;
      bytes[at] = static_cast<std::uint8_t>(value);
      const auto payload = transport_payload({bytes.data(), length});
      if (payload.empty()) continue;
      EXPECT_GE(payload.data(), bytes.data());
      EXPECT_LE(payload.data() + payload.size(), bytes.data() + length);
    }
  }
}

TEST(Neighbours, AskingAndAnsweringFitTogether) {
  for (const char* text : {"192.0.2.7", "2001:db8::7"}) {
    const IpAddress wanted = parse_address(text).value();
    const Neighbours neighbours({{wanted, static_cast<std::uint8_t>(address_bits(wanted.family))}});
    Frame question = Neighbours::question(wanted, own);
    EXPECT_TRUE(Neighbours::is_control(question));
    EXPECT_FALSE(Neighbours::found(question, wanted)) << "a question is no answer";
    if (wanted.family == Family::v6) {
      EXPECT_TRUE(sums_hold(question));
      EXPECT_TRUE(neighbours.answer(question, other).empty()) << "somebody tries whether the address is free";
      question[14 + 8] = 0xfe;  // now from an address
      question[14 + 9] = 0x80;
    }
    const Frame answer = neighbours.answer(question, other);
    ASSERT_FALSE(answer.empty()) << text;
    EXPECT_TRUE(Neighbours::is_control(answer));
    EXPECT_EQ(Neighbours::found(answer, wanted), other);
    if (wanted.family == Family::v6) {
      EXPECT_TRUE(sums_hold(answer));
    }
    EXPECT_TRUE(std::equal(own.begin(), own.end(), answer.begin())) << "to whoever asked";
    EXPECT_TRUE(Neighbours({}).answer(question, other).empty()) << "not our address";
    for (std::size_t cut = 0; cut < question.size(); ++cut) {
      EXPECT_TRUE(neighbours.answer({question.data(), cut}, other).empty()) << cut;
      EXPECT_FALSE(Neighbours::found({answer.data(), std::min(cut, answer.size() - 9)}, wanted) && cut < 42) << cut;
    }
  }
}

TEST(Neighbours, TrafficIsNoControl) {
  UdpFrames frames(udp("10.1.0.1", "192.0.2.1"), own, other);
  std::array<std::uint8_t, 64> bytes{};
  const std::uint32_t length = frames.write(0, 0, bytes.data());
  EXPECT_FALSE(Neighbours::is_control({bytes.data(), length}));
}

}  // namespace
}  // namespace sallyport::pktgen
