#include "classifier/domain_set.h"

#include <cstring>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/classifier/guard_page.h"

namespace sallyport::classifier {
namespace {

using Match = DomainSet::Match;
using Names = std::vector<std::string>;

std::string repeated(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// In a batch of one and in a full one, between names that are found and names that are not.
void expect_the_same_in_batches(const DomainSet& set, const HostName& name, std::size_t length) {
  std::vector<HostName> names(NameBatch::names_max, name);
  names[0] = names[2] = *normalise("b");
  names.back() = *normalise(repeated(40, "a.") + "example.com");
  std::vector<std::size_t> lengths(names.size());
  set.find(NameBatch(names), lengths);
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(lengths[i], set.find(NameSuffixes(names[i].view()))) << i << ", " << name.view();
  set.find(NameBatch(std::span(names).subspan(1, 1)), std::span(lengths).first(1));
  EXPECT_EQ(lengths[0], length) << name.view();
}

// The longest name found, or "none".
std::string found(const DomainSet& set, const std::string& name) {
  const std::size_t length = set.find(NameSuffixes(name));
  if (const auto host = normalise(name)) expect_the_same_in_batches(set, *host, length);
  return length != 0 ? name.substr(name.size() - length) : "none";
}

TEST(NameSuffixes, StartAtLabelsShortestFirst) {
  const NameSuffixes suffixes("a.bc.example");
  ASSERT_EQ(suffixes.all().size(), 3U);
  EXPECT_EQ(suffixes.all()[0].start, 5U);
  EXPECT_EQ(suffixes.all()[1].start, 2U);
  EXPECT_EQ(suffixes.all()[2].start, 0U);
  EXPECT_EQ(NameSuffixes("bc.example").all()[1].hash, suffixes.all()[1].hash);
  EXPECT_EQ(NameSuffixes(repeated(126, "a.") + "a").all().size(), 127U);
}

// Where a label ends must count: all of these are the same letters.
TEST(NameSuffixes, HashKnowsTheDots) {
  std::unordered_set<std::uint64_t> hashes;
  for (const char* name : {"abc", "a.bc", "ab.c", "a.b.c"}) hashes.insert(NameSuffixes(name).all().back().hash);
  EXPECT_EQ(hashes.size(), 4U);
}

// Labels of all sizes, wherever the name lies in memory.
TEST(NameSuffixes, HashIsThatOfTheBytesAlone) {
  GuardPage memory;
  for (std::size_t first = 1; first <= 63; ++first) {
    for (std::size_t second = 1; second <= 63; ++second) {
      const std::string name = std::string(first, 'a') + "." + std::string(second, 'b');
      auto* last = static_cast<char*>(memory.last(name.size()));
      std::memcpy(last, name.data(), name.size());
      const NameSuffixes at_the_end({last, name.size()});
      const NameSuffixes below(name);
      ASSERT_EQ(at_the_end.all().size(), 2U);
      ASSERT_EQ(at_the_end.all()[1].start, 0U);
      ASSERT_EQ(at_the_end.all()[0].start, first + 1);
      EXPECT_EQ(at_the_end.all()[1].hash, below.all()[1].hash) << name;
      EXPECT_EQ(at_the_end.all()[0].hash, NameSuffixes(name.substr(first + 1)).all()[0].hash) << name;
    }
  }
}

// What a policy has many of must not share its hashes: numbered labels of all sizes.
TEST(NameSuffixes, HashesAreSpread) {
  std::unordered_set<std::uint64_t> hashes;
  std::unordered_set<std::uint64_t> lines;
  constexpr std::size_t names = 200'000;
  for (std::size_t i = 0; i < names; ++i) {
    const std::string number = std::to_string(i);
    const std::uint64_t hash = NameSuffixes(number + std::string(i % 40, 'z') + ".example").all().back().hash;
    hashes.insert(hash);
    lines.insert(hash & 0x3ffffU);
  }
  EXPECT_EQ(hashes.size(), names);
  // Of 2^18 places, 200,000 at random take (1 - e^-0.763) of them.
  EXPECT_NEAR(static_cast<double>(lines.size()), 139'900, 1'500);
}

TEST(DomainSet, EmptyMatchesNothing) {
  for (const Match match : {Match::exact, Match::subdomains})
    EXPECT_EQ(found(DomainSet(match, Names{}), "example.com"), "none");
}

TEST(DomainSet, SubdomainsAreTheNameAndAllBelow) {
  const DomainSet set(Match::subdomains, Names{"example.com", "deep.example.com", "net", "a_b.example.org"});
  EXPECT_EQ(found(set, "example.com"), "example.com");
  EXPECT_EQ(found(set, "www.example.com"), "example.com");
  EXPECT_EQ(found(set, "deep.example.com"), "deep.example.com");
  EXPECT_EQ(found(set, "very.deep.example.com"), "deep.example.com");
  EXPECT_EQ(found(set, "a.b.c.d.net"), "net");
  EXPECT_EQ(found(set, "a_b.example.org"), "a_b.example.org");
  for (const char* name : {"com", "xample.com", "fooexample.com", "example.com.evil.org", "example.org", "example.co",
                           "example.comm", "n.et"}) {
    EXPECT_EQ(found(set, name), "none") << name;
  }
}

TEST(DomainSet, ExactIsTheNameAlone) {
  const DomainSet set(Match::exact, Names{"example.com", "deep.example.com"});
  EXPECT_EQ(found(set, "example.com"), "example.com");
  EXPECT_EQ(found(set, "deep.example.com"), "deep.example.com");
  for (const char* name : {"www.example.com", "com", "very.deep.example.com", "fooexample.com"})
    EXPECT_EQ(found(set, name), "none") << name;
}

TEST(DomainSet, SameNameTwiceCountsOnce) {
  const DomainSet set(Match::subdomains, Names{"example.com", "example.org", "example.com"});
  EXPECT_EQ(set.size(), 2U);
}

TEST(DomainSet, LongestNamesAndMostLabels) {
  const std::string labels_127 = repeated(126, "a.") + "b";
  const std::string bytes_253 = repeated(3, std::string(63, 'x') + ".") + std::string(61, 'y');
  ASSERT_EQ(labels_127.size(), 253U);
  ASSERT_EQ(bytes_253.size(), 253U);
  const DomainSet set(Match::subdomains, Names{labels_127, bytes_253, "b"});
  EXPECT_EQ(found(set, labels_127), labels_127);
  EXPECT_EQ(found(set, labels_127.substr(2)), "b");
  EXPECT_EQ(found(set, bytes_253), bytes_253);
  EXPECT_EQ(found(set, bytes_253.substr(1)), "none");
}

// Names that differ in one byte at any place, so that words compared at once and their ends are all met.
TEST(DomainSet, EveryByteCounts) {
  for (std::size_t size = 1; size <= 63; ++size) {
    const std::string name = std::string(size, 'q') + ".example";
    const DomainSet set(Match::exact, Names{name});
    EXPECT_EQ(found(set, name), name);
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::string other = name;
      other[i] = '-';
      EXPECT_EQ(found(set, other), "none") << other;
    }
    EXPECT_EQ(found(set, "q" + name), "none");
    EXPECT_EQ(found(set, name + "q"), "none");
    EXPECT_EQ(found(set, name.substr(1)), "none");
  }
}

class NaiveSet {
 public:
  NaiveSet(Match match, const Names& names) : match_(match), names_(names.begin(), names.end()) {}
  [[nodiscard]] std::string find(const std::string& name) const {
    for (std::size_t start = 0;;) {
      if (names_.contains(name.substr(start))) return name.substr(start);
      const std::size_t dot = name.find('.', start);
      if (dot == std::string::npos || match_ == Match::exact) return "none";
      start = dot + 1;
    }
  }

 private:
  Match match_;
  std::unordered_set<std::string> names_;
};

// Few labels, so that names share their ends and lie below each other.
std::string random_name(std::mt19937& random, std::size_t labels_max, std::size_t label_kinds) {
  std::string name;
  for (std::size_t left = 1 + random() % labels_max; left > 0; --left) {
    const std::size_t label = random() % label_kinds;
    name += (name.empty() ? "" : ".") + (label % 3 == 0 ? "n" + std::to_string(label) : std::to_string(label * 7'919));
  }
  return name;
}

TEST(DomainSet, LikeNaive) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{10}, std::size_t{1'000}, std::size_t{50'000}}) {
    for (const Match match : {Match::exact, Match::subdomains}) {
      std::mt19937 random(static_cast<unsigned>(size));
      const std::size_t kinds = size < 100 ? 4 : 60;
      Names names;
      for (std::size_t i = 0; i < size; ++i) names.push_back(random_name(random, 5, kinds));
      const DomainSet set(match, names);
      const NaiveSet naive(match, names);
      EXPECT_EQ(set.size(), std::unordered_set<std::string>(names.begin(), names.end()).size());
      for (const std::string& name : names) ASSERT_EQ(found(set, name), naive.find(name));
      for (int i = 0; i < 20'000; ++i) {
        const std::string name = random_name(random, 7, kinds);
        ASSERT_EQ(found(set, name), naive.find(name)) << name;
      }
    }
  }
}

TEST(DomainSet, MemoryIsBounded) {
  Names names;
  for (int i = 0; i < 100'000; ++i) names.push_back("name-" + std::to_string(i * 7'919) + ".example.com");
  EXPECT_LT(DomainSet(Match::subdomains, names).memory_bytes(), std::size_t{60} * names.size());
}

}  // namespace
}  // namespace sallyport::classifier
