// Hash index: from a key's hash to a 32-bit number; the keys themselves lie elsewhere.
//
// Buckets of one cache line with ten entries, each a 15-bit tag and a number (partial-key cuckoo hashing, Fan et al.
// 2014). An entry stands in the bucket that its hash names, its home, or in the one that home and tag name together:
//
//   other(bucket, tag) = T(tag) - bucket   modulo the number of buckets; so other(other(b)) = b
//
// and since tag and bucket tell where else an entry may stand, a newcomer that finds both of its buckets full makes
// room by moving others along, at most two steps deep. So a lookup touches one line, or two where the home has sent
// entries away, and never more; an insert looks at no more than 242 lines, and nothing is ever rehashed. Filled to nine
// tenths, less than one insert in 10^9 finds no room; and nobody can bring it about on purpose without the key of the
// hash.
#pragma once

#include <bit>
#include <cstdint>

#include <immintrin.h>

#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {

class KeyIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  // For `entries` numbers at once, 85 % of the places.
  explicit KeyIndex(std::size_t entries) : buckets_(entries * 2 / 17 + 2) {}

  void prefetch(std::uint64_t hash) const noexcept { dataplane::prefetch(&buckets_[home(hash)]); }
  void prefetch_other(std::uint64_t hash) const noexcept {
    dataplane::prefetch(&buckets_[other(home(hash), tag(hash))]);
  }

  // The number for which `same(number)` holds, or none.
  template <typename Same>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const Same& same) const noexcept {
    const std::size_t at = home(hash);
    const std::uint16_t own = tag(hash);
    if (const std::uint32_t found = find_in(buckets_[at], own, same); found != none) return found;
    if (buckets_[at].away == 0) return none;
    return find_in(buckets_[other(at, own)], own | away_bit, same);
  }

  // What a lookup will probably find, by the tag alone: for prefetching.
  struct Hint {
    std::uint32_t number = none;
    bool elsewhere = false;  // perhaps in the other bucket; ask hint_elsewhere() when that is at hand
  };
  [[nodiscard]] Hint hint(std::uint64_t hash) const noexcept {
    const Bucket& bucket = buckets_[home(hash)];
    const unsigned hits = matches(bucket, tag(hash));
    if (hits != 0) return {number_at(bucket, hits), false};
    return {none, bucket.away != 0};
  }
  [[nodiscard]] std::uint32_t hint_elsewhere(std::uint64_t hash) const noexcept {
    const std::uint16_t own = tag(hash);
    const Bucket& bucket = buckets_[other(home(hash), own)];
    const unsigned hits = matches(bucket, own | away_bit);
    return hits == 0 ? none : number_at(bucket, hits);
  }

  [[nodiscard]] bool insert(std::uint64_t hash, std::uint32_t number) noexcept {
    const std::size_t at = home(hash);
    const std::uint16_t own = tag(hash);
    return place(at, own, number) || insert_elsewhere(at, own, number);
  }

  void erase(std::uint64_t hash, std::uint32_t number) noexcept {
    const std::size_t at = home(hash);
    const std::uint16_t own = tag(hash);
    if (take(buckets_[at], own, number)) return;
    if (take(buckets_[other(at, own)], own | away_bit, number)) --buckets_[at].away;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return buckets_.bytes(); }

 private:
  static constexpr unsigned places = 10;
  static constexpr std::uint16_t away_bit = 1;  // of a tag: the entry is not at home

  struct alignas(64) Bucket {
    std::uint16_t tags[places];  // 0: free
    std::uint32_t away;          // how many entries have their home here and stand elsewhere
    std::uint32_t numbers[places];
  };
  static_assert(sizeof(Bucket) == 64);

  static std::uint16_t tag(std::uint64_t hash) noexcept {
    const auto top = static_cast<std::uint16_t>(hash >> 48U) & 0xfffeU;
    return static_cast<std::uint16_t>(top == 0 ? 2 : top);
  }
  // A 32-bit hash onto the buckets by multiplication (Lemire 2019): their number need not be a power of two.
  [[nodiscard]] std::size_t onto_buckets(std::uint32_t hash) const noexcept {
    return static_cast<std::size_t>((std::uint64_t{hash} * buckets_.size()) >> 32U);
  }
  [[nodiscard]] std::size_t home(std::uint64_t hash) const noexcept {
    return onto_buckets(static_cast<std::uint32_t>(hash));
  }
  [[nodiscard]] std::size_t other(std::size_t bucket, std::uint16_t tag) const noexcept {
    const std::size_t sum = onto_buckets((tag & 0xfffeU) * 0x9e3779b1U);
    return sum >= bucket ? sum - bucket : sum + buckets_.size() - bucket;
  }

  // Apart: few homes are full.
  [[nodiscard, gnu::noinline]] bool insert_elsewhere(std::size_t at, std::uint16_t own, std::uint32_t number) noexcept {
    const std::size_t second = other(at, own);
    if (place(second, own | away_bit, number)) {
      ++buckets_[at].away;
      return true;
    }
    if (make_room(at, 2)) return place(at, own, number);
    if (!make_room(second, 2) || !place(second, own | away_bit, number)) return false;
    ++buckets_[at].away;
    return true;
  }

  // Two bits for each place whose tag is `wanted`.
  static unsigned matches(const Bucket& bucket, unsigned wanted) noexcept {
    const __m256i tags = _mm256_load_si256(reinterpret_cast<const __m256i*>(bucket.tags));
    const __m256i same = _mm256_cmpeq_epi16(tags, _mm256_set1_epi16(static_cast<short>(wanted)));
    return static_cast<unsigned>(_mm256_movemask_epi8(same)) & ((1U << 2 * places) - 1);
  }
  static std::uint32_t number_at(const Bucket& bucket, unsigned hits) noexcept {
    return bucket.numbers[static_cast<unsigned>(std::countr_zero(hits)) / 2];
  }
  template <typename Same>
  static std::uint32_t find_in(const Bucket& bucket, unsigned wanted, const Same& same) noexcept {
    for (unsigned hits = matches(bucket, wanted); hits != 0; hits &= hits - 1, hits &= hits - 1) {
      const std::uint32_t number = number_at(bucket, hits);
      if (same(number)) return number;
    }
    return none;
  }
  bool place(std::size_t at, unsigned own, std::uint32_t number) noexcept {
    Bucket& bucket = buckets_[at];
    const unsigned free = matches(bucket, 0);
    if (free == 0) return false;
    const unsigned slot = static_cast<unsigned>(std::countr_zero(free)) / 2;
    bucket.tags[slot] = static_cast<std::uint16_t>(own);
    bucket.numbers[slot] = number;
    return true;
  }
  static bool take(Bucket& bucket, unsigned own, std::uint32_t number) noexcept {
    for (unsigned slot = 0; slot < places; ++slot) {
      if (bucket.tags[slot] == own && bucket.numbers[slot] == number) {
        bucket.tags[slot] = 0;
        return true;
      }
    }
    return false;
  }

  // One of the entries of a full bucket goes to where else it may stand; if that is full as well, one of those moves
  // first.
  bool make_room(std::size_t at, unsigned steps) noexcept {
    for (unsigned slot = 0; slot < places; ++slot) {
      if (move_away(at, slot)) return true;
    }
    for (unsigned slot = 0; steps > 1 && slot < places; ++slot) {
      const std::size_t next = other(at, buckets_[at].tags[slot]);
      if (next != at && make_room(next, steps - 1)) return move_away(at, slot);
    }
    return false;
  }
  bool move_away(std::size_t at, unsigned slot) noexcept {
    Bucket& bucket = buckets_[at];
    const std::uint16_t own = bucket.tags[slot];
    const std::size_t next = other(at, own);
    if (next == at || !place(next, own ^ away_bit, bucket.numbers[slot])) return false;
    bucket.tags[slot] = 0;
    if ((own & away_bit) == 0) {
      ++bucket.away;
    } else {
      --buckets_[next].away;
    }
    return true;
  }

  Block<Bucket> buckets_;
};

}  // namespace sallyport::dataplane
