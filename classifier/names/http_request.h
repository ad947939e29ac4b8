// The head of an HTTP/1.x request (RFC 9112 sections 2, 3 and 5): method, target and Host, for flow records.
//
// The parser is given the client's bytes from the first one on, as many as are there without a gap, and is called again
// when there are more; done with the empty line that ends the head. What does not begin with a request line of HTTP/1.x
// is not_this (HTTP/2 neither): by its first byte where that tells, at the latest with its first line. Two Host fields,
// a folded field, white space before a colon, a bare CR or a NUL: malformed. A line may end with LF alone; empty lines
// before the request are skipped (2.2). How long a head may be is for the caller to say, who holds it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/names/parse.h"

namespace sallyport::classifier::names {

// All point into the stream.
struct HttpRequest {
  std::string_view method;
  std::string_view target;  // as sent, in any of its forms
  std::string_view host;    // as sent, with the port where there is one
  bool has_host = false;
};

// How far the lines of a stream have been judged, so that a head in many small pieces costs linear time. Starts zeroed.
struct HttpProgress {
  std::uint32_t line = 0;      // offset of the first line not judged yet
  std::uint32_t searched = 0;  // up to here, no end of that line
  bool request_line_seen = false;
  bool host_seen = false;
};

[[nodiscard]] Parse parse_http_request(std::span<const std::uint8_t> stream, HttpProgress& progress,
                                       HttpRequest& request) noexcept;
[[nodiscard]] inline Parse parse_http_request(std::span<const std::uint8_t> stream, HttpRequest& request) noexcept {
  HttpProgress progress;
  return parse_http_request(stream, progress, request);
}

}  // namespace sallyport::classifier::names
