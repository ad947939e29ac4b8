// A set of small numbers that finds its lowest member at once: a tree of 64-bit words, each bit of a word above saying
// whether the word below is not empty. Insert, erase and lowest touch one word a level: four levels for 16 million.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sallyport::classifier {

class RankSet {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  // Holds numbers below `limit`.
  explicit RankSet(std::size_t limit) {
    std::size_t words = limit;
    do {
      words = (words + 63) / 64;
      levels_.emplace_back(words == 0 ? 1 : words);
    } while (words > 1);
  }

  void insert(std::uint32_t rank) noexcept {
    for (auto& level : levels_) {
      level[rank / 64] |= std::uint64_t{1} << rank % 64;
      rank /= 64;
    }
  }

  void erase(std::uint32_t rank) noexcept {
    for (auto& level : levels_) {
      level[rank / 64] &= ~(std::uint64_t{1} << rank % 64);
      if (level[rank / 64] != 0) return;
      rank /= 64;
    }
  }

  // The lowest member, or none.
  [[nodiscard]] std::uint32_t lowest() const noexcept {
    if (levels_.back()[0] == 0) return none;
    std::size_t at = 0;
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
      at = at * 64 + static_cast<std::size_t>(std::countr_zero((*level)[at]));
    return static_cast<std::uint32_t>(at);
  }

 private:
  std::vector<std::vector<std::uint64_t>> levels_;  // the members first, one word last
};

}  // namespace sallyport::classifier
