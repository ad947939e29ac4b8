// ClientHellos for the tests, right or wrong in one place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport::classifier::names {

using Buffer = std::vector<std::uint8_t>;
using std::string_view_literals::operator""sv;

// Byte by byte: g++ 12 warns of std::vector's own memmove where insert is inlined.
inline void append(Buffer& to, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) to.push_back(byte);
}

inline void append_number(Buffer& to, std::size_t value, std::size_t length) {
  for (std::size_t shift = 8 * length; shift != 0; shift -= 8) {
    to.push_back(static_cast<std::uint8_t>(value >> (shift - 8) & 0xff));
  }
}

// A vector of RFC 8446 section 3.4 behind a length of `length_bytes`.
inline Buffer vector(std::size_t length_bytes, std::span<const std::uint8_t> content) {
  Buffer out;
  append_number(out, content.size(), length_bytes);
  append(out, content);
  return out;
}

inline Buffer text(std::string_view characters) { return {characters.begin(), characters.end()}; }

struct Extension {
  std::uint16_t type;
  Buffer content;
};

inline Buffer host_entry(std::string_view name, unsigned name_type = 0) {
  Buffer entry;
  append_number(entry, name_type, 1);
  append(entry, vector(2, text(name)));
  return entry;
}

inline Extension server_name(std::string_view name) { return {0, vector(2, host_entry(name))}; }
inline Extension grease(std::uint16_t type = 0x0a0a) { return {type, {}}; }
inline Extension key_share(std::size_t bytes) { return {51, Buffer(bytes, 0x5a)}; }
inline Extension encrypted_client_hello() { return {0xfe0d, Buffer(200, 0xec)}; }

struct Hello {
  Buffer session_id = Buffer(32, 0x11);
  Buffer cipher_suites = {0x1a, 0x1a, 0x13, 0x01, 0xc0, 0x2f};
  Buffer compression_methods = {0};
  std::vector<Extension> extensions;
  bool with_extensions = true;

  [[nodiscard]] Buffer body() const {
    Buffer out;
    append_number(out, 0x0303, 2);
    append(out, Buffer(32, 0x77));
    append(out, vector(1, session_id));
    append(out, vector(2, cipher_suites));
    append(out, vector(1, compression_methods));
    if (!with_extensions) return out;
    Buffer all;
    for (const Extension& extension : extensions) {
      append_number(all, extension.type, 2);
      append(all, vector(2, extension.content));
    }
    append(out, vector(2, all));
    return out;
  }

  [[nodiscard]] Buffer message() const {
    Buffer out{1};
    append(out, vector(3, body()));
    return out;
  }
};

inline Buffer record(std::span<const std::uint8_t> content, unsigned type = 22, unsigned version = 0x0301) {
  Buffer out;
  append_number(out, type, 1);
  append_number(out, version, 2);
  append(out, vector(2, content));
  return out;
}

// The message in records of at most `record_bytes`.
inline Buffer records(std::span<const std::uint8_t> message, std::size_t record_bytes) {
  Buffer out;
  for (std::size_t at = 0; at < message.size(); at += record_bytes) {
    append(out, record(message.subspan(at, std::min(record_bytes, message.size() - at))));
  }
  return out;
}

// What a browser sends: GREASE around, and a key share for post-quantum key exchange unless it is small.
inline Hello browser_hello(std::string_view name, std::size_t key_share_bytes = 1216, bool name_last = false) {
  Hello hello;
  hello.extensions = {
      grease(), key_share(key_share_bytes), {43, {2, 3, 4}}, {16, text("\x00\x03\x02h2"sv)}, grease(0xdada)};
  hello.extensions.insert(name_last ? hello.extensions.end() : hello.extensions.begin(), server_name(name));
  return hello;
}

}  // namespace sallyport::classifier::names
