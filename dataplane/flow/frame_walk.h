// The frames of a server of HTTP/2 (RFC 9113 section 4.1): where they end, since one of the gateway's own may stand
// behind what it has said only between two of them; and the header table that its SETTINGS offer the client.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/flow/said_bytes.h"

namespace sallyport::dataplane {

class FrameWalk {
 public:
  // The sequence number of the first frame.
  void begin(std::uint32_t sequence) noexcept {
    *this = FrameWalk{};
    next_ = sequence;
    lost_ = false;
  }
  // In the order of the stream; what came before is skipped, a gap loses the way.
  void walk(std::uint32_t sequence, std::span<const std::uint8_t> bytes) noexcept {
    const std::uint32_t end = sequence + static_cast<std::uint32_t>(bytes.size());
    if (lost_ || !after(end, next_)) return;
    lost_ = after(sequence, next_);
    if (lost_) return;
    bytes = bytes.subspan(next_ - sequence);
    next_ = end;
    said_ = true;
    while (!bytes.empty()) step(bytes);
  }

  // Has it said anything; is that HTTP/2, which begins with SETTINGS (section 3.4), or is it not; may a frame of ours
  // follow at this sequence number?
  [[nodiscard]] bool said() const noexcept { return said_; }
  [[nodiscard]] bool is_http2() const noexcept { return !first_ && !other_; }
  [[nodiscard]] bool is_other() const noexcept { return other_; }
  // Is this behind something that is not here yet, before its first frame is whole?
  [[nodiscard]] bool is_early(std::uint32_t sequence) const noexcept {
    return !lost_ && !begun_ && after(sequence, next_);
  }
  [[nodiscard]] bool is_between(std::uint32_t sequence) const noexcept {
    return !lost_ && next_ == sequence && left_ == 0 && head_bytes_ == 0 && !in_block_;
  }
  // The largest dynamic table that it has offered for the client's header blocks (RFC 7541 section 4.2); 0: none.
  [[nodiscard]] std::uint32_t header_table_bytes() const noexcept { return header_table_bytes_; }

 private:
  static constexpr std::uint8_t header_bytes = 9;

  void step(std::span<const std::uint8_t>& bytes) noexcept {
    if (left_ != 0) {
      const auto taken = std::min<std::size_t>(left_, bytes.size());
      if (in_settings_) read_settings(bytes.first(taken));
      left_ -= static_cast<std::uint32_t>(taken);
      bytes = bytes.subspan(taken);
      begun_ = begun_ || left_ == 0;
      return;
    }
    head_[head_bytes_++] = bytes.front();
    bytes = bytes.subspan(1);
    if (head_bytes_ < header_bytes) return;
    head_bytes_ = 0;
    left_ = std::uint32_t{head_[0]} << 16U | std::uint32_t{head_[1]} << 8U | head_[2];
    constexpr std::uint8_t headers = 1, settings = 4, push_promise = 5, continuation = 9, end_headers = 4, ack = 1;
    const std::uint8_t type = head_[3];
    in_settings_ = type == settings && (head_[4] & ack) == 0;
    setting_bytes_ = 0;
    begun_ = begun_ || left_ == 0;
    other_ = other_ || (first_ && type != settings);
    first_ = false;
    if (type == headers || type == push_promise || type == continuation) in_block_ = (head_[4] & end_headers) == 0;
  }

  // Section 6.5.1.
  void read_settings(std::span<const std::uint8_t> bytes) noexcept {
    constexpr std::uint8_t header_table_size = 1;
    for (const std::uint8_t byte : bytes) {
      setting_[setting_bytes_++] = byte;
      if (setting_bytes_ < setting_.size()) continue;
      setting_bytes_ = 0;
      const std::uint32_t value = std::uint32_t{setting_[2]} << 24U | std::uint32_t{setting_[3]} << 16U |
                                  std::uint32_t{setting_[4]} << 8U | setting_[5];
      if (setting_[0] == 0 && setting_[1] == header_table_size)
        header_table_bytes_ = std::max(header_table_bytes_, value);
    }
  }

  std::uint32_t next_ = 0;
  std::uint32_t left_ = 0;  // of the present frame
  std::array<std::uint8_t, header_bytes> head_{};
  std::uint8_t head_bytes_ = 0;
  std::array<std::uint8_t, 6> setting_{};  // the present one: identifier, value
  std::uint8_t setting_bytes_ = 0;
  std::uint32_t header_table_bytes_ = 0;
  bool in_settings_ = false;
  bool in_block_ = false;  // inside of a header block of several frames
  bool said_ = false;
  bool first_ = true;
  bool begun_ = false;  // the first frame is whole
  bool other_ = false;
  bool lost_ = true;
};

}  // namespace sallyport::dataplane
