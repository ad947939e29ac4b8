// Addresses and prefixes as values.
//
// An address is sixteen bytes in network byte order and its family. IPv4 takes the first four bytes and leaves the
// others zero; an IPv4-mapped IPv6 address (::ffff:a.b.c.d) stays IPv6 and is never taken for the IPv4 one.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

enum class Family : std::uint8_t { v4 = 4, v6 = 6 };

[[nodiscard]] constexpr unsigned address_bits(Family family) noexcept { return family == Family::v4 ? 32U : 128U; }
[[nodiscard]] constexpr unsigned address_bytes(Family family) noexcept { return family == Family::v4 ? 4U : 16U; }

struct IpAddress {
  Family family = Family::v4;
  std::array<std::uint8_t, 16> bytes{};

  // The IPv4 address as a number in host byte order; only for v4.
  [[nodiscard]] static IpAddress from_v4(std::uint32_t host_order) noexcept;
  [[nodiscard]] static IpAddress from_bytes(Family family, const std::uint8_t* network_order) noexcept;
  [[nodiscard]] constexpr std::uint32_t to_v4() const noexcept {
    return __builtin_bswap32(static_cast<std::uint32_t>(words()[0]));
  }

  // In two words each: for arrays of bytes the compiler would call memcmp(), and every new flow compares many
  // addresses.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) noexcept {
    const auto left = a.words();
    const auto right = b.words();
    return a.family == b.family && ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
  }
  friend constexpr std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) noexcept {
    const auto left = a.words();
    const auto right = b.words();
    if (a.family != b.family) return a.family <=> b.family;
    if (left[0] != right[0]) return __builtin_bswap64(left[0]) <=> __builtin_bswap64(right[0]);
    return __builtin_bswap64(left[1]) <=> __builtin_bswap64(right[1]);
  }

 private:
  [[nodiscard]] constexpr std::array<std::uint64_t, 2> words() const noexcept {
    return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
  }
};

// A CIDR block. Canonical: bits behind the length are zero.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;  // bits, 0..address_bits(family)

  [[nodiscard]] bool contains(const IpAddress& candidate) const noexcept;
  [[nodiscard]] bool contains(const Prefix& inner) const noexcept;
  [[nodiscard]] IpAddress first() const noexcept { return address; }
  [[nodiscard]] IpAddress last() const noexcept;

  friend constexpr bool operator==(const Prefix&, const Prefix&) noexcept = default;
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) noexcept = default;
};

// Both ends included, one family, first <= last.
struct AddressRange {
  IpAddress first;
  IpAddress last;

  [[nodiscard]] constexpr bool contains(const IpAddress& candidate) const noexcept {
    return candidate.family == first.family && first <= candidate && candidate <= last;
  }
  friend constexpr bool operator==(const AddressRange&, const AddressRange&) noexcept = default;
};

struct ParsedPrefix {
  Prefix prefix;
  bool host_bits_cleared = false;  // the text had bits set behind the length
};

// Text forms of RFC 4291 section 2.2 and dotted quads without leading zeros; nothing else (no zone, no blanks).
[[nodiscard]] std::optional<IpAddress> parse_address(std::string_view text);
// "ADDRESS/LENGTH"; the length is required, decimal, without sign or leading zeros.
[[nodiscard]] std::optional<ParsedPrefix> parse_prefix(std::string_view text);
// A CIDR block, "FIRST-LAST", or one address.
[[nodiscard]] std::optional<AddressRange> parse_range(std::string_view text);

// Canonical text (RFC 5952 for IPv6).
[[nodiscard]] std::string to_string(const IpAddress& address);
[[nodiscard]] std::string to_string(const Prefix& prefix);

}  // namespace sallyport
