// How a server of HTTP/1.x answers a request for another protocol, byte by byte: interim answers (RFC 9110
// section 15.2), then the head that counts. It is read loosely, as nothing it says is kept from the client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport::classifier::names {

// Starts zeroed.
class HttpAnswer {
 public:
  // The next bytes, up to the end of the head that counts. How many that were.
  std::size_t take(std::span<const std::uint8_t> bytes) noexcept;
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  [[nodiscard]] bool begun() const noexcept { return in_fields_ || line_bytes_ != 0 || complete_; }
  // Of the head that counts; 0: it is not HTTP/1.x.
  [[nodiscard]] unsigned status() const noexcept { return status_; }
  // Has it an Upgrade field, as what agrees to another protocol does (RFC 9110 section 15.2.2); is that HTTP/2?
  [[nodiscard]] bool names_protocol() const noexcept { return names_protocol_; }
  [[nodiscard]] bool names_h2c() const noexcept { return names_h2c_; }
  // How much behind the head is of this answer, where the head alone tells and whoever reads it would say the same
  // (RFC 9112 section 6.3); or is that in chunks? Not of an answer to HEAD or CONNECT.
  [[nodiscard]] std::optional<std::uint64_t> body_bytes() const noexcept;
  [[nodiscard]] bool is_chunked() const noexcept;
  // Does it name no body, as an agreement to CONNECT may not (RFC 9110 section 9.3.6)?
  [[nodiscard]] bool names_no_body() const noexcept { return !obscure_ && !chunked_ && length_ == 0; }

 private:
  void end_line() noexcept;
  void read_status(std::string_view line) noexcept;
  void read_length(std::string_view value) noexcept;
  void read_coding(std::string_view rest) noexcept;

  std::array<char, 64> line_{};  // the first bytes of the present one
  std::uint32_t line_bytes_ = 0;
  std::uint64_t length_ = 0;
  std::uint16_t status_ = 0;
  bool in_fields_ = false;
  bool names_protocol_ = false;
  bool names_h2c_ = false;
  bool counted_ = false;
  bool chunked_ = false;
  bool of_1_0_ = false;   // whose readers know of no chunks
  bool obscure_ = false;  // another transfer coding, two lengths, or none that is a number
  bool complete_ = false;
};

// Through the chunks of an answer (RFC 9112 section 7.1), byte by byte. What readers may take for different things is
// broken. Starts zeroed: there are none.
class AnswerChunks {
 public:
  void begin() noexcept {
    state_ = State::size;
    digits_ = 0;
    length_ = 0;
  }
  // Is more to come of them?
  [[nodiscard]] bool open() const noexcept { return state_ != State::closed && state_ != State::broken; }
  [[nodiscard]] bool broken() const noexcept { return state_ == State::broken; }
  // The next bytes, up to a chunk's data, of which there are `data` bytes then, or to the end of all. How many that
  // were.
  std::size_t take(std::span<const std::uint8_t> bytes, std::uint64_t& data) noexcept;

 private:
  enum class State : std::uint8_t {
    closed,
    size,
    extension,
    size_end,
    data_end,
    data_line_end,
    trailers,
    trailer,
    trailer_end,
    last_end,
    broken,
  };
  [[nodiscard]] State next(std::uint8_t byte) noexcept;
  [[nodiscard]] State next_of_size(std::uint8_t byte) noexcept;

  State state_ = State::closed;
  std::uint8_t digits_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace sallyport::classifier::names
