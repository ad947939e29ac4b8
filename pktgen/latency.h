// How long packets took: counts in buckets of 1/64 of their value, so that a percentile is right to 1.6 per cent from
// nanoseconds to hours, in a fixed 30 KiB (as HdrHistogram does it).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sallyport::pktgen {

class Latency {
 public:
  void add(std::uint64_t time) noexcept {
    ++buckets_[index(time)];
    ++count_;
    largest_ = time > largest_ ? time : largest_;
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

  // The smallest value that at least `share` (0..1) of all do not exceed, up to a bucket's width; 0 with none.
  [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(count_) * share + 0.9999999);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size() && count_ != 0; ++i) {
      seen += buckets_[i];
      if (seen >= wanted && seen != 0) return upper(i) < largest_ ? upper(i) : largest_;
    }
    return largest_;
  }

 private:
  static constexpr unsigned fine_bits = 6;
  static constexpr std::size_t fine = std::size_t{1} << fine_bits;

  // Values below 64 have a bucket each; above, every doubling has 64.
  [[nodiscard]] static std::size_t index(std::uint64_t time) noexcept {
    if (time < fine) return static_cast<std::size_t>(time);
    const unsigned shift = static_cast<unsigned>(std::bit_width(time)) - fine_bits - 1;
    return (std::size_t{shift} + 1) * fine + static_cast<std::size_t>((time >> shift) - fine);
  }
  [[nodiscard]] static std::uint64_t upper(std::size_t bucket) noexcept {
    if (bucket < fine) return bucket;
    const std::size_t shift = bucket / fine - 1;
    return ((std::uint64_t{bucket % fine} + fine + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - fine_bits + 1) * fine> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace sallyport::pktgen
