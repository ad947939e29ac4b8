#include "classifier/siphash.h"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace sallyport::classifier {
namespace {

// Appendix A of the paper, and the first vectors of its reference implementation: key 00 01 .. 0f, message 00 01 ...
TEST(SipHash, ReferenceVectors) {
  std::array<std::uint8_t, 16> key{};
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  std::vector<std::uint8_t> message(15);
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  EXPECT_EQ(siphash(key, message), 0xa129ca6149be45e5ULL);
  EXPECT_EQ(siphash(key, {}), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(siphash(key, std::span(message).first(1)), 0x74f839c593dc67fdULL);
  EXPECT_EQ(siphash(key, std::span(message).first(7)), 0xab0200f58b01d137ULL);
  EXPECT_EQ(siphash(key, std::span(message).first(8)), 0x93f5f5799a932462ULL);
}

}  // namespace
}  // namespace sallyport::classifier
