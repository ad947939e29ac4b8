#include "classifier/names/http_follower.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "classifier/names/http_text.h"
#include "classifier/names/reader.h"

namespace sallyport::classifier::names {
namespace {

using What = HttpStep::What;

constexpr std::size_t line_bytes_max = 1024;  // of a chunk's length with its extensions; of a trailer
constexpr unsigned empty_lines_max = 4;       // RFC 9112 section 2.2 asks for one
constexpr HttpStep broken{What::malformed, 0, 0};

[[nodiscard]] std::string_view text_of(Bytes stream) noexcept {
  return {reinterpret_cast<const char*>(stream.data()), stream.size()};
}

// A line with CR LF behind it, without that. need_more: it is unfinished.
[[nodiscard]] Parse take_line(Bytes stream, std::string_view& line) noexcept {
  const std::string_view text = text_of(stream).substr(0, line_bytes_max);
  const std::size_t end = text.find_first_of("\r\n");
  if (end == std::string_view::npos) return text.size() == line_bytes_max ? Parse::malformed : Parse::need_more;
  if (text[end] == '\n') return Parse::malformed;
  if (end + 1 == text.size()) return text.size() == line_bytes_max ? Parse::malformed : Parse::need_more;
  if (text[end + 1] != '\n') return Parse::malformed;
  line = text.substr(0, end);
  const auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  return std::any_of(line.begin(), line.end(), control) ? Parse::malformed : Parse::done;
}

}  // namespace

Parse read_http2_preface(Bytes stream) noexcept {
  const std::string_view text = text_of(stream).substr(0, http2_preface.size());
  if (!http2_preface.starts_with(text)) return Parse::not_this;
  return text.size() == http2_preface.size() ? Parse::done : Parse::need_more;
}

namespace {

// What servers that read loosely take for the blanks around the parts of a first line (RFC 9112 section 3), and skip in
// front of it.
constexpr std::string_view blanks = " \t\v\f";
[[nodiscard]] bool is_skipped(char c) noexcept {
  return c == '\0' || c == '\r' || c == '\n' || blanks.find(c) != std::string_view::npos;
}
[[nodiscard]] bool is_blank(char c) noexcept { return blanks.find(c) != std::string_view::npos; }

// Behind its method, a whole line without a version: may that be a target to a server of HTTP/0.9?
[[nodiscard]] bool is_simple_request(std::string_view rest) noexcept {
  while (!rest.empty() && is_skipped(rest.back())) rest.remove_suffix(1);
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  const bool one_word = std::none_of(rest.begin(), rest.end(), is_blank);
  return one_word && (rest.starts_with('/') || rest.find("://") != std::string_view::npos);
}

// A line of a word, a blank and more, with a version of HTTP at its end.
[[nodiscard]] What judge_first_line(std::string_view text) noexcept {
  const auto* const start = std::find_if_not(text.begin(), text.end(), is_skipped);
  const std::string_view rest = text.substr(static_cast<std::size_t>(start - text.begin()));
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  const auto* const word_end = std::find_if(line.begin(), line.end(), is_blank);
  const std::string_view word = line.substr(0, static_cast<std::size_t>(word_end - line.begin()));
  const bool whole = word.size() == line.size();
  const std::string_view name = whole && word.ends_with('\r') ? word.substr(0, word.size() - 1) : word;
  if (!std::all_of(name.begin(), name.end(), is_token_character)) return What::not_http;
  constexpr std::string_view version = "http/";
  for (std::size_t at = word.size() + 1; at + version.size() <= line.size(); ++at)
    if (is_blank(line[at - 1]) && same(line.substr(at, version.size()), version))
      return line.data() == text.data() && line[word.size()] == ' ' ? What::request : What::malformed;
  if (end == rest.size()) return What::need_more;
  return is_simple_request(line.substr(word.size())) ? What::malformed : What::not_http;
}

// The registered methods (RFC 9110 section 16.1.1), and the preface of HTTP/2: what a server that has other methods
// takes as well.
constexpr std::array<std::string_view, 40> methods{"GET",
                                                   "HEAD",
                                                   "POST",
                                                   "PUT",
                                                   "DELETE",
                                                   "CONNECT",
                                                   "OPTIONS",
                                                   "TRACE",
                                                   "PATCH",
                                                   "PRI",
                                                   "ACL",
                                                   "BIND",
                                                   "CHECKIN",
                                                   "CHECKOUT",
                                                   "BASELINE-CONTROL",
                                                   "COPY",
                                                   "LABEL",
                                                   "LINK",
                                                   "LOCK",
                                                   "MERGE",
                                                   "MKACTIVITY",
                                                   "MKCALENDAR",
                                                   "MKCOL",
                                                   "MKREDIRECTREF",
                                                   "MKWORKSPACE",
                                                   "MOVE",
                                                   "ORDERPATCH",
                                                   "PROPFIND",
                                                   "PROPPATCH",
                                                   "QUERY",
                                                   "REBIND",
                                                   "REPORT",
                                                   "SEARCH",
                                                   "UNBIND",
                                                   "UNCHECKOUT",
                                                   "UNLINK",
                                                   "UNLOCK",
                                                   "UPDATE",
                                                   "UPDATEREDIRECTREF",
                                                   "VERSION-CONTROL"};

// Does it begin with one of these, and a blank? need_more: it may.
[[nodiscard]] What judge_method(std::string_view text) noexcept {
  What what = What::not_http;
  for (const std::string_view method : methods) {
    if (method.starts_with(text)) what = What::need_more;
    if (text.size() > method.size() && text.starts_with(method) && is_blank(text[method.size()]))
      return text[method.size()] == ' ' ? What::request : What::malformed;
  }
  return what;
}

// "05 n" and n ways to log in (RFC 1928), which are controls all. What stands behind them does not matter: a greeting
// that has come is not taken back.
[[nodiscard]] bool greets_socks(std::string_view text) noexcept {
  constexpr char version = 5, password = 2;
  const std::size_t ways = text.size() < 2 ? 0 : static_cast<unsigned char>(text[1]);
  if (ways == 0 || text[0] != version || text.size() < 2 + ways) return false;
  const std::string_view asked = text.substr(2, ways);
  return std::all_of(asked.begin(), asked.end(), [](char c) { return c >= 0 && c <= password; });
}

// Controls in front of a request are nothing to some servers (Netty), and the beginning of other protocols. Are they in
// front of one?
[[nodiscard]] What judge_behind_controls(std::string_view text) noexcept {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  const auto* const start = std::find_if_not(text.begin(), text.end(), [&](char c) { return control(c) || c == ' '; });
  const std::string_view front = text.substr(0, static_cast<std::size_t>(start - text.begin()));
  const bool tls = text.size() > 1 && text[0] == 0x16 && static_cast<unsigned char>(text[1]) < 0x10;
  if (front.empty() || front.front() == ' ' || tls || greets_socks(text)) return What::not_http;
  return judge_method(text.substr(front.size()));
}

}  // namespace

HttpStep look_for_request(Bytes stream, bool in_tunnel) noexcept {
  const std::string_view text = text_of(stream);
  // In a tunnel a whole line is read, and says whether any of this is one in front of a request.
  const auto nothing = [&](char c) { return in_tunnel ? c == '\r' || c == '\n' : is_skipped(c); };
  const auto empty = std::find_if_not(text.begin(), text.end(), nothing) - text.begin();
  if (empty != 0) return {What::framing, static_cast<std::uint32_t>(empty), 0};
  const What method = judge_method(text);
  if (method != What::not_http) return {method, 0, 0};
  if (const What behind = judge_behind_controls(text); behind != What::not_http)
    return {behind == What::request ? What::malformed : behind, 0, 0};
  return {in_tunnel ? judge_first_line(text) : What::not_http, 0, 0};
}

HttpStep HttpFollower::next(Bytes stream, std::span<HeaderField> room, RequestHead& head) noexcept {
  if (stream.empty()) return {};
  switch (part_) {
    case Part::head:
      return next_head(stream, room, head);
    case Part::chunk_length:
      return next_chunk(stream);
    case Part::chunk_end:
      return chunk_end(stream);
    case Part::trailers:
      break;
  }
  return next_trailer(stream);
}

HttpStep HttpFollower::next_head(Bytes stream, std::span<HeaderField> room, RequestHead& head) noexcept {
  // RFC 9112 section 2.2: an empty line in front of a request is nothing.
  if (stream[0] == '\r' && (stream.size() == 1 || stream[1] == '\n')) {
    if (stream.size() == 1) return {};
    if (requests_ == 0 && ++empty_lines_ > empty_lines_max) return broken;
    return {What::framing, 2, 0};
  }
  const bool begins = requests_ == 0 && empty_lines_ == 0;
  if (begins) {
    const Parse preface = read_http2_preface(stream);
    if (preface != Parse::not_this) return preface == Parse::done ? HttpStep{What::http2, 0, 0} : HttpStep{};
    if (const What what = judge_behind_controls(text_of(stream)); what != What::not_http)
      return what == What::need_more ? HttpStep{} : broken;
  }
  switch (read_request_head(stream, searched_, room, head)) {
    case Parse::need_more:
      return {};
    case Parse::not_this:
      return begins ? HttpStep{What::not_http, 0, 0} : broken;
    case Parse::malformed:
    case Parse::too_large:
      return broken;
    case Parse::done:
      break;
  }
  searched_ = 0;
  ++requests_;
  if (head.body == RequestHead::Body::chunked) part_ = Part::chunk_length;
  return {What::request, head.bytes, head.body_bytes};
}

// RFC 9112 section 7.1: hexadecimal digits, and extensions that nobody needs but may send.
HttpStep HttpFollower::next_chunk(Bytes stream) noexcept {
  std::string_view line;
  const Parse parsed = take_line(stream, line);
  if (parsed != Parse::done) return parsed == Parse::need_more ? HttpStep{} : broken;
  const std::string_view digits = line.substr(0, line.find_first_of("; \t"));
  std::uint64_t length = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length, 16);
  if (digits.empty() || digits.size() > 15 || error != std::errc{} || stop != digits.data() + digits.size())
    return broken;
  std::string_view extension = line.substr(digits.size());
  while (extension.starts_with(' ') || extension.starts_with('\t')) extension.remove_prefix(1);
  if (!extension.empty() && !extension.starts_with(';')) return broken;
  part_ = length == 0 ? Part::trailers : Part::chunk_end;
  return {What::framing, static_cast<std::uint32_t>(line.size() + 2), length};
}

HttpStep HttpFollower::chunk_end(Bytes stream) noexcept {
  const std::string_view text = text_of(stream);
  if (text[0] != '\r' || (text.size() > 1 && text[1] != '\n')) return broken;
  if (text.size() == 1) return {};
  part_ = Part::chunk_length;
  return {What::framing, 2, 0};
}

HttpStep HttpFollower::next_trailer(Bytes stream) noexcept {
  std::string_view line;
  const Parse parsed = take_line(stream, line);
  if (parsed != Parse::done) return parsed == Parse::need_more ? HttpStep{} : broken;
  const std::size_t colon = line.find(':');
  if (line.empty()) {
    part_ = Part::head;
  } else if (colon == 0 || colon == std::string_view::npos ||
             line.substr(0, colon).find_first_of(" \t") != std::string_view::npos) {
    return broken;
  }
  return {What::framing, static_cast<std::uint32_t>(line.size() + 2), 0};
}

}  // namespace sallyport::classifier::names
