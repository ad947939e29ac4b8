#include "classifier/names/http_head.h"

#include <algorithm>
#include <charconv>

#include <http_parser.h>

#include "classifier/names/http_text.h"
#include "classifier/names/reader.h"

namespace sallyport::classifier::names {
namespace {

// A first word that is no token, but by its beginning a method to some server (gunicorn before 22), with a version of
// HTTP at the end of its line. What a beginning of the text says holds for all of it.
[[nodiscard]] Parse judge_odd_method(std::string_view text) noexcept {
  constexpr std::size_t marks = 3, bytes_max = 64;
  const auto graphic = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; };
  const auto mark = [](char c) { return c >= '$' && c <= '_'; };
  const std::string_view front = text.substr(0, marks);
  const auto* const end = std::find_if_not(text.begin(), text.end(), graphic);
  const bool odd = std::all_of(front.begin(), front.end(), mark);
  if (!odd || end - text.begin() > static_cast<std::ptrdiff_t>(bytes_max)) return Parse::not_this;
  if (end == text.end()) return Parse::need_more;
  if (*end != ' ' || end - text.begin() < static_cast<std::ptrdiff_t>(marks)) return Parse::not_this;
  const auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  const auto* const line_end = std::find_if(text.begin(), text.end(), control);
  if (contains({text.begin(), line_end}, " http/")) return Parse::malformed;
  return line_end == text.end() ? Parse::need_more : Parse::not_this;
}

// "GET " or the beginning of such. Whatever some server might take for it is no other protocol's, but malformed.
[[nodiscard]] Parse judge_start(std::string_view text) noexcept {
  const auto* const end = std::find_if_not(text.begin(), text.end(), is_token_character);
  const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  if (end == text.end() || (!word.empty() && *end == ' ')) return Parse::need_more;
  constexpr std::string_view blanks = " \t\v\f\r\n";
  const bool leads = word.empty() && blanks.find(*end) != std::string_view::npos;
  const bool parts = *end == '\t' || *end == '\v' || *end == '\f';
  // What parts words in Latin-1 and in Unicode, behind what nothing but a method looks like.
  const auto byte = static_cast<unsigned char>(*end);
  const bool odd_blank = (byte >= 0x1c && byte < 0x20) || byte == 0x85 || byte == 0xa0;
  const bool behind_method = word.size() >= 3 && is_method(word);
  if (leads || parts || (odd_blank && behind_method)) return Parse::malformed;
  return judge_odd_method(text);
}

// Every line ends in CR LF, none begins with a blank, and between there are no controls but tabs.
[[nodiscard]] bool has_clean_lines(std::string_view text, char before = 0) noexcept {
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if ((c == '\n') != (before == '\r')) return false;
    if (control && c != '\r' && c != '\n' && c != '\t') return false;
    if (before == '\n' && (c == ' ' || c == '\t')) return false;
    before = c;
  }
  return true;
}

// "GET / HTTP/1.1", or no whole line yet.
[[nodiscard]] bool may_be_request_line(std::string_view text) noexcept {
  const std::size_t end = text.find('\r');
  if (end == std::string_view::npos) return true;
  const std::string_view line = text.substr(0, end);
  return std::count(line.begin(), line.end(), ' ') == 2 && (line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0"));
}

// What the callbacks gather. libhttp-parser is given the whole head at once, so each piece comes in one call.
struct Gathered {
  std::span<HeaderField> room;
  std::size_t count = 0;
  std::string_view target;
  bool whole = false;
};

[[nodiscard]] Gathered& gathered(http_parser* parser) noexcept { return *static_cast<Gathered*>(parser->data); }

const http_parser_settings& callbacks() noexcept {
  static const http_parser_settings settings = [] {
    http_parser_settings made{};
    made.on_url = [](http_parser* parser, const char* at, std::size_t length) {
      gathered(parser).target = {at, length};
      return 0;
    };
    made.on_header_field = [](http_parser* parser, const char* at, std::size_t length) {
      Gathered& into = gathered(parser);
      if (into.count == into.room.size()) return 1;
      into.room[into.count++] = {{at, length}, {}};
      return 0;
    };
    made.on_header_value = [](http_parser* parser, const char* at, std::size_t length) {
      Gathered& into = gathered(parser);
      into.room[into.count - 1].value = trimmed({at, length});
      return 0;
    };
    // Stops the parser: what follows is the body, and that is not its task here.
    made.on_headers_complete = [](http_parser* parser) {
      gathered(parser).whole = true;
      return -1;
    };
    return made;
  }();
  return settings;
}

// RFC 9112 section 3.2: the four forms of a target. False: none of them, or not the host's.
[[nodiscard]] bool take_target(std::string_view target, std::string_view host, bool has_host, RequestHead& head) {
  head.host = host;
  if (head.method == "CONNECT") {
    head.becomes = RequestHead::Switch::connect;
    head.host = target;
    return is_authority(target) && (!has_host || is_same_authority(host, target));
  }
  if (target == "*") {
    head.target = target;
    return head.method == "OPTIONS";
  }
  if (!is_clean_target(target)) return false;
  if (target.starts_with('/')) {
    head.target = target;
    return true;
  }
  std::string_view rest;
  for (const std::string_view scheme : {"http://", "https://"})
    if (same(target.substr(0, scheme.size()), scheme)) rest = target.substr(scheme.size());
  const std::size_t end = std::min(rest.find('/'), rest.size());
  head.host = rest.substr(0, end);
  head.target = end == rest.size() ? std::string_view("/") : rest.substr(end);
  return is_authority(head.host) && (!has_host || is_same_authority(host, head.host));
}

// RFC 9112 section 6. False: a server may find the end of this message elsewhere.
[[nodiscard]] bool take_framing(const http_parser& parser, RequestHead& head) noexcept {
  bool counted = false;
  bool chunked = false;
  for (const HeaderField& field : head.fields) {
    if (resembles(field.name, "content-length") || resembles(field.name, "transfer-encoding")) return false;
    if (same(field.name, "content-length")) {
      if (counted || field.value.empty() || field.value.size() > 18) return false;
      const char* end = field.value.data() + field.value.size();
      const auto [stop, error] = std::from_chars(field.value.data(), end, head.body_bytes);
      if (error != std::errc{} || stop != end || !is_digit(field.value.front())) return false;
      counted = true;
    } else if (same(field.name, "transfer-encoding")) {
      if (chunked || !same(field.value, "chunked")) return false;
      chunked = true;
    }
  }
  if (chunked && (counted || parser.http_minor == 0)) return false;
  if (head.method == "CONNECT" && (counted || chunked)) return false;
  if (chunked) head.body = RequestHead::Body::chunked;
  if (counted && head.body_bytes != 0) head.body = RequestHead::Body::counted;
  return true;
}

[[nodiscard]] bool take_fields(const http_parser& parser, std::string_view target, RequestHead& head) noexcept {
  std::string_view host;
  bool has_host = false;
  for (const HeaderField& field : head.fields) {
    if (!is_token(field.name)) return false;
    if (same(field.name, "upgrade")) head.becomes = RequestHead::Switch::upgrade;
    if (!same(field.name, "host")) continue;
    if (has_host) return false;
    has_host = true;
    host = field.value;
  }
  if (!has_host && parser.http_minor != 0) return false;
  if (!host.empty() && !is_authority(host)) return false;
  return take_target(target, host, has_host, head) && take_framing(parser, head);
}

[[nodiscard]] Parse read_whole(std::string_view text, std::span<HeaderField> room, RequestHead& head) noexcept {
  if (!has_clean_lines(text) || !may_be_request_line(text)) return Parse::malformed;
  head.method = text.substr(0, text.find(' '));
  if (!is_method(head.method)) return Parse::malformed;
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  Gathered into{room.first(std::min(room.size(), header_fields_max)), 0, {}, false};
  parser.data = &into;
  // The parser refuses methods that are younger than it (QUERY); all but CONNECT have targets as GET has.
  const std::string_view as = head.method == "CONNECT" ? "CONNECT" : "GET";
  const std::string_view rest = text.substr(head.method.size());
  (void)http_parser_execute(&parser, &callbacks(), as.data(), as.size());
  (void)http_parser_execute(&parser, &callbacks(), rest.data(), rest.size());
  if (!into.whole || parser.http_major != 1 || parser.http_minor > 1) return Parse::malformed;
  head.fields = room.first(into.count);
  return take_fields(parser, into.target, head) ? Parse::done : Parse::malformed;
}

}  // namespace

Parse read_request_head(Bytes stream, std::uint32_t& searched, std::span<HeaderField> room,
                        RequestHead& head) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(stream.data()), stream.size());
  head = {};
  if (const Parse start = judge_start(text); start != Parse::need_more) return start;
  constexpr std::string_view end_mark = "\r\n\r\n";
  const std::size_t end = text.find(end_mark, searched);
  if (end == std::string_view::npos) {
    const std::size_t from = searched;
    searched = static_cast<std::uint32_t>(text.size() - std::min<std::size_t>(text.size(), end_mark.size() - 1));
    if (!may_be_request_line(text)) return Parse::malformed;
    return has_clean_lines(text.substr(from), from != 0 ? text[from - 1] : '\0') ? Parse::need_more : Parse::malformed;
  }
  head.bytes = static_cast<std::uint32_t>(end + end_mark.size());
  const std::uint32_t bytes = head.bytes;
  const Parse parsed = read_whole(text.substr(0, bytes), room, head);
  if (parsed != Parse::done) head = {};
  return parsed;
}

}  // namespace sallyport::classifier::names
