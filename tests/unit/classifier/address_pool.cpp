#include "classifier/address_pool.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

AddressRange range(std::string_view text) { return *parse_range(text); }

constexpr PoolKey key{1, 2, 3};
constexpr PoolKey other_key{3, 2, 1};

IpAddress source(std::uint32_t number) { return IpAddress::from_v4(0x0a000000U + number); }

TEST(AddressPool, SortsJoinsAndExcludes) {
  const AddressPool pool(
      {range("192.0.2.40-192.0.2.50"), range("192.0.2.0/29"), range("192.0.2.8/29"), range("192.0.2.4/30")},
      {range("192.0.2.3"), range("192.0.2.45-192.0.2.200"), range("2001:db8::1")});
  ASSERT_EQ(pool.ranges().size(), 3U);
  EXPECT_EQ(to_string(pool.ranges()[0].first), "192.0.2.0");
  EXPECT_EQ(to_string(pool.ranges()[0].last), "192.0.2.2");
  EXPECT_EQ(to_string(pool.ranges()[1].first), "192.0.2.4");
  EXPECT_EQ(to_string(pool.ranges()[1].last), "192.0.2.15");
  EXPECT_EQ(to_string(pool.ranges()[2].first), "192.0.2.40");
  EXPECT_EQ(to_string(pool.ranges()[2].last), "192.0.2.44");
  EXPECT_EQ(pool.size(), 20U);
}

TEST(AddressPool, AtAndContainsAgree) {
  const AddressPool pool({range("192.0.2.0/29"), range("192.0.2.100")}, {range("192.0.2.2")});
  std::set<IpAddress> listed;
  for (std::uint64_t i = 0; i < pool.size(); ++i) listed.insert(pool.at(i));
  EXPECT_EQ(listed.size(), 8U);
  for (std::uint32_t last = 0; last < 256; ++last) {
    const IpAddress candidate = IpAddress::from_v4(0xc0000200U + last);
    EXPECT_EQ(pool.contains(candidate), listed.contains(candidate)) << to_string(candidate);
  }
  EXPECT_FALSE(pool.contains(address("2001:db8::1")));
}

TEST(AddressPool, Edges) {
  EXPECT_TRUE(AddressPool({}, {}).empty());
  EXPECT_TRUE(AddressPool({range("192.0.2.1")}, {range("192.0.2.0/24")}).empty());
  const AddressPool all4({range("0.0.0.0/0")}, {});
  EXPECT_EQ(all4.size(), std::uint64_t{1} << 32U);
  EXPECT_EQ(to_string(all4.at(0xffffffffU)), "255.255.255.255");
  EXPECT_EQ(AddressPool({range("::/0")}, {}).size(), UINT64_MAX);
  EXPECT_EQ(AddressPool({range("2001:db8::/64")}, {}).size(), UINT64_MAX);
  EXPECT_EQ(AddressPool({range("2001:db8::/65")}, {}).size(), std::uint64_t{1} << 63U);
}

TEST(AddressPool, PickIsStableAndKeyed) {
  const AddressPool pool({range("203.0.113.0/26")}, {});
  unsigned moved = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(pool.pick(source(i), key), pool.pick(source(i), key));
    EXPECT_TRUE(pool.contains(pool.pick(source(i), key)));
    moved += pool.pick(source(i), key) != pool.pick(source(i), other_key) ? 1 : 0;
  }
  EXPECT_GT(moved, 900U);
}

TEST(AddressPool, PickSpreadsEvenly) {
  for (const char* text : {"203.0.113.0/26", "198.18.0.0/15", "2001:db8::/122"}) {
    const AddressPool pool({range(text)}, {});
    std::map<IpAddress, unsigned> counts;
    constexpr std::uint32_t sources = 64'000;
    for (std::uint32_t i = 0; i < sources; ++i) ++counts[pool.pick(source(i), key)];
    const double mean =
        static_cast<double>(sources) / static_cast<double>(std::min<std::uint64_t>(pool.size(), sources));
    for (const auto& [picked, count] : counts) EXPECT_LT(count, mean * 1.3 + 12) << to_string(picked);
    EXPECT_TRUE(pool.size() != 64 || counts.size() == 64);
  }
}

TEST(AddressPool, Case120ShrinkingMovesOnlyWhatWasLost) {
  const AddressPool before({range("203.0.113.0/28")}, {});
  const AddressPool after({range("203.0.113.0/28")}, {range("203.0.113.5")});
  const AddressPool grown({range("203.0.113.0/28"), range("203.0.113.200")}, {});
  unsigned moved_to_new = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const IpAddress picked = before.pick(source(i), key);
    EXPECT_TRUE(!after.contains(picked) || after.pick(source(i), key) == picked);
    const IpAddress picked_when_grown = grown.pick(source(i), key);
    if (picked_when_grown == picked) continue;
    EXPECT_EQ(to_string(picked_when_grown), "203.0.113.200");
    ++moved_to_new;
  }
  EXPECT_GT(moved_to_new, 0U);
}

// Pools too large to weigh address by address.
TEST(AddressPool, Case120LargePoolsMoveOnlyWhatComesAndGoes) {
  struct Change {
    const char* before;
    const char* grown_by;
    const char* lost;
  };
  for (const Change& change : {Change{"198.18.0.0/20", "198.19.7.0/24", "198.18.5.0/24"},
                               Change{"198.18.0.3-198.18.99.250", "198.18.99.251-198.18.120.0", "198.18.40.0/22"},
                               Change{"2001:db8::/64", "2001:db8:0:2::/63", "2001:db8::/66"}}) {
    const AddressPool before({range(change.before)}, {});
    const AddressPool grown({range(change.before), range(change.grown_by)}, {});
    const AddressPool shrunk({range(change.before)}, {range(change.lost)});
    const AddressRange added = range(change.grown_by);
    const AddressRange lost = range(change.lost);
    unsigned moved = 0;
    for (std::uint32_t i = 0; i < 5000; ++i) {
      const IpAddress picked = before.pick(source(i), key);
      ASSERT_TRUE(before.contains(picked)) << change.before;
      const IpAddress when_grown = grown.pick(source(i), key);
      ASSERT_TRUE(when_grown == picked || added.contains(when_grown)) << change.before;
      const IpAddress when_shrunk = shrunk.pick(source(i), key);
      ASSERT_TRUE(when_shrunk == picked || lost.contains(picked)) << change.before;
      ASSERT_TRUE(shrunk.contains(when_shrunk)) << change.before;
      moved += when_grown != picked ? 1 : 0;
    }
    EXPECT_GT(moved, 0U) << change.before;
  }
}

TEST(AddressPool, LargePoolsSpreadEvenlyOverTheirPieces) {
  const AddressPool pool({range("198.18.0.0-198.18.8.255"), range("198.18.64.0/22"), range("203.0.113.7")}, {});
  constexpr unsigned sources = 40'000;
  unsigned in_first = 0;
  for (std::uint32_t i = 0; i < sources; ++i)
    in_first += range("198.18.0.0-198.18.8.255").contains(pool.pick(source(i), key)) ? 1 : 0;
  const double expected = sources * 2304.0 / static_cast<double>(pool.size());
  EXPECT_NEAR(in_first, expected, expected * 0.03);
}

TEST(AddressPool, ManyPiecesOfALargePoolAreHashedOver) {
  std::vector<AddressRange> pieces;
  for (std::uint32_t i = 0; i < 1100; ++i) {
    const IpAddress piece = IpAddress::from_v4(0xc6120000U + 3 * i);
    pieces.push_back({piece, piece});
  }
  const AddressPool pool(pieces, {});
  std::set<IpAddress> picked;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    picked.insert(pool.pick(source(i), key));
    ASSERT_TRUE(pool.contains(pool.pick(source(i), key)));
  }
  EXPECT_GT(picked.size(), 1000U);
}

}  // namespace
}  // namespace sallyport::classifier
