#include "config/address.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace sallyport {
namespace {

// inet_pton wants a terminated string; no address is longer than this.
constexpr std::size_t longest_address = INET6_ADDRSTRLEN - 1;

// Sets every bit behind `length` to `value`.
void fill_host_bits(IpAddress& address, unsigned length, bool value) noexcept {
  const unsigned bytes = address_bytes(address.family);
  for (unsigned i = length / 8; i < bytes; ++i) {
    const unsigned kept = i == length / 8 ? length % 8 : 0;
    const unsigned mask = 0xffU >> kept;
    const unsigned byte = address.bytes[i];
    address.bytes[i] = static_cast<std::uint8_t>(value ? byte | mask : byte & ~mask);
  }
}

bool same_leading_bits(const IpAddress& a, const IpAddress& b, unsigned length) noexcept {
  const unsigned whole = length / 8;
  if (std::memcmp(a.bytes.data(), b.bytes.data(), whole) != 0) return false;
  if (length % 8 == 0) return true;
  const unsigned difference = static_cast<unsigned>(a.bytes[whole]) ^ static_cast<unsigned>(b.bytes[whole]);
  return difference >> (8 - length % 8) == 0;
}

std::optional<std::uint8_t> parse_length(std::string_view text, Family family) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned length = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (status != std::errc() || end != text.data() + text.size() || length > address_bits(family)) return std::nullopt;
  return static_cast<std::uint8_t>(length);
}

}  // namespace

IpAddress IpAddress::from_v4(std::uint32_t host_order) noexcept {
  IpAddress address;
  for (unsigned i = 0; i < 4; ++i) address.bytes[i] = static_cast<std::uint8_t>(host_order >> (24U - 8U * i));
  return address;
}

IpAddress IpAddress::from_bytes(Family family, const std::uint8_t* network_order) noexcept {
  IpAddress address{family, {}};
  std::copy_n(network_order, address_bytes(family), address.bytes.begin());
  return address;
}

bool Prefix::contains(const IpAddress& candidate) const noexcept {
  return candidate.family == address.family && same_leading_bits(address, candidate, length);
}

bool Prefix::contains(const Prefix& inner) const noexcept { return inner.length >= length && contains(inner.address); }

IpAddress Prefix::last() const noexcept {
  IpAddress end = address;
  fill_host_bits(end, length, true);
  return end;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  if (text.empty() || text.size() > longest_address || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::array<char, longest_address + 1> terminated{};
  std::copy(text.begin(), text.end(), terminated.begin());
  IpAddress address;
  address.family = text.find(':') == std::string_view::npos ? Family::v4 : Family::v6;
  const int family = address.family == Family::v4 ? AF_INET : AF_INET6;
  if (inet_pton(family, terminated.data(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::optional<ParsedPrefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto length = parse_length(text.substr(slash + 1), address->family);
  if (!length) return std::nullopt;
  ParsedPrefix parsed{{*address, *length}, false};
  fill_host_bits(parsed.prefix.address, *length, false);
  parsed.host_bits_cleared = parsed.prefix.address != *address;
  return parsed;
}

std::optional<AddressRange> parse_range(std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    const auto parsed = parse_prefix(text);
    if (!parsed) return std::nullopt;
    return AddressRange{parsed->prefix.first(), parsed->prefix.last()};
  }
  const std::size_t dash = text.find('-');
  const auto first = parse_address(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_address(text.substr(dash + 1));
  if (!first || !last || first->family != last->family || *last < *first) return std::nullopt;
  return AddressRange{*first, *last};
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.family == Family::v4 ? AF_INET : AF_INET6;
  inet_ntop(family, address.bytes.data(), text.data(), text.size());
  return text.data();
}

std::string to_string(const Prefix& prefix) { return fmt::format("{}/{}", to_string(prefix.address), prefix.length); }

}  // namespace sallyport
