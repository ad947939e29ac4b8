#include "classifier/prefix_translation.h"

#include <algorithm>
#include <cstddef>

namespace sallyport::classifier {
namespace {

constexpr unsigned words = 8;

[[nodiscard]] std::uint16_t word(const IpAddress& address, std::size_t index) noexcept {
  return static_cast<std::uint16_t>(address.bytes[2 * index] << 8U | address.bytes[2 * index + 1]);
}

void set_word(IpAddress& address, std::size_t index, std::uint16_t value) noexcept {
  address.bytes[2 * index] = static_cast<std::uint8_t>(value >> 8U);
  address.bytes[2 * index + 1] = static_cast<std::uint8_t>(value);
}

// One's complement.
[[nodiscard]] std::uint16_t fold(std::uint32_t sum) noexcept {
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

[[nodiscard]] std::uint16_t sum_of(const IpAddress& address) noexcept {
  std::uint32_t sum = 0;
  for (unsigned i = 0; i < words; ++i) sum += word(address, i);
  return fold(sum);
}

// The word that takes up the difference; `words`: there is none.
[[nodiscard]] unsigned adjusted_word(const IpAddress& address, unsigned length) noexcept {
  if (length <= 48) return word(address, 3) == 0xffff ? words : 3;
  const auto* identifier = address.bytes.data() + 8;
  if (std::all_of(identifier, identifier + 8, [](std::uint8_t byte) { return byte == 0; })) return words;
  for (unsigned i = 4; i < words; ++i) {
    if (word(address, i) != 0xffff) return i;
  }
  return words;
}

[[nodiscard]] IpAddress moved(IpAddress address, const Prefix& to) noexcept {
  for (unsigned i = 0; i < address.bytes.size(); ++i) {
    const unsigned kept_bits = to.length > 8 * i ? std::min(8U, to.length - 8 * i) : 0;
    const auto mask = static_cast<std::uint8_t>(0xff00U >> kept_bits);
    address.bytes[i] = static_cast<std::uint8_t>((to.address.bytes[i] & mask) | (address.bytes[i] & ~mask));
  }
  return address;
}

}  // namespace

std::optional<IpAddress> PrefixTranslation::translate(const IpAddress& address, const Prefix& from,
                                                      const Prefix& to) noexcept {
  if (!from.contains(address)) return std::nullopt;
  const unsigned place = adjusted_word(address, from.length);
  if (place == words) return std::nullopt;
  IpAddress result = moved(address, to);
  const std::uint32_t difference = std::uint32_t{sum_of(address)} + (~std::uint32_t{sum_of(result)} & 0xffffU);
  const std::uint16_t adjusted = fold(word(result, place) + difference);
  set_word(result, place, adjusted == 0xffff ? 0 : adjusted);
  return result;
}

}  // namespace sallyport::classifier
