// What the readers of both versions of HTTP ask of a piece of text.
#pragma once

#include <algorithm>
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
[[nodiscard]] inline bool is_token_character(char c) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return is_digit(c) || is_letter(c) || marks.find(c) != std::string_view::npos;
}
[[nodiscard]] inline bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

// As the registered methods are made (RFC 9110 section 16.1.1), known or not. Some servers make one of "get" and "GET",
// which are two (section 9.1), so there is only the latter.
[[nodiscard]] inline bool is_method(std::string_view text) noexcept {
  constexpr std::size_t bytes_max = 32;
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto joins = [&](char c) { return capital(c) || is_digit(c) || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= bytes_max && capital(text.front()) &&
         std::all_of(text.begin(), text.end(), joins);
}

// Is every "%" followed by two hexadecimal digits, and is no byte a "#"?
[[nodiscard]] inline bool is_clean_target(std::string_view target) noexcept {
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == '#') return false;
    if (target[i] == '%' && !(i + 2 < target.size() && is_hex(target[i + 1]) && is_hex(target[i + 2]))) return false;
  }
  return true;
}

// A name or address, with or without a port.
[[nodiscard]] inline bool is_authority(std::string_view text) noexcept {
  return !text.empty() && text.find_first_of("@/?# \t,") == std::string_view::npos;
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
