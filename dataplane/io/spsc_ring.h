// A bounded queue of values between exactly two threads: one pushes, one pops, neither waits.
//
// Head and tail are free-running counters on cache lines of their own, each written by one side; either side keeps a
// copy of the other's and looks again only when the copy does not do.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

namespace sallyport::dataplane {

template <typename T>
class SpscRing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Room for at least `capacity` values.
  explicit SpscRing(std::size_t capacity) : mask_(std::bit_ceil(capacity) - 1), values_(new T[mask_ + 1]) {}

  // False: full, and nothing is changed. The pushing thread.
  [[nodiscard]] bool push(const T& value) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ > mask_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ > mask_) return false;
    }
    copy(value, values_[tail & mask_]);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // As many as there are and as `out` can take. The popping thread.
  [[nodiscard]] std::size_t pop(std::span<T> out) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (tail_seen_ - head < out.size()) tail_seen_ = tail_.load(std::memory_order_acquire);
    const std::size_t count = std::min(tail_seen_ - head, out.size());
    for (std::size_t i = 0; i < count; ++i) copy(values_[(head + i) & mask_], out[i]);
    if (count != 0) head_.store(head + count, std::memory_order_release);
    return count;
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return capacity() * sizeof(T); }

 private:
  // Of a value that says how much of it means something, that much.
  static void copy(const T& from, T& to) noexcept {
    if constexpr (requires { said_bytes(from); }) {
      std::memcpy(static_cast<void*>(&to), &from, said_bytes(from));
    } else {
      to = from;
    }
  }

  const std::size_t mask_;
  const std::unique_ptr<T[]> values_;
  alignas(64) std::atomic<std::size_t> tail_{0};  // written by the pushing thread
  std::size_t head_seen_ = 0;                     // the pushing thread's
  alignas(64) std::atomic<std::size_t> head_{0};  // written by the popping thread
  std::size_t tail_seen_ = 0;                     // the popping thread's
};

}  // namespace sallyport::dataplane
