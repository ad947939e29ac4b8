// Follows the client's half of an HTTP/2 connection (RFC 9113): the preface, then frame by frame, with the header block
// of every stream.
//
// Before the first request little passes: the preface, and SETTINGS, their acknowledgement and WINDOW_UPDATE of the
// connection, of ahead_bytes_max in all; a client may wait for the server's SETTINGS before it asks. Whatever else may
// stand there is one step with the request behind it.
//
// Given bytes and answering as HttpFollower does. A header block, over its CONTINUATION frames, is one step, once it is
// whole; DATA and the payload of unknown frames need no look. A block that opens no new stream is of trailers. What RFC
// 9113 calls malformed is: pseudo-fields that are missing, doubled, misplaced or unknown, upper case, fields of a
// connection, a host beside another authority, CR or LF in a value. So are frames that are out of place or of a wrong
// size, as far as where requests begin and end depends on them.
#pragma once

#include <cstdint>
#include <span>

#include "classifier/names/hpack.h"
#include "classifier/names/http_follower.h"

namespace sallyport::classifier::names {

class Http2Follower {
 public:
  Http2Follower() = default;
  // `opened`: streams up to this one are open already: 1 where HTTP/1.1 was upgraded (RFC 7540 section 3.2).
  explicit Http2Follower(std::uint32_t opened) noexcept : last_stream_(opened), upgraded_(opened != 0) {}

  [[nodiscard]] HttpStep next(std::span<const std::uint8_t> stream, Inflater& inflater, FieldRoom& room,
                              RequestHead& head) noexcept;
  // Is this the beginning of a server's first frame?
  [[nodiscard]] static bool begins_server(std::span<const std::uint8_t> stream) noexcept;
  // Of the latest request.
  [[nodiscard]] std::uint32_t stream() const noexcept { return last_stream_; }

 private:
  struct Frame;

  [[nodiscard]] HttpStep next_ahead(std::span<const std::uint8_t> stream, Inflater& inflater, FieldRoom& room,
                                    RequestHead& head) noexcept;
  [[nodiscard]] bool passes_ahead(const Frame& frame) noexcept;
  [[nodiscard]] HttpStep next_block(const Frame& first, std::span<const std::uint8_t> stream, Inflater& inflater,
                                    FieldRoom& room, RequestHead& head) noexcept;

  std::uint32_t last_stream_ = 0;
  std::uint32_t ahead_bytes_ = 0;  // of frames that have passed before the first request
  bool preface_ = false;
  bool settings_ = false;
  bool upgraded_ = false;  // and no block has come since
};

}  // namespace sallyport::classifier::names
