// Frames of HTTP/2 and header blocks as clients make them, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::classifier::names {

using Field = std::pair<std::string, std::string>;

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string made;
  for (const unsigned shift : {16U, 8U, 0U}) made += static_cast<char>(payload.size() >> shift);
  made += static_cast<char>(type);
  made += static_cast<char>(flags);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) made += static_cast<char>(stream >> shift);
  return made + std::string(payload);
}

// RFC 7541 section 5.1, under `bits` of prefix.
inline std::string number(std::uint8_t pattern, unsigned bits, std::size_t value) {
  const std::size_t most = (1U << bits) - 1;
  if (value < most) return {static_cast<char>(pattern | value)};
  std::string made{static_cast<char>(pattern | most)};
  for (value -= most; value >= 128; value >>= 7U) made += static_cast<char>(0x80U | (value & 0x7fU));
  return made + static_cast<char>(value);
}
inline std::string string_literal(std::string_view bytes) { return number(0, 7, bytes.size()) + std::string(bytes); }

// Literals, which `indexed` keeps in the dynamic table (section 6.2.1).
inline std::string block(const std::vector<Field>& fields, bool indexed = false) {
  std::string made;
  for (const auto& [name, value] : fields)
    made += (indexed ? '\x40' : '\0') + string_literal(name) + string_literal(value);
  return made;
}

inline std::vector<Field> request(std::string_view method, std::string_view path, std::string_view authority) {
  return {{":method", std::string(method)},
          {":scheme", "http"},
          {":path", std::string(path)},
          {":authority", std::string(authority)}};
}

inline constexpr std::uint8_t end_stream_flag = 1, end_headers_flag = 4;
inline std::string headers(std::uint32_t stream, const std::vector<Field>& fields, std::uint8_t flags = 5) {
  return frame(1, flags, stream, block(fields));
}
inline const std::string preface_and_settings = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "");

}  // namespace sallyport::classifier::names
