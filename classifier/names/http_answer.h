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
  // (RFC 9112 section 6.3). Not of an answer to HEAD or CONNECT.
  [[nodiscard]] std::optional<std::uint64_t> body_bytes() const noexcept;
  // Does it name no body, as an agreement to CONNECT may not (RFC 9110 section 9.3.6)?
  [[nodiscard]] bool names_no_body() const noexcept { return !obscure_ && length_ == 0; }

 private:
  void end_line() noexcept;
  void read_status(std::string_view line) noexcept;
  void read_length(std::string_view value) noexcept;

  std::array<char, 64> line_{};  // the first bytes of the present one
  std::uint32_t line_bytes_ = 0;
  std::uint64_t length_ = 0;
  std::uint16_t status_ = 0;
  bool in_fields_ = false;
  bool names_protocol_ = false;
  bool names_h2c_ = false;
  bool counted_ = false;
  bool obscure_ = false;  // a transfer coding, two lengths, or none that is a number
  bool complete_ = false;
};

}  // namespace sallyport::classifier::names
