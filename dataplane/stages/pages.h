// Pages: what a client is told whose request is denied.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sallyport::dataplane {

inline constexpr std::string_view http1_page =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 20\r\nConnection: close\r\n\r\n"
    "traffic not allowed\n";

// The same in frames of HTTP/2 (RFC 9113): SETTINGS, where the server has said nothing yet; the answer on its stream,
// of gRPC the status PERMISSION_DENIED (7) with that message; GOAWAY. Its fields are literals that no table knows (RFC
// 7541 section 6.2.2), so it fits behind whatever the server has said.
class Http2Page {
 public:
  Http2Page(std::uint32_t stream, bool grpc, bool server_has_spoken) noexcept;
  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), count_}; }

 private:
  void put(std::string_view bytes) noexcept;
  void put_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) noexcept;

  std::array<char, 256> bytes_{};
  std::size_t count_ = 0;
};

}  // namespace sallyport::dataplane
