// The Internet checksum (RFC 1071) and its incremental update (RFC 1624, eqn. 3: HC' = ~(~HC + ~m + m')).
//
// Sums are over 16-bit words as they lie in memory; one's complement addition does not care about byte order, so
// nothing is ever swapped. A Delta is the sum of ~m + m' over all changed words: a flow's translation is one
// precomputed Delta.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {

using Sum = std::uint64_t;

// Adding the halves in the upper half lets the carry come round by itself: 6 instructions, where masks take 14.
[[nodiscard]] constexpr std::uint16_t fold(Sum sum) noexcept {
  const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32U);
  return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16U);
}

// Not folded; several may be added.
[[nodiscard]] inline Sum sum_words(const std::uint8_t* bytes, std::size_t count) noexcept {
  Sum sum = 0;
  for (; count >= 4; bytes += 4, count -= 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes, 4);
    sum += word;
  }
  if (count >= 2) {
    std::uint16_t word;
    std::memcpy(&word, bytes, 2);
    sum += word;
    bytes += 2;
    count -= 2;
  }
  if (count != 0) sum += *bytes;  // the odd byte is the low one in memory order
  return sum;
}

// A header without options: five loads instead of the loop, which costs 45 instructions more. One by one, since an
// array of them would be copied first.
[[nodiscard]] inline Sum sum_plain_ipv4(const std::uint8_t* header) noexcept {
  const auto word = [header](std::size_t i) {
    std::uint32_t value;
    std::memcpy(&value, header + i * sizeof value, sizeof value);
    return Sum{value};
  };
  return word(0) + word(1) + word(2) + word(3) + word(4);
}

// Changes of words, to be applied to any checksum that covers them.
class Delta {
 public:
  Delta() = default;
  explicit Delta(std::uint16_t folded) noexcept : sum_(folded) {}
  void replace(std::uint16_t before, std::uint16_t after) noexcept {
    sum_ += static_cast<std::uint16_t>(~before);
    sum_ += after;
  }
  void replace(std::uint32_t before, std::uint32_t after) noexcept { sum_ += Sum{~before} + after; }
  // `count` bytes, even, at an even offset of what is summed.
  void replace(const std::uint8_t* before, const std::uint8_t* after, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; i += 2) {
      std::uint16_t old_word;
      std::uint16_t new_word;
      std::memcpy(&old_word, before + i, 2);
      std::memcpy(&new_word, after + i, 2);
      replace(old_word, new_word);
    }
  }
  void add(const Delta& other) noexcept { sum_ += other.folded(); }
  [[nodiscard]] std::uint16_t folded() const noexcept { return fold(sum_); }
  // A checksum of what has changed.
  [[nodiscard]] std::uint16_t applied_to(std::uint16_t checksum) const noexcept {
    return static_cast<std::uint16_t>(~fold(Sum{static_cast<std::uint16_t>(~checksum)} + sum_));
  }
  // The change back.
  [[nodiscard]] Delta inverse() const noexcept { return Delta(static_cast<std::uint16_t>(~folded())); }

 private:
  Sum sum_ = 0;
};

inline void update(Be16& checksum, const Delta& delta) noexcept { checksum.set_raw(delta.applied_to(checksum.raw())); }

// UDP: zero means "none" over IPv4 and stays so; a computed zero is sent as 0xffff (RFC 768).
inline void update_udp(Be16& checksum, const Delta& delta) noexcept {
  if (checksum.raw() == 0) return;
  const std::uint16_t value = delta.applied_to(checksum.raw());
  checksum.set_raw(value == 0 ? 0xffffU : value);
}

// The pseudo header of RFC 9293 section 3.1 and RFC 8200 section 8.1. Address bytes: 4 or 16.
[[nodiscard]] inline Sum pseudo_header(std::span<const std::uint8_t> source, std::span<const std::uint8_t> destination,
                                       std::uint8_t protocol, std::uint32_t length) noexcept {
  return sum_words(source.data(), source.size()) + sum_words(destination.data(), destination.size()) +
         __builtin_bswap32(length) + (Sum{protocol} << 8U);
}

[[nodiscard]] inline std::uint16_t finish(Sum sum) noexcept { return static_cast<std::uint16_t>(~fold(sum)); }

}  // namespace sallyport::dataplane::wire
