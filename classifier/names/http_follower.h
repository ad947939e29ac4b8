// Follows the client's half of an HTTP/1.x connection from request to request (RFC 9112): where each head lies, and
// which bytes between are of a body and need no look.
//
// It is given the bytes from the first one on that it has not consumed, as many as are there without a gap, and answers
// one step at a time. However the stream is cut, the steps are the same.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/names/http_head.h"
#include "classifier/names/parse.h"

namespace sallyport::classifier::names {

struct HttpStep {
  enum class What : std::uint8_t {
    need_more,  // nothing consumed
    request,    // a head: `head` says what is asked for; to be decided before the bytes go on
    framing,    // a chunk's length, the end of a chunk, trailers, an empty line in front of a request
    not_http,   // the first request is none
    http2,      // the first request is the preface of HTTP/2 (http2_follower.h); nothing consumed
    malformed,
    too_large,
  };
  What what = What::need_more;
  std::uint32_t bytes = 0;  // consumed
  std::uint64_t skip = 0;   // bytes behind them that are of the body
};

// The first bytes of a client that knows of a server of HTTP/2 (RFC 9113 section 3.4).
inline constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
[[nodiscard]] Parse read_http2_preface(std::span<const std::uint8_t> stream) noexcept;

// The first bytes of another protocol than HTTP, which was agreed on. Would a server that reads on as if it had not
// been see a request there, or what it passes over in front of one? framing: that, which is no part of an answer yet;
// request: it would; malformed: some servers would, where RFC 9112 knows none; need_more; not_http. `in_tunnel`: of any
// method, which the whole first line tells, however long; elsewhere of a registered one, since what a user types waits
// for no line's end.
[[nodiscard]] HttpStep look_for_request(std::span<const std::uint8_t> stream, bool in_tunnel) noexcept;

class HttpFollower {
 public:
  [[nodiscard]] HttpStep next(std::span<const std::uint8_t> stream, std::span<HeaderField> room,
                              RequestHead& head) noexcept;
  // Requests consumed.
  [[nodiscard]] std::uint32_t requests() const noexcept { return requests_; }
  // Is more to come of the chunks of the latest one?
  [[nodiscard]] bool in_chunks() const noexcept { return part_ != Part::head; }

 private:
  enum class Part : std::uint8_t { head, chunk_length, chunk_end, trailers };

  [[nodiscard]] HttpStep next_head(std::span<const std::uint8_t> stream, std::span<HeaderField> room,
                                   RequestHead& head) noexcept;
  [[nodiscard]] HttpStep next_chunk(std::span<const std::uint8_t> stream) noexcept;
  [[nodiscard]] HttpStep chunk_end(std::span<const std::uint8_t> stream) noexcept;
  [[nodiscard]] HttpStep next_trailer(std::span<const std::uint8_t> stream) noexcept;

  std::uint32_t searched_ = 0;
  std::uint32_t requests_ = 0;
  Part part_ = Part::head;
  std::uint8_t empty_lines_ = 0;  // before the first request
};

}  // namespace sallyport::classifier::names
