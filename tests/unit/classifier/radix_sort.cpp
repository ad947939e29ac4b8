#include "classifier/radix_sort.h"

#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "classifier/address_number.h"

namespace sallyport::classifier {
namespace {

template <typename Key>
void expect_stable_sort(std::size_t count, unsigned shift) {
  std::mt19937_64 random(count);
  std::vector<std::pair<Key, std::size_t>> items;
  for (std::size_t i = 0; i < count; ++i) items.emplace_back(static_cast<Key>(random() % 999) << shift, i);
  std::vector<std::pair<Key, std::size_t>> expected = items;
  std::sort(expected.begin(), expected.end());
  radix_sort(items, [](const auto& item) { return item.first; });
  EXPECT_TRUE(items == expected) << count << " items, shifted by " << shift;
}

TEST(RadixSort, StableForEverySizeAndWidth) {
  for (const std::size_t count : {0U, 1U, 2U, 511U, 512U, 513U, 5000U}) {
    expect_stable_sort<std::uint64_t>(count, 0);
    expect_stable_sort<std::uint64_t>(count, 50);
    expect_stable_sort<Uint128>(count, 100);
    expect_stable_sort<std::uint16_t>(count, 3);
  }
}

}  // namespace
}  // namespace sallyport::classifier
