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

// A line of a word, a blank and more (RFC 9112 section 3), with a version of HTTP at its end.
[[nodiscard]] What judge_first_line(std::string_view text) noexcept {
  const std::string_view rest = text.substr(0, line_bytes_max);
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  const std::string_view word = line.substr(0, line.find(' '));
  if (!std::all_of(word.begin(), word.end(), is_token_character)) return What::not_http;
  if (line.find(" HTTP/") != std::string_view::npos) return What::request;
  return end == text.size() ? What::need_more : What::not_http;
}

}  // namespace

HttpStep look_for_request(Bytes stream, bool in_tunnel) noexcept {
  // RFC 9110 section 9.3, RFC 5789, and the preface of HTTP/2: what a server that has other methods takes as well.
  constexpr std::array<std::string_view, 10> starts{"GET ",     "HEAD ",    "POST ",  "PUT ",   "DELETE ",
                                                    "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI "};
  const std::string_view text = text_of(stream);
  const std::size_t empty = std::min(text.find_first_not_of("\r\n"), text.size());
  if (empty != 0) return {What::framing, static_cast<std::uint32_t>(empty), 0};
  const auto is_start = [&](std::string_view start) { return text.starts_with(start); };
  if (std::any_of(starts.begin(), starts.end(), is_start)) return {What::request, 0, 0};
  const auto may_be = [&](std::string_view start) { return start.starts_with(text); };
  if (std::any_of(starts.begin(), starts.end(), may_be)) return {};
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
    empty_line_ = true;
    return {What::framing, 2, 0};
  }
  if (requests_ == 0 && !empty_line_) {
    const Parse preface = read_http2_preface(stream);
    if (preface != Parse::not_this) return preface == Parse::done ? HttpStep{What::http2, 0, 0} : HttpStep{};
  }
  switch (read_request_head(stream, searched_, room, head)) {
    case Parse::need_more:
      return {};
    case Parse::not_this:
      return requests_ == 0 && !empty_line_ ? HttpStep{What::not_http, 0, 0} : broken;
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
