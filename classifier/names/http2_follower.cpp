#include "classifier/names/http2_follower.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "classifier/names/http_text.h"
#include "classifier/names/reader.h"

namespace sallyport::classifier::names {

namespace {

using What = HttpStep::What;

constexpr std::uint32_t header_bytes = 9;
constexpr std::uint32_t frame_bytes_max = 16384;  // SETTINGS_MAX_FRAME_SIZE, of whatever is not DATA
constexpr unsigned continuations_max = 16;
constexpr std::uint32_t ahead_bytes_max = 128;  // ten settings, the acknowledgement and two windows
constexpr unsigned ahead_frames_max = 64;       // that wait for a request
constexpr HttpStep broken{What::malformed, 0, 0};

enum class Type : std::uint8_t {
  data,
  headers,
  priority,
  rst_stream,
  settings,
  push_promise,
  ping,
  goaway,
  window_update,
  continuation,
};

enum Flag : std::uint8_t { end_stream = 1, acknowledges = 1, end_headers = 4, padded = 8, has_priority = 32 };

}  // namespace

struct Http2Follower::Frame {
  std::uint32_t length = 0;
  Type type{};
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;

  explicit Frame(Bytes bytes) noexcept
      : length(std::uint32_t{bytes[0]} << 16U | std::uint32_t{bytes[1]} << 8U | bytes[2]),
        type(static_cast<Type>(bytes[3])),
        flags(bytes[4]),
        stream((std::uint32_t{bytes[5]} << 24U | std::uint32_t{bytes[6]} << 16U | std::uint32_t{bytes[7]} << 8U |
                bytes[8]) &
               0x7fffffffU) {}
  [[nodiscard]] bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
  // With its header.
  [[nodiscard]] std::uint32_t bytes() const noexcept { return header_bytes + length; }
};

namespace {

// Section 6: sizes, and whether a frame is of a stream or of the connection.
template <typename Frame>
[[nodiscard]] bool is_in_order(const Frame& frame) noexcept {
  switch (frame.type) {
    case Type::data:
      return frame.stream != 0;
    case Type::headers:
      return frame.stream % 2 == 1;
    case Type::priority:
      return frame.stream != 0 && frame.length == 5;
    case Type::rst_stream:
      return frame.stream != 0 && frame.length == 4;
    case Type::settings:
      return frame.stream == 0 && frame.length % 6 == 0 && (!frame.has(acknowledges) || frame.length == 0);
    case Type::ping:
      return frame.stream == 0 && frame.length == 8;
    case Type::goaway:
      return frame.stream == 0 && frame.length >= 8;
    case Type::window_update:
      return frame.length == 4;
    case Type::push_promise:
    case Type::continuation:
      return false;
  }
  return true;
}

// The fragment inside of a HEADERS frame (section 6.2). False: its padding does not fit.
[[nodiscard]] bool strip(Bytes& payload, bool pads, bool weighs) noexcept {
  std::size_t padding = 0;
  if (pads) {
    if (payload.empty()) return false;
    padding = payload[0];
    payload = payload.subspan(1);
  }
  constexpr std::size_t priority_bytes = 5;
  if (weighs) {
    if (payload.size() < priority_bytes) return false;
    payload = payload.subspan(priority_bytes);
  }
  if (padding > payload.size()) return false;
  payload = payload.first(payload.size() - padding);
  return true;
}

// Section 8.2.
[[nodiscard]] bool is_clean_field(const HeaderField& field) noexcept {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto breaks = [](char c) { return c == '\0' || c == '\r' || c == '\n'; };
  if (!is_token(field.name) || std::any_of(field.name.begin(), field.name.end(), upper)) return false;
  if (std::any_of(field.value.begin(), field.value.end(), breaks)) return false;
  if (field.value.starts_with(' ') || field.value.starts_with('\t')) return false;
  if (resembles(field.name, "content-length") || resembles(field.name, "transfer-encoding")) return false;
  constexpr std::string_view of_connections[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                                                 "upgrade"};
  if (std::find(std::begin(of_connections), std::end(of_connections), field.name) != std::end(of_connections))
    return false;
  return field.name != "te" || same(field.value, "trailers");
}

// Section 8.3. What a request is put together from.
struct Pseudo {
  std::string_view method, scheme, authority, path, protocol;

  // False: unknown, empty or there already.
  [[nodiscard]] bool take(const HeaderField& field) noexcept {
    std::string_view* place = field.name == ":method"      ? &method
                              : field.name == ":scheme"    ? &scheme
                              : field.name == ":authority" ? &authority
                              : field.name == ":path"      ? &path
                              : field.name == ":protocol"  ? &protocol
                                                           : nullptr;
    if (place == nullptr || place->data() != nullptr || field.value.empty()) return false;
    *place = field.value;
    return std::all_of(field.value.begin(), field.value.end(),
                       [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  }
};

[[nodiscard]] bool take_request(const Pseudo& pseudo, std::string_view host, RequestHead& head) noexcept {
  if (pseudo.authority.data() != nullptr && !is_authority(pseudo.authority)) return false;
  if (host.data() != nullptr && pseudo.authority.data() != nullptr && !is_same_authority(host, pseudo.authority))
    return false;
  head.method = pseudo.method;
  head.host = pseudo.authority.data() != nullptr ? pseudo.authority : host;
  if (!is_method(head.method)) return false;
  // RFC 8441 section 4: to a protocol there, CONNECT has a target as others have.
  const bool extended = head.method == "CONNECT" && is_token(pseudo.protocol);
  if (!extended && pseudo.protocol.data() != nullptr) return false;
  if (head.method == "CONNECT" && !extended)
    return pseudo.scheme.empty() && pseudo.path.empty() && !pseudo.authority.empty();
  if ((pseudo.scheme != "http" && pseudo.scheme != "https") || head.host.empty()) return false;
  head.target = pseudo.path;
  if (head.target == "*") return head.method == "OPTIONS";
  return head.target.starts_with('/') && is_clean_target(head.target);
}

// The fields behind the pseudo-fields stay in `fields`. False: malformed.
[[nodiscard]] bool read_fields(std::span<HeaderField> fields, bool trailers, RequestHead& head) noexcept {
  Pseudo pseudo;
  std::size_t count = 0;
  while (count < fields.size() && fields[count].name.starts_with(':'))
    if (trailers || !pseudo.take(fields[count++])) return false;
  const auto rest = fields.subspan(count);
  std::string_view host;
  bool counted = false;
  for (HeaderField& field : rest) {
    if (!is_clean_field(field)) return false;
    // Section 8.2.1 forbids blanks behind a value, too, and there are clients that send them (Go).
    field.value = trimmed(field.value);
    if (field.name == "content-length" && std::exchange(counted, true)) return false;
    if (field.name != "host") continue;
    if (host.data() != nullptr) return false;
    host = field.value;
  }
  head.fields = rest;
  return trailers || take_request(pseudo, host, head);
}

}  // namespace

bool Http2Follower::begins_server(Bytes stream) noexcept {
  if (stream.size() < header_bytes) return false;
  const Frame frame(stream);
  return frame.type == Type::settings && frame.flags == 0 && is_in_order(frame) && frame.length <= frame_bytes_max;
}

HttpStep Http2Follower::next(Bytes stream, Inflater& inflater, FieldRoom& room, RequestHead& head) noexcept {
  if (!preface_) {
    const Parse parse = read_http2_preface(stream);
    if (parse == Parse::not_this) return broken;
    if (parse == Parse::need_more) return {};
    preface_ = true;
    return {What::framing, http2_preface.size(), 0};
  }
  if (last_stream_ == 0) return next_ahead(stream, inflater, room, head);
  if (stream.size() < header_bytes) return {};
  const Frame frame(stream);
  if (!is_in_order(frame)) return broken;
  if (!settings_ && (frame.type != Type::settings || frame.has(acknowledges))) return broken;
  settings_ = true;
  if (frame.type == Type::data) return {What::framing, header_bytes, frame.length};
  if (frame.length > frame_bytes_max) return broken;
  if (frame.type == Type::headers) return next_block(frame, stream, inflater, room, head);
  if (frame.type > Type::continuation) return {What::framing, header_bytes, frame.length};
  if (stream.size() < frame.bytes()) return {};
  return {What::framing, frame.bytes(), 0};
}

// No stream is open: RFC 9113 section 5.1 leaves none to be of but for HEADERS and PRIORITY.
HttpStep Http2Follower::next_ahead(Bytes stream, Inflater& inflater, FieldRoom& room, RequestHead& head) noexcept {
  std::uint32_t at = 0;
  for (unsigned frames = 0; stream.size() >= at + header_bytes; ++frames) {
    const Frame frame(stream.subspan(at));
    const bool first = !settings_ && at == 0;
    if (!is_in_order(frame) || frame.length > frame_bytes_max || frames == ahead_frames_max) return broken;
    if (first && (frame.type != Type::settings || frame.has(acknowledges))) return broken;
    if (frame.type == Type::data || frame.type == Type::rst_stream) return broken;
    if (frame.type == Type::headers) {
      HttpStep step = next_block(frame, stream.subspan(at), inflater, room, head);
      if (step.what != What::request) return step;
      settings_ = true;
      step.bytes += at;
      head.bytes = step.bytes;
      return step;
    }
    if (stream.size() < at + frame.bytes()) return {};
    if (at == 0 && passes_ahead(frame)) return {What::framing, frame.bytes(), 0};
    at += frame.bytes();
  }
  return {};
}

bool Http2Follower::passes_ahead(const Frame& frame) noexcept {
  const bool settings = frame.type == Type::settings;
  const bool window = frame.type == Type::window_update && frame.stream == 0;
  if ((!settings && !window) || ahead_bytes_ + frame.bytes() > ahead_bytes_max) return false;
  ahead_bytes_ += frame.bytes();
  settings_ = true;
  return true;
}

HttpStep Http2Follower::next_block(const Frame& first, Bytes stream, Inflater& inflater, FieldRoom& room,
                                   RequestHead& head) noexcept {
  // Whole first, then read: an inflater takes each byte once.
  std::uint32_t end = first.bytes();
  bool whole = first.has(end_headers);
  for (unsigned more = 0; !whole; ++more) {
    if (more == continuations_max) return broken;
    if (stream.size() < end + header_bytes) return {};
    const Frame frame(stream.subspan(end));
    if (frame.type != Type::continuation || frame.stream != first.stream || frame.length > frame_bytes_max)
      return broken;
    end += frame.bytes();
    whole = frame.has(end_headers);
  }
  if (stream.size() < end) return {};

  room.field_count = room.text_bytes = 0;
  Parse parse = Parse::need_more;
  for (std::uint32_t at = 0; at < end && parse == Parse::need_more;) {
    const Frame frame(stream.subspan(at));
    Bytes piece = stream.subspan(at + header_bytes, frame.length);
    if (at == 0 && !strip(piece, frame.has(padded), frame.has(has_priority))) return broken;
    at += frame.bytes();
    parse = inflate(inflater, piece, at == end, room);
  }
  if (parse != Parse::done) return parse == Parse::too_large ? HttpStep{What::too_large, 0, 0} : broken;

  // Docker takes an agreed connection for one on which nothing was asked yet, and begins with stream 1 itself.
  const bool begins_anew =
      upgraded_ && first.stream == last_stream_ && room.field_count != 0 && room.fields[0].name.starts_with(':');
  upgraded_ = false;
  const bool trailers = first.stream <= last_stream_ && !begins_anew;
  head = {};
  head.bytes = end;
  if (!read_fields(room.fields.first(room.field_count), trailers, head)) return broken;
  if (trailers) return first.has(end_stream) ? HttpStep{What::framing, end, 0} : broken;
  last_stream_ = first.stream;
  return {What::request, end, 0};
}

}  // namespace sallyport::classifier::names
