#include "classifier/names/http_answer.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "classifier/names/http_text.h"

namespace sallyport::classifier::names {

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
  constexpr unsigned switching_protocols = 101;
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
    obscure_ = true;
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
  names_protocol_ = names_h2c_ = counted_ = obscure_ = false;
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
  obscure_ = obscure_ || counted_ || !is_number;
  counted_ = true;
  if (!obscure_) (void)std::from_chars(digits.data(), digits.data() + digits.size(), length_);
}

std::optional<std::uint64_t> HttpAnswer::body_bytes() const noexcept {
  constexpr unsigned switching_protocols = 101, no_content = 204, not_modified = 304;
  if (status_ == no_content || status_ == not_modified) return 0;
  if (status_ == 0 || status_ == switching_protocols || obscure_ || !counted_) return std::nullopt;
  return length_;
}

}  // namespace sallyport::classifier::names
