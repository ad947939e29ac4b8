#include "classifier/prefix_claims.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "classifier/rank_set.h"
#include "policy_world.h"

namespace sallyport::classifier {
namespace {

Prefix prefix(std::string_view text) { return parse_prefix(text)->prefix; }

TEST(PrefixClaims, ExampleOfTheHeader) {
  const auto winners =
      resolve_claims({{prefix("10.0.0.0/8"), 0}, {prefix("10.1.0.0/16"), 0, true}, {prefix("0.0.0.0/0"), 1}});
  ASSERT_EQ(winners.size(), 3U);
  EXPECT_EQ(winners[0].prefix, prefix("0.0.0.0/0"));
  EXPECT_EQ(winners[0].value, 1U);
  EXPECT_EQ(winners[1].prefix, prefix("10.0.0.0/8"));
  EXPECT_EQ(winners[1].value, 0U);
  EXPECT_EQ(winners[2].prefix, prefix("10.1.0.0/16"));
  EXPECT_EQ(winners[2].value, 1U);
}

TEST(PrefixClaims, SaysNothingTwice) {
  EXPECT_EQ(resolve_claims({{prefix("10.0.0.0/8"), 0}, {prefix("10.1.0.0/16"), 1}, {prefix("10.1.0.0/16"), 0}}).size(),
            1U);
  EXPECT_TRUE(resolve_claims({}).empty());
}

// All addresses of a small space, asked one by one.
TEST(PrefixClaims, AgreesWithLookingAtEveryClaim) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<Claim> claims;
    const auto count = static_cast<unsigned>(1 + random() % 12);
    for (unsigned i = 0; i < count; ++i) {
      const auto length = static_cast<std::uint8_t>(24 + random() % 9);
      const std::uint32_t bits = 0xc0000200U | (random() & 0xffU & ~((1U << (32U - length)) - 1U));
      claims.push_back(
          {{IpAddress::from_v4(bits), length}, static_cast<std::uint32_t>(random() % 4), random() % 3 == 0});
    }
    const PrefixTrie trie = PrefixTrie::from_prefixes(resolve_claims(claims));
    for (std::uint32_t last = 0; last < 256; ++last) {
      const IpAddress asked = IpAddress::from_v4(0xc0000200U + last);
      std::uint32_t expected = PrefixTrie::none;
      for (std::uint32_t rank = 4; rank-- > 0;) {
        bool claimed = false;
        bool holed = false;
        for (const Claim& claim : claims)
          if (claim.rank == rank && claim.prefix.contains(asked)) (claim.hole ? holed : claimed) = true;
        if (claimed && !holed) expected = rank;
      }
      ASSERT_EQ(trie.lookup(asked), expected) << "round " << round << ", " << to_string(asked);
    }
  }
}

TEST(RankSet, FindsTheLowestOfMany) {
  RankSet set(1'000'000);
  EXPECT_EQ(set.lowest(), RankSet::none);
  for (const std::uint32_t rank : {999'999U, 64U, 63U, 4'096U}) set.insert(rank);
  EXPECT_EQ(set.lowest(), 63U);
  set.erase(63);
  EXPECT_EQ(set.lowest(), 64U);
  set.erase(64);
  EXPECT_EQ(set.lowest(), 4'096U);
  set.erase(4'096);
  EXPECT_EQ(set.lowest(), 999'999U);
  set.erase(999'999);
  EXPECT_EQ(set.lowest(), RankSet::none);
}

TEST(RankSet, EmptyAndSingle) {
  EXPECT_EQ(RankSet(0).lowest(), RankSet::none);
  RankSet one(1);
  one.insert(0);
  EXPECT_EQ(one.lowest(), 0U);
}

}  // namespace
}  // namespace sallyport::classifier
