// How a server of HTTP/1.x answers a request for another protocol, byte by byte: interim answers (RFC 9110
// section 15.2), then the head that counts. It is read loosely, as nothing it says is kept from the client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::classifier::names {

// Starts zeroed.
class HttpAnswer {
 public:
  // The next bytes, up to the end of the head that counts. How many that were.
  std::size_t take(std::span<const std::uint8_t> bytes) noexcept;
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  // Of the head that counts; 0: it is not HTTP/1.x.
  [[nodiscard]] unsigned status() const noexcept { return status_; }
  // Has it an Upgrade field, as what agrees to another protocol does (RFC 9110 section 15.2.2); is that HTTP/2?
  [[nodiscard]] bool names_protocol() const noexcept { return names_protocol_; }
  [[nodiscard]] bool names_h2c() const noexcept { return names_h2c_; }

 private:
  void end_line() noexcept;
  void read_status(std::string_view line) noexcept;

  std::array<char, 64> line_{};  // the first bytes of the present one
  std::uint32_t line_bytes_ = 0;
  std::uint16_t status_ = 0;
  bool in_fields_ = false;
  bool names_protocol_ = false;
  bool names_h2c_ = false;
  bool complete_ = false;
};

}  // namespace sallyport::classifier::names
