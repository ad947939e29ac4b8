// The trie against looking for the longest prefix one length after the other.
#include "classifier/prefix_trie.h"

#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace sallyport::classifier {
namespace {

using Entries = std::vector<PrefixTrie::Entry>;
constexpr std::uint32_t none = PrefixTrie::none;

Prefix prefix(std::string_view text) { return parse_prefix(text)->prefix; }
IpAddress address(std::string_view text) { return *parse_address(text); }

Prefix cut(const IpAddress& address, unsigned length) {
  Prefix result{address, static_cast<std::uint8_t>(length)};
  for (unsigned bit = length; bit < address_bits(address.family); ++bit) {
    result.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return result;
}

class NaiveTrie {
 public:
  explicit NaiveTrie(const Entries& entries) {
    for (const PrefixTrie::Entry& entry : entries) by_prefix_[entry.prefix] = entry.value;
  }
  [[nodiscard]] std::uint32_t lookup(const IpAddress& address) const {
    for (unsigned length = address_bits(address.family) + 1; length-- > 0;) {
      if (const auto found = by_prefix_.find(cut(address, length)); found != by_prefix_.end()) return found->second;
    }
    return none;
  }

 private:
  std::map<Prefix, std::uint32_t> by_prefix_;
};

// The neighbour addresses; nothing at the ends of the address space.
std::vector<IpAddress> around(const IpAddress& address) {
  std::vector<IpAddress> all{address};
  for (const int step : {-1, 1}) {
    IpAddress next = address;
    unsigned byte = address_bytes(address.family);
    while (byte-- > 0) {
      next.bytes[byte] = static_cast<std::uint8_t>(next.bytes[byte] + step);
      if (next.bytes[byte] != (step < 0 ? 0xff : 0x00)) break;
    }
    if (byte < address_bytes(address.family)) all.push_back(next);
  }
  return all;
}

// A batch has to say what single questions say, whatever its size.
void expect_same_in_batches(const PrefixTrie& trie, const std::vector<IpAddress>& keys) {
  std::vector<std::uint32_t> v4;
  std::vector<PrefixTrie::V6Bytes> v6;
  std::vector<std::uint32_t> v4_expected;
  std::vector<std::uint32_t> v6_expected;
  for (const IpAddress& key : keys) {
    if (key.family == Family::v4) {
      v4.push_back(key.to_v4());
      v4_expected.push_back(trie.lookup(key));
    } else {
      v6.push_back(key.bytes);
      v6_expected.push_back(trie.lookup(key));
    }
  }
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{200}, keys.size()}) {
    std::vector<std::uint32_t> values(v4.size());
    for (std::size_t i = 0; i < v4.size(); i += size) {
      const std::size_t count = std::min(size, v4.size() - i);
      trie.lookup(std::span<const std::uint32_t>(v4).subspan(i, count), std::span(values).subspan(i, count));
    }
    ASSERT_EQ(values, v4_expected) << "IPv4 batches of " << size;
    values.assign(v6.size(), 0);
    for (std::size_t i = 0; i < v6.size(); i += size) {
      const std::size_t count = std::min(size, v6.size() - i);
      trie.lookup(std::span<const PrefixTrie::V6Bytes>(v6).subspan(i, count), std::span(values).subspan(i, count));
    }
    ASSERT_EQ(values, v6_expected) << "IPv6 batches of " << size;
  }
}

void expect_like_naive(const Entries& entries, const std::vector<IpAddress>& more_keys, std::size_t edges_max = 3'000) {
  const PrefixTrie trie = PrefixTrie::from_prefixes(entries);
  const NaiveTrie naive(entries);
  std::vector<IpAddress> keys = more_keys;
  const std::size_t step = entries.size() / edges_max + 1;
  for (std::size_t i = 0; i < entries.size(); i += step) {
    for (const IpAddress& edge : {entries[i].prefix.first(), entries[i].prefix.last()}) {
      const auto neighbours = around(edge);
      keys.insert(keys.end(), neighbours.begin(), neighbours.end());
    }
  }
  for (const IpAddress& key : keys) ASSERT_EQ(trie.lookup(key), naive.lookup(key)) << to_string(key);
  expect_same_in_batches(trie, keys);
}

class RandomPrefixes {
 public:
  explicit RandomPrefixes(unsigned seed) : random_(seed) {}

  IpAddress any(Family family) {
    IpAddress result;
    result.family = family;
    for (unsigned byte = 0; byte < address_bytes(family); ++byte)
      result.bytes[byte] = static_cast<std::uint8_t>(random_());
    return result;
  }
  // Bits behind the prefix at random, so what is made of it lies inside.
  IpAddress inside(const Prefix& outer) {
    IpAddress result = any(outer.address.family);
    for (unsigned bit = 0; bit < outer.length; ++bit) {
      const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      result.bytes[bit / 8] =
          static_cast<std::uint8_t>((result.bytes[bit / 8] & ~mask) | (outer.address.bytes[bit / 8] & mask));
    }
    return result;
  }
  // Every second one inside an earlier one, so they nest deeply; values below `values`, some of them holes.
  Entries nested(Family family, std::size_t count, std::uint32_t values) {
    Entries entries;
    while (entries.size() < count) {
      const bool in_other = !entries.empty() && below(2) == 0;
      const Prefix outer = in_other ? entries[below(entries.size())].prefix : Prefix{any(family), 0};
      const unsigned length = outer.length + static_cast<unsigned>(below(address_bits(family) - outer.length + 1U));
      const std::uint32_t value = below(20) == 0 ? none : static_cast<std::uint32_t>(below(values));
      entries.push_back({cut(inside(outer), length), value});
    }
    return entries;
  }
  std::vector<IpAddress> keys(Family family, const Entries& entries, std::size_t count) {
    std::vector<IpAddress> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(i % 2 == 0 ? any(family) : inside(entries[below(entries.size())].prefix));
    return all;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  std::mt19937 random_;
};

TEST(PrefixTrie, EmptyMatchesNothing) {
  const PrefixTrie trie;
  for (const char* text : {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(trie.lookup(address(text)), none) << text;
  }
}

TEST(PrefixTrie, LongestWinsAndFamiliesAreApart) {
  const PrefixTrie trie =
      PrefixTrie::from_prefixes({{prefix("10.1.0.0/16"), 2}, {prefix("0.0.0.0/0"), 0}, {prefix("10.0.0.0/8"), 1}});
  EXPECT_EQ(trie.lookup(address("10.1.2.3")), 2U);
  EXPECT_EQ(trie.lookup(address("10.2.0.0")), 1U);
  EXPECT_EQ(trie.lookup(address("11.0.0.0")), 0U);
  EXPECT_EQ(trie.lookup(address("::ffff:10.1.2.3")), none) << "IPv4-mapped is never taken for IPv4";
}

TEST(PrefixTrie, LaterOfEqualPrefixesCounts) {
  const PrefixTrie trie = PrefixTrie::from_prefixes(
      {{prefix("10.0.0.0/8"), 1}, {prefix("10.0.0.0/8"), 2}, {prefix("10.0.0.0/9"), 3}, {prefix("10.0.0.0/9"), 2}});
  EXPECT_EQ(trie.lookup(address("10.0.0.1")), 2U);
  EXPECT_EQ(trie.lookup(address("10.255.0.1")), 2U);
}

TEST(PrefixTrie, HoleInsideAPrefix) {
  const PrefixTrie trie =
      PrefixTrie::from_prefixes({{prefix("10.0.0.0/8"), 1}, {prefix("10.9.0.0/16"), none}, {prefix("10.9.9.0/24"), 5}});
  EXPECT_EQ(trie.lookup(address("10.8.255.255")), 1U);
  EXPECT_EQ(trie.lookup(address("10.9.0.0")), none);
  EXPECT_EQ(trie.lookup(address("10.9.9.9")), 5U);
  EXPECT_EQ(trie.lookup(address("10.10.0.0")), 1U);
}

TEST(PrefixTrie, Case20BoundaryAddresses) {
  for (const char* text :
       {"0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "192.168.0.0/16", "198.51.100.0/24", "198.51.100.6/31",
        "198.51.100.7/32", "255.255.255.255/32", "0.0.0.0/32", "::/0", "8000::/1", "2001:db8::/32", "2001:db8:0:1::/64",
        "2001:db8::6/127", "2001:db8::7/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::/128"}) {
    const Prefix only = prefix(text);
    const PrefixTrie trie = PrefixTrie::from_prefixes({{only, 77}});
    for (const IpAddress& edge : {only.first(), only.last()}) {
      for (const IpAddress& key : around(edge)) {
        EXPECT_EQ(trie.lookup(key), only.contains(key) ? 77U : none) << text << " asked for " << to_string(key);
      }
    }
  }
}

TEST(PrefixTrie, Case20EdgesOfEveryLength) {
  for (const Family family : {Family::v4, Family::v6}) {
    RandomPrefixes random(20);
    Entries entries;
    const IpAddress deepest = random.any(family);
    for (unsigned length = 0; length <= address_bits(family); ++length)
      entries.push_back({cut(deepest, length), length});
    expect_like_naive(entries, {});
  }
}

TEST(PrefixTrie, HundredThousandNestedV4) {
  RandomPrefixes random(1);
  const Entries entries = random.nested(Family::v4, 100'000, 50);
  expect_like_naive(entries, random.keys(Family::v4, entries, 20'000));
}

TEST(PrefixTrie, HundredThousandNestedV6) {
  RandomPrefixes random(2);
  const Entries entries = random.nested(Family::v6, 100'000, 50);
  expect_like_naive(entries, random.keys(Family::v6, entries, 3'000), 300);
}

TEST(PrefixTrie, EveryPrefixItsOwnValue) {
  for (const Family family : {Family::v4, Family::v6}) {
    RandomPrefixes random(3);
    Entries entries = random.nested(family, 50'000, 1);
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].value = static_cast<std::uint32_t>(i) << 8U;
    expect_like_naive(entries, random.keys(family, entries, 2'000), 500);
  }
}

// From one to many runs in a node, in both halves of it, with children and without: all forms of nodes and their edges.
TEST(PrefixTrie, NodesOfEveryFill) {
  for (const unsigned from : {8U, 16U, 24U}) {
    for (const std::size_t runs :
         {1U, 2U, 3U, 4U, 5U, 6U, 8U, 9U, 10U, 16U, 24U, 25U, 63U, 64U, 65U, 127U, 128U, 129U, 200U, 256U}) {
      for (const std::uint32_t values : {2U, 128U, 129U, 100'000U}) {
        RandomPrefixes random(static_cast<unsigned>(runs));
        Entries entries;
        const IpAddress base = random.any(Family::v4);
        for (std::size_t i = 0; i < runs; ++i) {
          IpAddress slot = base;
          slot.bytes[from / 8] = static_cast<std::uint8_t>(runs > 100 ? i : random.below(256));
          entries.push_back({cut(slot, from + 8U), static_cast<std::uint32_t>(random.below(values))});
          if (from < 24 && random.below(4) == 0) entries.push_back({cut(random.inside(entries.back().prefix), 32), 9});
        }
        ASSERT_NO_FATAL_FAILURE(expect_like_naive(entries, {})) << from << " " << runs << " " << values;
      }
    }
  }
}

// The same nodes below a root table, which only large tries have.
TEST(PrefixTrie, NodesOfEveryFillBelowTheRootTable) {
  for (const std::uint32_t values : {3U, 1'000'000U}) {
    RandomPrefixes random(5);
    Entries entries;
    for (std::uint32_t network = 0; network < 1'000; ++network) {
      const std::uint32_t slots = network % 257;
      for (std::uint32_t slot = 0; slot < slots; ++slot) {
        const std::uint32_t key = (network * 61U) << 16U | slot << 8U;
        entries.push_back({{IpAddress::from_v4(key), 24}, static_cast<std::uint32_t>(random.below(values))});
        if (random.below(50) == 0) entries.push_back({{IpAddress::from_v4(key | 77U), 32}, 12'345});
      }
    }
    expect_like_naive(entries, random.keys(Family::v4, entries, 20'000));
  }
}

TEST(PrefixTrie, OrderOfEntriesDoesNotMatter) {
  RandomPrefixes random(6);
  Entries entries = random.nested(Family::v4, 2'000, 1);
  for (PrefixTrie::Entry& entry : entries) {
    entry.value = static_cast<std::uint32_t>(std::hash<std::string>{}(to_string(entry.prefix)) % 1'000);
  }
  const auto keys = random.keys(Family::v4, entries, 5'000);
  const PrefixTrie one = PrefixTrie::from_prefixes(entries);
  std::shuffle(entries.begin(), entries.end(), std::mt19937(7));
  const PrefixTrie other = PrefixTrie::from_prefixes(entries);
  for (const IpAddress& key : keys) ASSERT_EQ(one.lookup(key), other.lookup(key)) << to_string(key);
}

IpAddress add(Family family, std::uint64_t number) {
  IpAddress result;
  result.family = family;
  for (unsigned byte = address_bytes(family); byte-- > 0; number >>= 8U)
    result.bytes[byte] = static_cast<std::uint8_t>(number);
  return result;
}

TEST(PrefixTrie, IntervalsNeedNotBePrefixes) {
  for (const Family family : {Family::v4, Family::v6}) {
    RandomPrefixes random(8);
    std::vector<PrefixTrie::Interval> intervals;
    std::vector<std::uint32_t> naive(200'000, none);
    for (std::uint64_t next = random.below(5); next < naive.size() - 1'000;
         next += random.below(3) == 0 ? random.below(400) : 0) {
      const std::uint64_t last = next + random.below(random.below(4) == 0 ? 600 : 3);
      const auto value = static_cast<std::uint32_t>(random.below(7));
      intervals.push_back({add(family, next), add(family, last), value});
      for (; next <= last; ++next) naive[next] = value;
    }
    const PrefixTrie trie = PrefixTrie::from_intervals(intervals);
    std::vector<IpAddress> keys;
    for (std::uint64_t number = 0; number < naive.size(); ++number) {
      keys.push_back(add(family, number));
      ASSERT_EQ(trie.lookup(keys.back()), naive[number]) << to_string(keys.back());
    }
    expect_same_in_batches(trie, keys);
  }
}

TEST(PrefixTrie, IntervalsAtTheEndsOfTheSpace) {
  const PrefixTrie whole =
      PrefixTrie::from_intervals({{{address("0.0.0.0"), address("255.255.255.255"), 1},
                                   {address("::"), address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 2}}});
  EXPECT_EQ(whole.lookup(address("0.0.0.0")), 1U);
  EXPECT_EQ(whole.lookup(address("255.255.255.255")), 1U);
  EXPECT_EQ(whole.lookup(address("::")), 2U);
  EXPECT_EQ(whole.lookup(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), 2U);
  const PrefixTrie last = PrefixTrie::from_intervals({{{address("255.255.255.255"), address("255.255.255.255"), 1}}});
  EXPECT_EQ(last.lookup(address("255.255.255.255")), 1U);
  EXPECT_EQ(last.lookup(address("255.255.255.254")), none);
}

TEST(PrefixTrieDeathTest, IntervalsThatDoNotRise) {
  const auto build = [](std::vector<PrefixTrie::Interval> intervals) { (void)PrefixTrie::from_intervals(intervals); };
  EXPECT_DEATH(build({{address("10.0.0.5"), address("10.0.0.9"), 1}, {address("10.0.0.9"), address("10.0.0.10"), 2}}),
               "");
  EXPECT_DEATH(build({{address("10.0.0.5"), address("10.0.0.4"), 1}}), "");
  EXPECT_DEATH(build({{address("10.0.0.5"), address("::1"), 1}}), "");
}

TEST(PrefixTrie, FewPrefixesTakeLittleMemory) {
  const PrefixTrie trie =
      PrefixTrie::from_prefixes({{prefix("10.0.0.0/8"), 1}, {prefix("10.1.0.0/16"), 2}, {prefix("fd00::/8"), 3}});
  EXPECT_LT(trie.memory_bytes(), 4'096U);
}

}  // namespace
}  // namespace sallyport::classifier
