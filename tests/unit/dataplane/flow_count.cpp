// Counters of 48 bits in pieces: the carries. And time that wraps.
#include <cstdint>

#include <gtest/gtest.h>

#include "dataplane/flow/flow.h"

namespace sallyport::dataplane {
namespace {

// What was last asked about weeks ago is over, whichever way the difference of the clocks points.
TEST(Tick, IsWithinSomeTimeAlone) {
  constexpr Tick then = 4'294'967'000U;
  EXPECT_TRUE(is_within(then, then, 100));
  EXPECT_TRUE(is_within(then, then + 99, 100));
  EXPECT_FALSE(is_within(then, then + 100, 100));
  EXPECT_TRUE(is_within(then, then + 999, 1000)) << "over the wrap";
  for (const std::uint32_t days : {1U, 24U, 25U, 30U, 49U})
    EXPECT_FALSE(is_within(then, then + days * 86'400'000U, 10'000));
}

TEST(FlowCount, CarriesBytesOverThirtyTwoBits) {
  FlowCount count{};
  std::uint64_t bytes = 0;
  for (const std::uint32_t more : {0xffffffffU, 1U, 0xfffffff0U, 0x20U, 9000U}) {
    count.add(more);
    bytes += more;
    EXPECT_EQ(count.bytes(), bytes);
  }
  EXPECT_EQ(count.packets(), 5U);
}

TEST(FlowCount, CarriesPackets) {
  for (const unsigned bits : {16U, 32U, 40U}) {
    const std::uint64_t before = (std::uint64_t{1} << bits) - 1;
    FlowCount count = FlowCount::of(before, 77);
    ASSERT_EQ(count.packets(), before);
    ASSERT_EQ(count.bytes(), 77U);
    count.add(60);
    EXPECT_EQ(count.packets(), before + 1);
    EXPECT_EQ(count.bytes(), 137U);
  }
}

}  // namespace
}  // namespace sallyport::dataplane
