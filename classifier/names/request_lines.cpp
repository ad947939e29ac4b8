#include "classifier/names/request_lines.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "classifier/names/http_text.h"

namespace sallyport::classifier::names {
namespace {

// Up to eight bytes, as the number that they make.
struct Mark {
  std::uint64_t number = 0;
  std::uint64_t mask = 0;
  std::size_t bytes = 0;

  constexpr explicit Mark(std::string_view text) noexcept : bytes(text.size()) {
    for (const char byte : text) {
      number = number << 8U | static_cast<std::uint8_t>(byte);
      mask = mask << 8U | 0xffU;
    }
  }
};

// A line's end and a method (RFC 9110 section 9.3, RFC 5789), as much of each as fits; the version behind any other
// method's target (RFC 9112 section 3). In small letters, as whoever reads loosely takes either.
constexpr std::array<Mark, 10> marks{Mark("\nget "),    Mark("\nhead "),   Mark("\npost "),   Mark("\nput "),
                                     Mark("\ndelete "), Mark("\nconnect"), Mark("\noptions"), Mark("\ntrace "),
                                     Mark("\npatch "),  Mark(" http/1.")};

// And any blank for another.
[[nodiscard]] std::uint8_t folded(std::uint8_t byte) noexcept {
  if (byte == '\t' || byte == '\v' || byte == '\f') return ' ';
  return static_cast<std::uint8_t>(lower(static_cast<char>(byte)));
}

}  // namespace

std::optional<std::size_t> RequestLines::watch(std::span<const std::uint8_t> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t byte = folded(bytes[i]);
    last_ = last_ << 8U | byte;
    if (byte != ' ' && byte != 't' && byte != 's' && byte != '.') continue;
    const auto* found =
        std::find_if(marks.begin(), marks.end(), [&](const Mark& m) { return (last_ & m.mask) == m.number; });
    if (found != marks.end()) return i + 1 - std::min(i + 1, found->bytes);
  }
  return std::nullopt;
}

}  // namespace sallyport::classifier::names
