// Hash index: from a key's hash to a 32-bit number; the keys themselves lie elsewhere.
//
// Buckets of one cache line with eight entries, each a 16-bit tag and a number. A key may stand in two buckets: the one
// its hash names, and, when that is full, the one that hash and tag name together (cuckoo addressing, Fan et al. 2014,
// without moving anybody). So a lookup touches one line, or two where the first bucket once overflowed, and never more;
// when both are full the newcomer is refused. With half as many entries as places that does not happen in practice
// (below 10^-9 an insert), and nobody can bring it about on purpose without the key of the hash.
#pragma once

#include <bit>
#include <cstdint>

#include <emmintrin.h>

#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {

class KeyIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  // For `entries` numbers at once.
  explicit KeyIndex(std::size_t entries) : buckets_(std::bit_ceil(entries / 4 + 1)), mask_(buckets_.size() - 1) {}

  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&buckets_[hash & mask_]); }

  // The number for which `same(number)` holds, or none.
  template <typename Same>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const Same& same) const noexcept {
    const Bucket& first = buckets_[hash & mask_];
    if (const std::uint32_t found = find_in(first, tag(hash), same); found != none) return found;
    if (first.overflowed == 0) return none;
    return find_in(buckets_[second(hash)], tag(hash), same);
  }
  // The first number with this hash's tag, not compared: a hint for prefetching.
  [[nodiscard]] std::uint32_t hint(std::uint64_t hash) const noexcept {
    const Bucket& first = buckets_[hash & mask_];
    const unsigned hits = matches(first, tag(hash));
    return hits == 0 ? none : first.numbers[static_cast<unsigned>(std::countr_zero(hits)) / 2];
  }

  [[nodiscard]] bool insert(std::uint64_t hash, std::uint32_t number) noexcept {
    Bucket& first = buckets_[hash & mask_];
    if (place(first, tag(hash), number)) return true;
    if (first.overflowed == 0xffffffff || !place(buckets_[second(hash)], tag(hash), number)) return false;
    ++first.overflowed;
    return true;
  }

  void erase(std::uint64_t hash, std::uint32_t number) noexcept {
    Bucket& first = buckets_[hash & mask_];
    if (take(first, tag(hash), number)) return;
    if (take(buckets_[second(hash)], tag(hash), number)) --first.overflowed;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return buckets_.bytes(); }

 private:
  struct alignas(64) Bucket {
    std::uint16_t tags[8];  // 0: free
    std::uint32_t numbers[8];
    std::uint32_t overflowed;  // how many keys of this bucket stand in their second one
    std::uint32_t unused[3];
  };
  static_assert(sizeof(Bucket) == 64);

  static std::uint16_t tag(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(hash >> 48U) | 1U; }
  [[nodiscard]] std::uint64_t second(std::uint64_t hash) const noexcept {
    return (hash ^ ((hash >> 40U) * 0x9e3779b97f4a7c15U | 1U)) & mask_;
  }
  static unsigned matches(const Bucket& bucket, std::uint16_t wanted) noexcept {
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(wanted)))));
  }
  template <typename Same>
  static std::uint32_t find_in(const Bucket& bucket, std::uint16_t wanted, const Same& same) noexcept {
    for (unsigned hits = matches(bucket, wanted); hits != 0; hits &= hits - 1, hits &= hits - 1) {
      const std::uint32_t number = bucket.numbers[static_cast<unsigned>(std::countr_zero(hits)) / 2];
      if (same(number)) return number;
    }
    return none;
  }
  static bool place(Bucket& bucket, std::uint16_t own, std::uint32_t number) noexcept {
    const unsigned free = matches(bucket, 0);
    if (free == 0) return false;
    const unsigned slot = static_cast<unsigned>(std::countr_zero(free)) / 2;
    bucket.tags[slot] = own;
    bucket.numbers[slot] = number;
    return true;
  }
  static bool take(Bucket& bucket, std::uint16_t own, std::uint32_t number) noexcept {
    for (unsigned slot = 0; slot < 8; ++slot) {
      if (bucket.tags[slot] == own && bucket.numbers[slot] == number) {
        bucket.tags[slot] = 0;
        return true;
      }
    }
    return false;
  }

  Block<Bucket> buckets_;
  std::uint64_t mask_;
};

}  // namespace sallyport::dataplane
