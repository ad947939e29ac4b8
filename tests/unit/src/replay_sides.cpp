#include "src/replay_sides.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using dataplane::FlowKey;
using dataplane::IpProtocol;
using Sender = ReplaySides::Sender;

constexpr dataplane::Instant second = 1'000'000'000;

FlowKey key(std::uint32_t source, std::uint16_t source_port, std::uint32_t destination, std::uint16_t destination_port,
            IpProtocol protocol = IpProtocol::tcp) {
  return {IpAddress::from_v4(source).bytes,
          IpAddress::from_v4(destination).bytes,
          source_port,
          destination_port,
          protocol,
          Family::v4};
}

TEST(ReplaySides, TheFirstSenderIsInsideWhicheverAddressIsSmaller) {
  ReplaySides sides{config::Timeouts{}};
  for (const auto& first : {key(1, 10, 2, 20), key(4, 10, 3, 20), key(5, 20, 5, 10), key(6, 10, 6, 20)}) {
    EXPECT_EQ(sides.find(first, 0), Sender::unknown);
    EXPECT_EQ(sides.note(first, false, 0), Sender::inside);
    EXPECT_EQ(sides.note(first.reversed(), false, 0), Sender::outside);
    EXPECT_EQ(sides.note(first, false, 0), Sender::inside);
    EXPECT_EQ(sides.find(first, 0), Sender::inside);
    EXPECT_EQ(sides.find(first.reversed(), 0), Sender::outside);
  }
}

TEST(ReplaySides, TheSenderOfAFirstSynAckIsOutside) {
  ReplaySides sides{config::Timeouts{}};
  EXPECT_EQ(sides.note(key(1, 443, 2, 20), true, 0), Sender::outside);
  EXPECT_EQ(sides.note(key(2, 20, 1, 443), false, 0), Sender::inside);
  EXPECT_EQ(sides.note(key(2, 21, 1, 443), false, 0), Sender::inside);
  EXPECT_EQ(sides.note(key(1, 443, 2, 21), true, 0), Sender::outside);
}

TEST(ReplaySides, ForgetsAfterTheFlowsTimeout) {
  ReplaySides sides{config::Timeouts{}};
  const FlowKey udp = key(1, 123, 2, 123, IpProtocol::udp);
  EXPECT_EQ(sides.note(udp, false, 0), Sender::inside);
  EXPECT_EQ(sides.note(udp.reversed(), false, 299 * second), Sender::outside);
  EXPECT_EQ(sides.find(udp, 599 * second), Sender::unknown);
  EXPECT_EQ(sides.note(udp.reversed(), false, 599 * second), Sender::inside);
  EXPECT_EQ(sides.note(udp, false, 600 * second), Sender::outside);
  const FlowKey tcp = key(1, 123, 2, 123);
  EXPECT_EQ(sides.note(tcp, false, 0), Sender::inside);
  EXPECT_EQ(sides.note(tcp.reversed(), false, 7439 * second), Sender::outside);
}

TEST(ReplaySides, MayBeTurned) {
  ReplaySides sides{config::Timeouts{}};
  const FlowKey first = key(1, 10, 2, 20);
  EXPECT_EQ(sides.note(first, false, 0), Sender::inside);
  sides.set_inside(first.reversed(), 0);
  EXPECT_EQ(sides.note(first, false, 0), Sender::outside);
}

TEST(ReplaySides, RemembersEveryFlowWhileItGrows) {
  ReplaySides sides{config::Timeouts{}};
  constexpr std::uint32_t flows = 50'000;
  for (std::uint32_t i = 0; i < flows; ++i) ASSERT_EQ(sides.note(key(i, 1, ~i, 2), false, 0), Sender::inside);
  for (std::uint32_t i = 0; i < flows; ++i) ASSERT_EQ(sides.note(key(~i, 2, i, 1), false, 0), Sender::outside);
}

}  // namespace
}  // namespace sallyport
