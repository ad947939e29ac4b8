// Addresses as numbers, for sorting, counting and searching. An IPv4 address is its 32 bits, an IPv6 address its 128.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "config/address.h"

namespace sallyport::classifier {

__extension__ typedef unsigned __int128 Uint128;

[[nodiscard]] inline std::uint64_t big_endian_64(const std::uint8_t* bytes) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

[[nodiscard]] inline std::uint32_t v4_number(const IpAddress& address) noexcept {
  return static_cast<std::uint32_t>(big_endian_64(address.bytes.data()) >> 32U);
}

[[nodiscard]] inline Uint128 v6_number(const IpAddress& address) noexcept {
  return static_cast<Uint128>(big_endian_64(address.bytes.data())) << 64U | big_endian_64(address.bytes.data() + 8);
}

[[nodiscard]] inline Uint128 to_number(const IpAddress& address) noexcept {
  return address.family == Family::v4 ? v4_number(address) : v6_number(address);
}

[[nodiscard]] inline IpAddress to_address(Family family, Uint128 number) noexcept {
  IpAddress address;
  address.family = family;
  if (family == Family::v4) {
    const std::uint32_t bytes = __builtin_bswap32(static_cast<std::uint32_t>(number));
    std::memcpy(address.bytes.data(), &bytes, sizeof bytes);
  } else {
    const std::uint64_t high = __builtin_bswap64(static_cast<std::uint64_t>(number >> 64U));
    const std::uint64_t low = __builtin_bswap64(static_cast<std::uint64_t>(number));
    std::memcpy(address.bytes.data(), &high, sizeof high);
    std::memcpy(address.bytes.data() + sizeof high, &low, sizeof low);
  }
  return address;
}

[[nodiscard]] inline Uint128 first_number(const Prefix& prefix) noexcept { return to_number(prefix.address); }

// The highest number of a family: 2^32 - 1 or 2^128 - 1.
[[nodiscard]] constexpr Uint128 highest_number(Family family) noexcept {
  return family == Family::v4 ? Uint128{0xffff'ffffU} : ~Uint128{0};
}

// Number of addresses in the prefix, less one: 2^(bits - length) - 1, so that ::/0 fits, too.
[[nodiscard]] constexpr Uint128 span_of(const Prefix& prefix) noexcept {
  const unsigned host_bits = address_bits(prefix.address.family) - prefix.length;
  return host_bits == 128 ? ~Uint128{0} : (Uint128{1} << host_bits) - 1;
}

[[nodiscard]] inline Uint128 last_number(const Prefix& prefix) noexcept {
  return first_number(prefix) | span_of(prefix);
}

}  // namespace sallyport::classifier
