#include "config/document/deep_key.h"

#include <algorithm>
#include <cstddef>

#include "config/bounds.h"

namespace sallyport::config {
namespace {

bool is_bare(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Behind the key part, bare or quoted, at the start of `line`; 0: none starts there.
std::size_t part_end(std::string_view line) noexcept {
  if (line.front() == '"' || line.front() == '\'') {
    const char quote = line.front();
    std::size_t i = 1;
    while (i < line.size() && line[i] != quote) i += quote == '"' && line[i] == '\\' ? 2 : 1;
    return std::min(i + 1, line.size());
  }
  std::size_t i = 0;
  while (i < line.size() && is_bare(line[i])) ++i;
  return i;
}

// Parts of the longest dotted key of a line.
std::size_t most_parts(std::string_view line) noexcept {
  std::size_t most = 0;
  std::size_t run = 0;
  bool dot_before = false;
  while (!line.empty()) {
    if (const std::size_t end = part_end(line); end != 0) {
      run = dot_before ? run + 1 : 1;
      most = std::max(most, run);
      dot_before = false;
      line.remove_prefix(end);
      continue;
    }
    if (line.front() == '.' && run != 0 && !dot_before) {
      dot_before = true;
    } else if (line.front() != ' ' && line.front() != '\t') {
      run = 0;
      dot_before = false;
    }
    line.remove_prefix(1);
  }
  return most;
}

}  // namespace

std::uint32_t find_deep_key(std::string_view text) noexcept {
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (most_parts(text.substr(0, end)) > bounds::nesting) return line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

}  // namespace sallyport::config
