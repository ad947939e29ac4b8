#include "classifier/names/http_answer.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "classifier/names/http_text.h"

namespace sallyport::classifier::names {
namespace {

constexpr unsigned switching_protocols = 101, no_content = 204, not_modified = 304;

}  // namespace

std::size_t HttpAnswer::take(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t taken = 0;
  while (taken < bytes.size() && !complete_) {
    const std::uint8_t byte = bytes[taken++];
    if (byte == '\n') {
      end_line();
    } else if (line_bytes_ < line_.size()) {
      line_[line_bytes_++] = static_cast<char>(byte);
    }
  }
  return taken;
}

void HttpAnswer::end_line() noexcept {
  constexpr std::string_view upgrade = "upgrade:", length = "content-length:", coding = "transfer-encoding";
  const std::string_view line(line_.data(), line_bytes_);
  line_bytes_ = 0;
  if (!in_fields_) {
    read_status(line);
  } else if (same(line.substr(0, upgrade.size()), upgrade)) {
    names_protocol_ = names_protocol_ || trimmed(line.substr(upgrade.size())).find_first_not_of('\r') != line.npos;
    names_h2c_ = names_h2c_ || contains(line, "h2c");
  } else if (same(line.substr(0, length.size()), length)) {
    read_length(line.substr(length.size()));
  } else if (same(line.substr(0, coding.size()), coding)) {
    const bool whole = line.size() < line_.size();
    read_coding(whole ? line.substr(coding.size()) : std::string_view{});
  } else if (line.empty() || line == "\r") {
    const bool interim = status_ / 100 == 1 && status_ != switching_protocols;
    complete_ = !interim;
    in_fields_ = false;
  }
}

// RFC 9112 section 4.
void HttpAnswer::read_status(std::string_view line) noexcept {
  constexpr std::size_t status_at = 9, status_digits = 3;  // behind "HTTP/1.1 "
  const bool is_http = line.starts_with("HTTP/1.") && line.size() >= status_at + status_digits;
  const std::string_view digits = is_http ? line.substr(status_at, status_digits) : std::string_view{};
  in_fields_ = true;
  names_protocol_ = names_h2c_ = counted_ = chunked_ = obscure_ = false;
  of_1_0_ = line.starts_with("HTTP/1.0");
  length_ = 0;
  status_ = 0;
  if (!is_http || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    complete_ = true;
    return;
  }
  for (const char digit : digits) status_ = static_cast<std::uint16_t>(status_ * 10 + (digit - '0'));
}

void HttpAnswer::read_length(std::string_view value) noexcept {
  constexpr std::size_t digits_max = 18;
  if (value.ends_with('\r')) value.remove_suffix(1);
  const std::string_view digits = trimmed(value);
  const bool is_number =
      !digits.empty() && digits.size() <= digits_max && std::all_of(digits.begin(), digits.end(), is_digit);
  obscure_ = obscure_ || counted_ || chunked_ || !is_number;
  counted_ = true;
  if (!obscure_) (void)std::from_chars(digits.data(), digits.data() + digits.size(), length_);
}

void HttpAnswer::read_coding(std::string_view rest) noexcept {
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  const bool chunked = rest.starts_with(':') && same(trimmed(rest.substr(1)), "chunked");
  obscure_ = obscure_ || counted_ || chunked_ || !chunked;
  chunked_ = true;
}

bool HttpAnswer::is_chunked() const noexcept {
  const bool has_body =
      status_ != 0 && status_ != switching_protocols && status_ != no_content && status_ != not_modified;
  return has_body && chunked_ && !obscure_ && !of_1_0_;
}

std::optional<std::uint64_t> HttpAnswer::body_bytes() const noexcept {
  if (status_ == no_content || status_ == not_modified) return 0;
  if (status_ == 0 || status_ == switching_protocols || obscure_ || !counted_) return std::nullopt;
  return length_;
}

std::size_t AnswerChunks::take(std::span<const std::uint8_t> bytes, std::uint64_t& data) noexcept {
  data = 0;
  std::size_t taken = 0;
  while (taken < bytes.size() && open()) {
    const State before = state_;
    state_ = next(bytes[taken++]);
    if (before != State::size_end || state_ != State::data_end) continue;
    data = length_;
    break;
  }
  return taken;
}

AnswerChunks::State AnswerChunks::next(std::uint8_t byte) noexcept {
  const auto line_end = [&](State then) { return byte == '\n' ? then : State::broken; };
  const auto in_line = [&](State stays, State ends) {
    return byte == '\r' ? ends : byte == '\n' ? State::broken : stays;
  };
  switch (state_) {
    case State::size:
      return next_of_size(byte);
    case State::extension:
      return in_line(State::extension, State::size_end);
    case State::size_end:
      return line_end(length_ != 0 ? State::data_end : State::trailers);
    case State::data_end:
      return in_line(State::broken, State::data_line_end);
    case State::data_line_end:
      begin();
      return line_end(State::size);
    case State::trailers:
      return in_line(State::trailer, State::last_end);
    case State::trailer:
      return in_line(State::trailer, State::trailer_end);
    case State::trailer_end:
      return line_end(State::trailers);
    case State::last_end:
      return line_end(State::closed);
    case State::closed:
    case State::broken:
      break;
  }
  return state_;
}

AnswerChunks::State AnswerChunks::next_of_size(std::uint8_t byte) noexcept {
  constexpr std::uint8_t digits_max = 15;
  const char c = lower(static_cast<char>(byte));
  if (is_hex(c)) {
    length_ = length_ << 4U | static_cast<unsigned>(is_digit(c) ? c - '0' : c - 'a' + 10);
    return ++digits_ <= digits_max ? State::size : State::broken;
  }
  if (digits_ == 0) return State::broken;
  if (byte == '\r') return State::size_end;
  return byte == ';' || byte == ' ' || byte == '\t' ? State::extension : State::broken;
}

}  // namespace sallyport::classifier::names
