// The head of an HTTP/1.x request that a verdict depends on (RFC 9112), read by libhttp-parser and held to the letter.
//
// What servers read differently is no request here but malformed, so that nobody can show the gateway one request and
// the server another: a bare LF or CR, a folded field, a blank before a colon, two Host fields or none in HTTP/1.1, a
// Host that is not that of an absolute target, a target of no known form or with a broken escape, Content-Length twice
// or beside Transfer-Encoding, a Transfer-Encoding that is not just "chunked", either of them in a head that a server
// of HTTP/1.0 reads otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/names/parse.h"

namespace sallyport::classifier::names {

// One header field; the name in any case, the value without the blanks around it.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};
inline constexpr std::size_t header_fields_max = 256;  // of one head; more are malformed

// All views point into the stream or, the fields themselves, into the room that was given.
struct RequestHead {
  enum class Body : std::uint8_t { none, counted, chunked };
  enum class Switch : std::uint8_t { none, upgrade, connect };  // what the server may turn the connection into

  std::string_view method;
  std::string_view target;  // path and query; "*"; empty for CONNECT
  std::string_view host;    // of the Host field, or of the target where that has one; empty: none
  std::span<const HeaderField> fields;
  Body body = Body::none;
  Switch becomes = Switch::none;
  std::uint64_t body_bytes = 0;  // of a counted body
  std::uint32_t bytes = 0;       // of the head, with the empty line behind it
};

// `searched`: how far an earlier call looked for the end of this head; starts at 0. not_this: the bytes do not begin as
// a request does, not even for a server that is not particular about blanks.
[[nodiscard]] Parse read_request_head(std::span<const std::uint8_t> stream, std::uint32_t& searched,
                                      std::span<HeaderField> room, RequestHead& head) noexcept;

}  // namespace sallyport::classifier::names
