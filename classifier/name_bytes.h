// The bytes of a host name, sixteen at a time. SSE2, which every x86-64 has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <immintrin.h>

namespace sallyport::classifier {

template <typename Word>
[[nodiscard]] inline Word load(const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// A bit for each byte of a text of up to 256 bytes: byte i is bit i % 64 of word i / 64.
using ByteMask = std::array<std::uint64_t, 4>;

// `bits` are those of the bytes from `at` on, at <= 240.
inline void add_bits(ByteMask& mask, std::size_t at, unsigned bits) noexcept {
  const std::size_t word = at / 64;
  const unsigned shift = at % 64;
  mask[word] |= std::uint64_t{bits} << shift;
  if (shift > 48) mask[word + 1] |= std::uint64_t{bits} >> (64 - shift);
}

// The first 16 bytes of a text of fewer, with zeros behind it.
[[nodiscard]] inline __m128i load_short(std::string_view text) noexcept {
  constexpr std::size_t half = sizeof(std::uint64_t);
  const auto both = [](std::uint64_t low, std::uint64_t high) {
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
  };
  if (text.size() < half) {
    std::uint64_t low = 0;
    std::memcpy(&low, text.data(), text.size());
    return both(low, 0);
  }
  // The eight that end the text, less those of the first eight among them.
  const std::uint64_t last = load<std::uint64_t>(text.data() + text.size() - half);
  return both(load<std::uint64_t>(text.data()), last >> (8 * (2 * half - 1 - text.size())) >> 8U);
}

// Calls take(at, bytes) with every byte of the text in some sixteen that begin at `at`: of a text of 16 or more with
// none behind it, and the last of them may hold bytes that the ones before held.
template <typename Take>
inline void for_each_sixteen(std::string_view text, Take&& take) noexcept {
  constexpr std::size_t step = 16;
  if (text.size() < step) {
    take(std::size_t{0}, load_short(text));
    return;
  }
  const auto at_once = [&](std::size_t at) {
    take(at, _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at)));
  };
  for (std::size_t at = 0; at + step < text.size(); at += step) at_once(at);
  at_once(text.size() - step);
}

[[nodiscard]] inline unsigned bits_of(__m128i lanes) noexcept {
  return static_cast<unsigned>(_mm_movemask_epi8(lanes));
}
[[nodiscard]] inline __m128i lanes_with(__m128i bytes, char wanted) noexcept {
  return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted));
}
// The lanes whose byte is one of the `count` from `first` on.
[[nodiscard]] inline __m128i lanes_within(__m128i bytes, char first, unsigned count) noexcept {
  const __m128i distance = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(static_cast<char>(count - 1))), distance);
}

}  // namespace sallyport::classifier
