// What the readers of both versions of HTTP ask of a piece of text.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace sallyport::classifier::names {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
[[nodiscard]] constexpr bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// In any case.
[[nodiscard]] inline bool same(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}
[[nodiscard]] inline bool contains(std::string_view text, std::string_view wanted) noexcept {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                     [](char x, char y) { return lower(x) == lower(y); }) != text.end();
}

[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// RFC 9110 section 5.6.2.
inline constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    table[i] = is_digit(c) || is_letter(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  }
  return table;
}();
[[nodiscard]] inline bool is_token_character(char c) noexcept {
  return token_characters[static_cast<unsigned char>(c)];
}
[[nodiscard]] inline bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

// As the registered methods are made (RFC 9110 section 16.1.1), known or not. Some servers make one of "get" and "GET",
// which are two (section 9.1), so there is only the latter.
inline constexpr std::size_t method_bytes_max = 32;
[[nodiscard]] inline bool is_method(std::string_view text) noexcept {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto joins = [&](char c) { return capital(c) || is_digit(c) || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= method_bytes_max && capital(text.front()) &&
         std::all_of(text.begin(), text.end(), joins);
}

// The name of a field that some servers take for `wanted`, which it is not: CGI knows no "-" (RFC 3875 section 4.1.18).
[[nodiscard]] inline bool resembles(std::string_view name, std::string_view wanted) noexcept {
  const auto one = [](char c) { return c == '_' ? '-' : lower(c); };
  return !same(name, wanted) && std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                                           [&](char a, char b) { return one(a) == one(b); });
}

// Does a byte of a target part it, to some server? Blanks and controls; those of Latin-1, too, which are no part of a
// character in UTF-8 where a byte below 0x80 stands in front.
[[nodiscard]] inline bool parts_target(char before, char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f || ((byte == 0x85 || byte == 0xa0) && static_cast<unsigned char>(before) < 0x80);
}
// Is every "%" of the path followed by two hexadecimal digits, and is no byte a "#" or a blank?
[[nodiscard]] inline bool is_clean_target(std::string_view target) noexcept {
  const std::size_t path = std::min(target.find('?'), target.size());
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == '#' || parts_target(i == 0 ? '/' : target[i - 1], target[i])) return false;
    if (i < path && target[i] == '%' && !(i + 2 < path && is_hex(target[i + 1]) && is_hex(target[i + 2]))) return false;
  }
  return true;
}

// host or host:port (RFC 3986 section 3.2), the host a name, an IPv4 address or a bracketed IPv6 address.
[[nodiscard]] inline bool is_authority(std::string_view text) noexcept {
  if (text.empty() || text.find_first_of("@/?# \t,") != std::string_view::npos) return false;
  const std::size_t bracket = text.rfind(']');
  if ((text.front() == '[') != (bracket != std::string_view::npos)) return false;
  const std::string_view behind = text.substr(bracket == std::string_view::npos ? 0 : bracket + 1);
  const std::size_t colon = behind.find(':');
  if (bracket != std::string_view::npos && colon != 0 && !behind.empty()) return false;
  return colon == std::string_view::npos ||
         std::all_of(behind.begin() + static_cast<std::ptrdiff_t>(colon) + 1, behind.end(), is_digit);
}
// Its host: of host:port, or of [IPv6]:port, whose brackets stay.
[[nodiscard]] inline std::string_view host_of(std::string_view authority) noexcept {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? authority.substr(0, colon) : authority;
}
// Do both name one host, and one port if both have one? One that goes without saying may be left out.
[[nodiscard]] inline bool is_same_authority(std::string_view a, std::string_view b) noexcept {
  const bool ports = host_of(a).size() != a.size() && host_of(b).size() != b.size();
  return ports ? same(a, b) : same(host_of(a), host_of(b));
}

}  // namespace sallyport::classifier::names
