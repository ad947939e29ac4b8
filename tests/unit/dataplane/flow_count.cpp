// Counters of 48 bits in pieces: the carries.
#include <array>
#include <bit>
#include <cstdint>

#include <gtest/gtest.h>

#include "dataplane/flow/flow.h"

namespace sallyport::dataplane {
namespace {

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

TEST(FlowCount, CarriesPacketsOverThirtyTwoBits) {
  auto count = std::bit_cast<FlowCount>(std::array<std::uint32_t, 3>{0xffffffff, 0, 0});  // after 2^32 - 1 packets
  ASSERT_EQ(count.packets(), 0xffffffffU);
  count.add(0);
  EXPECT_EQ(count.packets(), std::uint64_t{1} << 32U);
  EXPECT_EQ(count.bytes(), 0U);
}

}  // namespace
}  // namespace sallyport::dataplane
