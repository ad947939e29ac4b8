#include "config/document/in_quotes.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/document/utf8.h"

namespace sallyport::config {
namespace {

constexpr std::size_t longest_shown = 80;  // bytes

bool is_control(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string shown = "\"";
  std::size_t i = 0;
  while (i < std::min(text.size(), longest_shown)) {
    const std::size_t length = utf8_sequence(text.substr(i));
    if (length == 0 || is_control(text[i])) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
      ++i;
    } else {
      shown += text.substr(i, length);
      i += length;
    }
  }
  shown += i < text.size() ? "...\"" : "\"";
  return shown;
}

}  // namespace sallyport::config
