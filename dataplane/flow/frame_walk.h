// Where the frames of a server of HTTP/2 end (RFC 9113 section 4.1): a frame of the gateway's own may stand behind what
// it has said only between two of them.
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
  [[nodiscard]] bool is_between(std::uint32_t sequence) const noexcept {
    return !lost_ && next_ == sequence && left_ == 0 && head_bytes_ == 0 && !in_block_;
  }

 private:
  static constexpr std::uint8_t header_bytes = 9;

  void step(std::span<const std::uint8_t>& bytes) noexcept {
    if (left_ != 0) {
      const auto taken = std::min<std::size_t>(left_, bytes.size());
      left_ -= static_cast<std::uint32_t>(taken);
      bytes = bytes.subspan(taken);
      return;
    }
    head_[head_bytes_++] = bytes.front();
    bytes = bytes.subspan(1);
    if (head_bytes_ < header_bytes) return;
    head_bytes_ = 0;
    left_ = std::uint32_t{head_[0]} << 16U | std::uint32_t{head_[1]} << 8U | head_[2];
    constexpr std::uint8_t headers = 1, settings = 4, push_promise = 5, continuation = 9, end_headers = 4;
    const std::uint8_t type = head_[3];
    other_ = other_ || (first_ && type != settings);
    first_ = false;
    if (type == headers || type == push_promise || type == continuation) in_block_ = (head_[4] & end_headers) == 0;
  }

  std::uint32_t next_ = 0;
  std::uint32_t left_ = 0;  // of the present frame
  std::array<std::uint8_t, header_bytes> head_{};
  std::uint8_t head_bytes_ = 0;
  bool in_block_ = false;  // inside of a header block of several frames
  bool said_ = false;
  bool first_ = true;
  bool other_ = false;
  bool lost_ = true;
};

}  // namespace sallyport::dataplane
