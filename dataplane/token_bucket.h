// A token bucket that several workers draw from at once and that is exact in their sum.
//
// Theory of operation (the virtual scheduling form of ITU-T I.371 annex A; RFC 2697 with one burst). The bucket's level
// is kept as one number, the time at which it will be full again. A packet moves that time on by what the rate takes to
// make up for it, and passes if the bucket would then be full within the time of one burst:
//
//   rate 100 Mbit/s, burst 200 Mbit: a burst is 2 s; each packet of 1500 bytes is 120 us
//   10:00:00.000  full since long: 16,667 packets pass at once, and it is full again at 10:00:02.000
//   10:00:00.100  full in 1.9 s, so there is room for 0.1 s: 833 packets
//
// One number is one compare-and-exchange a packet, whoever draws: no share of a worker lies idle while another one
// wants it, and nothing is passed on that the rate did not allow.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "config/policy_model.h"

namespace sallyport::dataplane {

class TokenBucket {
 public:
  // Written by all workers; a line of its own. Its contents are the bucket's whole past, so that it can be handed on
  // to a bucket of another rate.
  struct alignas(64) Level {
    std::atomic<std::uint64_t> full_at{0};
  };

  explicit TokenBucket(const config::Bandwidth& bandwidth) noexcept
      : ticks_per_byte_(8.0 * ticks_per_second / static_cast<double>(bandwidth.rate_bits_per_second)),
        burst_(to_ticks(ticks_per_second * static_cast<double>(bandwidth.burst_bits) /
                        static_cast<double>(bandwidth.rate_bits_per_second))) {}

  // `now` in nanoseconds. Workers whose clocks were read at slightly different times draw from it alike.
  [[nodiscard]] bool draw(Level& level, std::uint32_t bytes, std::uint64_t now) const noexcept {
    const std::uint64_t present = now * ticks_per_ns;
    const std::uint64_t cost = to_ticks(bytes * ticks_per_byte_);
    std::uint64_t before = level.full_at.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t full_in = lacking(before, present);
      if (full_in + cost > burst_) return false;
      if (level.full_at.compare_exchange_weak(before, present + full_in + cost, std::memory_order_relaxed)) return true;
    }
  }

 private:
  // Fine enough that the cost of the smallest packet at 100 Gbit/s is right to 0.2 %. Time wraps after nine years and
  // is compared by difference.
  static constexpr std::uint64_t ticks_per_ns = 64;
  static constexpr double ticks_per_second = 64e9;
  static constexpr std::uint64_t ticks_max = 1ULL << 61U;

  [[nodiscard]] static std::uint64_t to_ticks(double ticks) noexcept {
    return static_cast<std::uint64_t>(std::min(ticks + 0.5, static_cast<double>(ticks_max)));
  }
  // How long until it is full. A time that no draw can have left there is long past: the bucket was never used, or not
  // for years.
  [[nodiscard]] std::uint64_t lacking(std::uint64_t full_at, std::uint64_t present) const noexcept {
    const std::uint64_t ahead = full_at - present;
    return ahead <= burst_ + clocks_apart ? ahead : 0;
  }
  static constexpr std::uint64_t clocks_apart = 1'000'000'000ULL * ticks_per_ns;

  double ticks_per_byte_;
  std::uint64_t burst_;
};

}  // namespace sallyport::dataplane
