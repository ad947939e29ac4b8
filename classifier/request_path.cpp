#include "classifier/request_path.h"

#include <algorithm>

namespace sallyport::classifier {
namespace {

[[nodiscard]] int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

[[nodiscard]] char upper(char c) noexcept { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; }

// Bytes whose escapes mean something else than they do.
[[nodiscard]] bool parts_a_path(int byte) noexcept {
  return byte < 0x20 || byte == 0x7f || byte == '%' || byte == '/' || byte == '\\' || byte == ';' || byte == '?' ||
         byte == '#';
}

[[nodiscard]] std::size_t decode_strictly(std::string_view path, char* to) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < path.size();) {
    const int byte = path[i] == '%' ? unescape(path.substr(i)) : -1;
    if (byte < 0) {
      to[size++] = path[i++];
    } else if (parts_a_path(byte)) {
      const char high = path[i + 1], low = path[i + 2];
      to[size++] = '%';
      to[size++] = upper(high);
      to[size++] = upper(low);
      i += 3;
    } else {
      to[size++] = static_cast<char>(byte);
      i += 3;
    }
  }
  return size;
}

// An escape that comes out of decoding is decoded again: each step makes the text shorter, so this ends in linear time.
[[nodiscard]] std::size_t decode_wholly(std::string_view path, char* to) noexcept {
  std::size_t size = 0;
  for (const char c : path) {
    to[size++] = c;
    while (size >= 3 && to[size - 3] == '%') {
      const int byte = unescape({to + size - 3, 3});
      if (byte < 0) break;
      size -= 2;
      to[size - 1] = static_cast<char>(byte);
    }
  }
  std::replace(to, to + size, '\\', '/');
  return size;
}

// What a decoded "?" or "#" leaves of a path.
[[nodiscard]] std::size_t end_of_path(std::string_view text) noexcept {
  const auto ends = [](char c) { return c == '?' || c == '#'; };
  return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends) - text.begin());
}

// Is a segment "..", or that in front of what some server cuts off?
[[nodiscard]] bool goes_up(std::string_view text) noexcept {
  for (std::size_t at = text.find("/.."); at != std::string_view::npos; at = text.find("/..", at + 1)) {
    constexpr std::size_t size = 3;
    if (at + size == text.size() || std::string_view("/;?#").find(text[at + size]) != std::string_view::npos)
      return true;
  }
  return false;
}

// Cuts ";..." off every segment.
[[nodiscard]] std::size_t cut_parameters(char* text, std::size_t size) noexcept {
  std::size_t kept = 0;
  bool in_parameters = false;
  for (std::size_t i = 0; i < size; ++i) {
    in_parameters = text[i] != '/' && (in_parameters || text[i] == ';');
    if (!in_parameters) text[kept++] = text[i];
  }
  return kept;
}

[[nodiscard]] std::size_t merge_slashes(char* text, std::size_t size) noexcept {
  return static_cast<std::size_t>(std::unique(text, text + size, [](char a, char b) { return a == '/' && b == '/'; }) -
                                  text);
}

// RFC 3986 section 5.2.4, in place. The text begins with a slash; what is kept ends without one, until the last
// segment.
[[nodiscard]] std::size_t resolve_dots(char* text, std::size_t size) noexcept {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < size;) {
    std::size_t end = at + 1;  // segments are short: no call for each
    while (end < size && text[end] != '/') ++end;
    const std::string_view segment(text + at, end - at);  // with its slash
    const bool up = segment == "/..";
    if (up) kept = kept == 0 ? 0 : std::string_view(text, kept).rfind('/');
    if (up || segment == "/.") {
      if (end == size) text[kept++] = '/';
    } else {
      std::copy(segment.begin(), segment.end(), text + kept);
      kept += segment.size();
    }
    at = end;
  }
  return kept;
}

}  // namespace

int unescape(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_digit(text[1]);
  const int low = hex_digit(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::size_t read_path(std::string_view path, Reading reading, char* to) noexcept {
  if (!path.starts_with('/')) {
    std::copy(path.begin(), path.end(), to);
    return path.size();
  }
  if (reading == Reading::lenient) {
    const std::size_t size = end_of_path({to, decode_wholly(path, to)});
    return resolve_dots(to, merge_slashes(to, cut_parameters(to, size)));
  }
  const std::size_t size = decode_strictly(path, to);
  return merge_slashes(to, reading == Reading::literal ? size : resolve_dots(to, size));
}

bool is_unclear_path(std::string_view path, char* room) noexcept {
  if (!path.starts_with('/') || std::none_of(path.begin(), path.end(), is_moot)) return false;
  if (!goes_up({room, decode_wholly(path, room)})) return false;
  return std::any_of(room, room + decode_strictly(path, room), is_moot);
}

std::string read_path(std::string_view path, Reading reading) {
  std::string read(path.size(), '\0');
  read.resize(read_path(path, reading, read.data()));
  return read;
}

}  // namespace sallyport::classifier
