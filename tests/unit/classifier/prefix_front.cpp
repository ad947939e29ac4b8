// The two ways to read a trie's front say the same, for batches of any size, and write nothing behind their end.
#include "classifier/prefix_front.h"

#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "classifier/prefix_runs.h"
#include "classifier/prefix_trie_builder.h"

namespace sallyport::classifier::trie {
namespace {

constexpr std::uint32_t untouched = 0xdeadbeef;

// Runs of random length and of few values or many: every form of node, own words and dictionary.
Runs<std::uint32_t> random_runs(std::mt19937& random, std::uint32_t values) {
  Runs<std::uint32_t> runs(0);
  for (std::uint64_t start = random() % 65536; start <= UINT32_MAX; start += 1 + random() % (1U << (8 + random() % 10)))
    runs.append(static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(random() % values));
  return runs;
}

class Ways : public ::testing::Test {
 protected:
  void SetUp() override {
    if (best_front().read == portable_front().read) GTEST_SKIP() << "this processor has the portable way alone";
  }
};

TEST_F(Ways, GiveTheSameWords) {
  std::mt19937 random(5);
  for (const std::uint32_t values : {3U, 120U, 5000U}) {
    Layout layout = lay_out(random_runs(random, values));
    ASSERT_EQ(layout.root_bits, 16U);
    layout.nodes.push_back(0);  // a word more than there are may be read
    const Front front{layout.root.data(), layout.nodes.data(), layout.dictionary.data()};
    for (std::size_t round = 0; round < 20'000; ++round) {
      const std::size_t count = round % batch_max + 1;
      std::vector<std::uint32_t> tops(count);
      for (std::uint32_t& top : tops) top = static_cast<std::uint32_t>(random());
      std::array<Word, batch_max + 1> wide, narrow;
      wide.fill(untouched);
      narrow.fill(untouched);
      const Lanes own = portable_front().read(front, tops.data(), narrow.data(), count);
      ASSERT_EQ(best_front().read(front, tops.data(), wide.data(), count), own);
      ASSERT_EQ(wide, narrow);
    }
  }
}

TEST_F(Ways, ReadTheSameTopsOfAddresses) {
  std::mt19937 random(6);
  for (std::size_t count = 1; count <= batch_max; ++count) {
    std::vector<std::uint8_t> addresses(count * 16);
    for (std::uint8_t& byte : addresses) byte = static_cast<std::uint8_t>(random());
    std::array<std::uint32_t, batch_max + 1> wide, narrow;
    wide.fill(untouched);
    narrow.fill(untouched);
    portable_front().tops_of_v6(addresses.data(), narrow.data(), count);
    best_front().tops_of_v6(addresses.data(), wide.data(), count);
    EXPECT_EQ(wide, narrow) << count;
  }
}

}  // namespace
}  // namespace sallyport::classifier::trie
