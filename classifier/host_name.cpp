#include "classifier/host_name.h"

#include <bit>
#include <utility>

#include "classifier/name_bytes.h"

namespace sallyport::classifier {
namespace {

// Of every label 1 to 63 bytes, in a name of `size` bytes whose dots these are?
[[nodiscard]] bool labels_fit(const ByteMask& dots, std::size_t size) noexcept {
  std::size_t start = 0;
  for (std::size_t word = 0; word * 64 < size; ++word) {
    for (std::uint64_t left = dots[word]; left != 0; left &= left - 1) {
      const std::size_t dot = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      if (dot == start || dot - start > HostName::label_bytes_max) return false;
      start = dot + 1;
    }
  }
  return size > start && size - start <= HostName::label_bytes_max;
}

// Four labels of digits: what inet_aton would take for an address, and no top-level domain is a number (RFC 3696
// section 2).
[[nodiscard]] bool is_ipv4_literal(const ByteMask& dots, bool digits_alone) noexcept {
  if (!digits_alone) return false;
  int count = 0;
  for (const std::uint64_t word : dots) count += std::popcount(word);
  return count == 3;
}

}  // namespace

// Made where the caller wants it, which takes one variable for every return.
std::optional<HostName> normalise(std::string_view shown) noexcept {
  std::optional<HostName> made(std::in_place);
  if (!shown.empty() && shown.back() == '.') shown.remove_suffix(1);
  if (shown.empty() || shown.size() > HostName::bytes_max || !made->read(shown)) made.reset();
  return made;
}

// `shown` has 1 to bytes_max bytes. False: it is no name.
bool HostName::read(std::string_view shown) noexcept {
  ByteMask dots{};
  unsigned refused = 0;
  unsigned no_digits = 0;
  for_each_sixteen(shown, [&](std::size_t at, __m128i bytes) {
    const __m128i capitals = lanes_within(bytes, 'A', 26);
    const __m128i lower = _mm_or_si128(bytes, _mm_and_si128(capitals, _mm_set1_epi8('a' - 'A')));
    const unsigned dot = bits_of(lanes_with(bytes, '.'));
    const unsigned digit = bits_of(lanes_within(bytes, '0', 10));
    const __m128i marks = _mm_or_si128(lanes_with(bytes, '-'), lanes_with(bytes, '_'));
    const unsigned other = bits_of(_mm_or_si128(lanes_within(lower, 'a', 26), marks));
    refused |= ~(dot | digit | other);
    no_digits |= other;
    add_bits(dots, at, dot);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes_.data() + at), lower);
  });
  size_ = static_cast<std::uint8_t>(shown.size());
  const unsigned meant = shown.size() < 16 ? (1U << shown.size()) - 1 : 0xffffU;
  return (refused & meant) == 0 && labels_fit(dots, shown.size()) && !is_ipv4_literal(dots, no_digits == 0);
}

std::optional<HostName> normalise_host(std::string_view host) noexcept {
  const std::size_t colon = host.find(':');
  if (colon == std::string_view::npos) return normalise(host);
  const std::string_view port = host.substr(colon + 1);
  if (port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return normalise(host.substr(0, colon));
}

}  // namespace sallyport::classifier
