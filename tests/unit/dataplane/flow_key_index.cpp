// The hash index against a plain map, empty, filled to its brim and in between.
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"

namespace sallyport::dataplane {
namespace {

// The test's keys are the hashes themselves, number i belongs to hashes[i].
struct Filled {
  explicit Filled(std::uint32_t count) : index(count), hashes(count) {
    Random random(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      hashes[i] = random.next();
      inserted += index.insert(hashes[i], i) ? 1 : 0;
    }
  }
  [[nodiscard]] std::uint32_t find(std::uint64_t hash) const {
    return index.find(hash, [&](std::uint32_t number) { return hashes[number] == hash; });
  }
  KeyIndex index;
  std::vector<std::uint64_t> hashes;
  std::uint32_t inserted = 0;
};

TEST(KeyIndex, TakesAsManyAsItWasMadeFor) {
  for (const std::uint32_t count : {1U, 2U, 17U, 100U, 1000U, 65536U, 1U << 20U}) {
    const Filled filled(count);
    EXPECT_EQ(filled.inserted, count);
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(filled.find(filled.hashes[i]), i);
    Random others(~std::uint64_t{count});
    for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(filled.find(others.next()), KeyIndex::none);
  }
}

TEST(KeyIndex, HintsAtWhatItWouldFind) {
  const Filled filled(100'000);
  std::uint32_t elsewhere = 0;
  for (std::uint32_t i = 0; i < filled.hashes.size(); ++i) {
    const std::uint64_t hash = filled.hashes[i];
    const KeyIndex::Hint hint = filled.index.hint(hash);
    elsewhere += hint.number == KeyIndex::none ? 1 : 0;
    // Another one with the same tag may stand in front; seldom.
    if (hint.number == KeyIndex::none) {
      EXPECT_TRUE(hint.elsewhere);
      EXPECT_NE(filled.index.hint_elsewhere(hash), KeyIndex::none);
    }
  }
  EXPECT_GT(elsewhere, 1000U) << "full as it is, some stand in their second bucket";
  EXPECT_LT(elsewhere, 30'000U);
}

TEST(KeyIndex, AgreesWithAMap) {
  constexpr std::uint32_t room = 2000;
  KeyIndex index(room);
  std::unordered_map<std::uint32_t, std::uint64_t> there;
  Random random(11);
  std::uint32_t next = 0;
  for (std::uint32_t step = 0; step < 200'000; ++step) {
    if (there.size() < room && (random.next() & 1U) != 0) {
      // Few distinct hashes: some keys share theirs.
      const std::uint64_t hash = Random(random.below(3 * room)).next();
      if (!index.insert(hash, next)) continue;  // more than twenty keys of one hash
      there[next++] = hash;
    } else if (!there.empty()) {
      const auto victim = there.begin();
      index.erase(victim->second, victim->first);
      const std::uint32_t gone = victim->first;
      EXPECT_EQ(index.find(victim->second, [&](std::uint32_t number) { return number == gone; }), KeyIndex::none);
      there.erase(victim);
    }
    if (step % 1000 != 0) continue;
    for (const auto& [number, hash] : there) {
      ASSERT_EQ(index.find(hash, [wanted = number](std::uint32_t found) { return found == wanted; }), number);
    }
  }
  for (const auto& [number, hash] : there) index.erase(hash, number);
  for (std::uint32_t i = 0; i < room; ++i) EXPECT_TRUE(index.insert(random.next(), i)) << "nothing was left behind";
}

TEST(KeyIndex, RefusesWhenNoMoveHelps) {
  KeyIndex index(1000);
  // One hash: two buckets, and whoever stands there has nowhere else to go.
  std::uint32_t taken = 0;
  while (taken < 100 && index.insert(0x1234'5678'9abc'def0U, taken)) ++taken;
  EXPECT_EQ(taken, 20U);
}

}  // namespace
}  // namespace sallyport::dataplane
