// Line by line, each judged once it is whole. Where the head came in pieces it is read a second time when its end is
// there, since what a request points to has to lie in the stream of the last call.
#include "classifier/names/http_request.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "classifier/names/http_text.h"
#include "classifier/names/reader.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::string_view version_prefix = "HTTP/1.";

[[nodiscard]] bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
// Visible, or a byte over 0x7f: what may stand in a target.
[[nodiscard]] bool is_graphic(char c) noexcept { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; }
[[nodiscard]] bool is_field_content(char c) noexcept { return is_graphic(c) || is_blank(c); }

[[nodiscard]] std::string_view take_token(std::string_view text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && is_token_character(text[length])) ++length;
  return text.substr(0, length);
}

// What an unfinished first line tells: its method, or an empty line, has to come first.
[[nodiscard]] Parse judge_start(std::string_view text) noexcept {
  if (text.empty() || text == "\r" || text.starts_with("\r\n") || text.front() == '\n') return Parse::need_more;
  const std::size_t method_bytes = take_token(text.substr(0, method_bytes_max + 1)).size();
  if (method_bytes == 0 || method_bytes > method_bytes_max) return Parse::not_this;
  return method_bytes == text.size() || text[method_bytes] == ' ' ? Parse::need_more : Parse::not_this;
}

[[nodiscard]] Parse read_request_line(std::string_view line, HttpRequest& request) noexcept {
  const std::string_view method = take_token(line);
  line.remove_prefix(method.size());
  if (method.empty() || method.size() > method_bytes_max || !line.starts_with(' ')) return Parse::not_this;
  line.remove_prefix(1);
  const auto target_end = std::find_if_not(line.begin(), line.end(), is_graphic);
  const std::string_view target = line.substr(0, static_cast<std::size_t>(target_end - line.begin()));
  line.remove_prefix(target.size());
  if (target.empty() || !line.starts_with(' ')) return Parse::not_this;
  line.remove_prefix(1);
  if (line.size() != version_prefix.size() + 1 || !line.starts_with(version_prefix) || !is_digit(line.back())) {
    return Parse::not_this;
  }
  request.method = method;
  request.target = target;
  return Parse::done;
}

[[nodiscard]] Parse read_field(std::string_view line, HttpProgress& progress, HttpRequest& request) noexcept {
  const std::string_view name = take_token(line);
  line.remove_prefix(name.size());
  if (name.empty() || !line.starts_with(':')) return Parse::malformed;
  line.remove_prefix(1);
  if (!std::all_of(line.begin(), line.end(), is_field_content)) return Parse::malformed;
  if (!same(name, "host")) return Parse::done;
  if (progress.host_seen) return Parse::malformed;
  progress.host_seen = true;
  request.host = trimmed(line);
  request.has_host = true;
  return Parse::done;
}

// Judges one whole line. need_more: the head goes on behind it.
[[nodiscard]] Parse read_line(std::string_view line, HttpProgress& progress, HttpRequest& request) noexcept {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return progress.request_line_seen ? Parse::done : Parse::need_more;
  const Parse parsed =
      progress.request_line_seen ? read_field(line, progress, request) : read_request_line(line, request);
  progress.request_line_seen = true;
  return parsed == Parse::done ? Parse::need_more : parsed;
}

[[nodiscard]] Parse read_head(std::string_view text, HttpProgress& progress, HttpRequest& request) noexcept {
  while (true) {
    const std::size_t end = text.find('\n', std::max(progress.line, progress.searched));
    if (end == std::string_view::npos) break;
    const Parse parsed = read_line(text.substr(progress.line, end - progress.line), progress, request);
    if (parsed != Parse::need_more) return parsed;
    progress.line = static_cast<std::uint32_t>(end + 1);
  }
  progress.searched = static_cast<std::uint32_t>(text.size());
  return progress.request_line_seen || progress.line > text.size() ? Parse::need_more
                                                                   : judge_start(text.substr(progress.line));
}

}  // namespace

Parse parse_http_request(Bytes stream, HttpProgress& progress, HttpRequest& request) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(stream.data()), stream.size());
  request = {};
  const bool in_pieces = progress.line != 0;
  Parse parsed = read_head(text, progress, request);
  if (parsed == Parse::done && in_pieces) {
    HttpProgress from_start;
    request = {};
    parsed = read_head(text, from_start, request);
  }
  if (parsed != Parse::done) request = {};
  return parsed;
}

}  // namespace sallyport::classifier::names
