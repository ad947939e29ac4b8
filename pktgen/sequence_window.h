// Which numbered packets have come back: one bit for each of the last 2^26, so that a second copy is not taken for one
// that is missing (the numbers wrap at 2^32). What is older cannot be told from a second copy, and counts as one.
#pragma once

#include <cstdint>
#include <vector>

#include "pktgen/recognised.h"

namespace sallyport::pktgen {

class SequenceWindow {
 public:
  static constexpr std::uint32_t packets = 1U << 26U;

  SequenceWindow() : seen_(packets / word_bits) {}

  [[nodiscard]] Recognised take(std::uint32_t sequence) noexcept {
    const std::uint32_t ahead = sequence - next_;
    if (ahead < 1U << 31U) {
      forget_up_to(ahead);
      next_ = sequence + 1;
      mark(sequence);
      return Recognised::ours;
    }
    const std::uint32_t behind = next_ - sequence;  // at least one
    if (behind > packets || is_seen(sequence)) return Recognised::repeated;
    mark(sequence);
    return Recognised::late;
  }

 private:
  static constexpr std::uint32_t word_bits = 64;

  [[nodiscard]] std::uint64_t& word(std::uint32_t sequence) noexcept { return seen_[sequence % packets / word_bits]; }
  [[nodiscard]] static std::uint64_t bit(std::uint32_t sequence) noexcept {
    return std::uint64_t{1} << (sequence % word_bits);
  }
  [[nodiscard]] bool is_seen(std::uint32_t sequence) noexcept { return (word(sequence) & bit(sequence)) != 0; }
  void mark(std::uint32_t sequence) noexcept { word(sequence) |= bit(sequence); }
  // The numbers from the next one on, so many and the one behind them: their bits are those of older ones.
  void forget_up_to(std::uint32_t ahead) noexcept {
    if (ahead >= packets) {
      seen_.assign(seen_.size(), 0);
      return;
    }
    for (std::uint32_t i = 0; i <= ahead;) {
      const std::uint32_t number = next_ + i;
      const bool whole_word = number % word_bits == 0 && ahead - i >= word_bits - 1;
      word(number) = whole_word ? 0 : word(number) & ~bit(number);
      i += whole_word ? word_bits : 1;
    }
  }

  std::vector<std::uint64_t> seen_;
  std::uint32_t next_ = 0;
};

}  // namespace sallyport::pktgen
