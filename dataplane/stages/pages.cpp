#include "dataplane/stages/pages.h"

#include <algorithm>

namespace sallyport::dataplane {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t data = 0, headers = 1, settings = 4, goaway = 7;
constexpr std::uint8_t end_stream = 1, end_headers = 4;

// RFC 7541 appendix A: :status is 8, content-length 28, content-type 31; 0x88 is ":status: 200" whole.
constexpr auto forbidden =
    "\x08\x03"
    "403"
    "\x0f\x10\x0a"
    "text/plain"
    "\x0f\x0d\x02"
    "20"sv;
constexpr auto permission_denied =
    "\x88"
    "\x0f\x10\x10"
    "application/grpc"
    "\0\x0b"
    "grpc-status"
    "\x01"
    "7"
    "\0\x0c"
    "grpc-message"
    "\x13"
    "traffic not allowed"sv;

[[nodiscard]] std::array<char, 4> big_endian(std::uint32_t value) noexcept {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}

}  // namespace

Http2Page::Http2Page(std::uint32_t stream, bool grpc, bool server_has_spoken) noexcept {
  if (!server_has_spoken) put_frame(settings, 0, 0, {});
  if (grpc) {
    put_frame(headers, end_headers | end_stream, stream, permission_denied);
  } else {
    put_frame(headers, end_headers, stream, forbidden);
    put_frame(data, end_stream, stream, "traffic not allowed\n");
  }
  // Nothing behind this stream was looked at; NO_ERROR.
  std::array<char, 8> last{};
  std::ranges::copy(big_endian(stream), last.begin());
  put_frame(goaway, 0, 0, {last.data(), last.size()});
}

void Http2Page::put(std::string_view bytes) noexcept {
  std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(count_));
  count_ += bytes.size();
}

void Http2Page::put_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                          std::string_view payload) noexcept {
  const auto length = big_endian(static_cast<std::uint32_t>(payload.size()));
  const std::array<char, 2> kind{static_cast<char>(type), static_cast<char>(flags)};
  const auto number = big_endian(stream);
  put({length.data() + 1, 3});
  put({kind.data(), kind.size()});
  put({number.data(), number.size()});
  put(payload);
}

}  // namespace sallyport::dataplane
