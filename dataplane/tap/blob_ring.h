// A bounded queue of byte strings of any length between exactly two threads: one pushes, one takes, neither waits.
//
// A blob lies in one piece, aligned to eight bytes, behind its length; what does not fit in front of the end of the
// memory begins again at its start:
//
//   | 24 ....... | 40 ............. | skip ... |
//
// Head and tail are free-running counters of bytes, each written by one side, as in SpscRing.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace sallyport::dataplane {

class BlobRing {
 public:
  using Piece = std::span<const std::uint8_t>;

  // At least so many bytes, heads included. Memory that is never used is never touched.
  explicit BlobRing(std::size_t bytes)
      : mask_(std::bit_ceil(bytes) - 1), bytes_(std::make_unique_for_overwrite<std::uint64_t[]>((mask_ + 1) / head)) {}

  // The pieces as one blob. False: no room, and nothing is changed. The pushing thread.
  [[nodiscard]] bool push(std::span<const Piece> pieces) noexcept {
    std::size_t length = 0;
    for (const Piece& piece : pieces) length += piece.size();
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t to_end = mask_ + 1 - (tail & mask_);
    const std::size_t needed = head + aligned(length);
    const std::size_t skipped = to_end < needed ? to_end : 0;
    if (!has_room(tail, skipped + needed)) return false;
    if (skipped != 0) put_head(tail, skip);
    put_head(tail + skipped, length);
    std::uint8_t* to = at(tail + skipped) + head;
    for (const Piece& piece : pieces) {
      if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    }
    tail_.store(tail + skipped + needed, std::memory_order_release);
    return true;
  }

  // The oldest blob, until pop(); null data: there is none. The taking thread.
  [[nodiscard]] Piece front() noexcept {
    std::size_t now = head_.load(std::memory_order_relaxed);
    if (now == tail_.load(std::memory_order_acquire)) return {};
    std::uint64_t length = length_at(now);
    if (length == skip) {
      now += mask_ + 1 - (now & mask_);
      head_.store(now, std::memory_order_release);
      length = length_at(now);  // what is skipped stands in front of a blob: both came at once
    }
    return {at(now) + head, static_cast<std::size_t>(length)};
  }
  void pop() noexcept {
    const std::size_t now = head_.load(std::memory_order_relaxed);
    head_.store(now + head + aligned(static_cast<std::size_t>(length_at(now))), std::memory_order_release);
  }

 private:
  static constexpr std::size_t head = 8;
  static constexpr std::uint64_t skip = ~std::uint64_t{0};

  [[nodiscard]] static constexpr std::size_t aligned(std::size_t length) noexcept {
    return (length + 7) & ~std::size_t{7};
  }
  [[nodiscard]] std::uint8_t* at(std::size_t position) const noexcept {
    return reinterpret_cast<std::uint8_t*>(bytes_.get()) + (position & mask_);
  }
  void put_head(std::size_t position, std::uint64_t length) noexcept { bytes_[(position & mask_) / head] = length; }
  [[nodiscard]] std::uint64_t length_at(std::size_t position) const noexcept {
    return bytes_[(position & mask_) / head];
  }
  [[nodiscard]] bool has_room(std::size_t tail, std::size_t needed) noexcept {
    if (tail + needed - head_seen_ <= mask_ + 1) return true;
    head_seen_ = head_.load(std::memory_order_acquire);
    return tail + needed - head_seen_ <= mask_ + 1;
  }

  const std::size_t mask_;
  const std::unique_ptr<std::uint64_t[]> bytes_;
  alignas(64) std::atomic<std::size_t> tail_{0};  // written by the pushing thread
  std::size_t head_seen_ = 0;                     // the pushing thread's
  alignas(64) std::atomic<std::size_t> head_{0};  // written by the taking thread
};

}  // namespace sallyport::dataplane
