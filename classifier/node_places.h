// Where the nodes of a PrefixTrie stand: one array that grows, in units of 16 bytes, with what alignment leaves free
// kept for small nodes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "classifier/prefix_trie_nodes.h"

namespace sallyport::classifier::trie {

class NodePlaces {
 public:
  void reserve(std::size_t words) { words_.reserve(words); }

  // A place of `units` whose unit number `before` is at a multiple of `alignment` (1, 2 or 4); gives that one.
  [[nodiscard]] std::size_t allocate(std::size_t before, std::size_t units, std::size_t alignment) {
    if (const std::size_t spare = take_spare(before, units, alignment); spare != nowhere) return spare;
    const std::size_t misplaced = (end_ + before) % alignment;
    const std::size_t gap = misplaced == 0 ? 0 : alignment - misplaced;
    if (gap != 0) gaps_[gap].push_back(end_);
    const std::size_t place = end_ + gap + before;
    end_ = place + units - before;
    if (end_ > node_bytes_max / unit_bytes) std::abort();  // more than the words can name; some 100 million prefixes
    words_.resize(end_ * unit_words);
    return place;
  }

  [[nodiscard]] Word* words_at(std::size_t unit) noexcept { return words_.data() + unit * unit_words; }
  [[nodiscard]] char* bytes_at(std::size_t unit) noexcept { return reinterpret_cast<char*>(words_at(unit)); }
  [[nodiscard]] std::vector<Word> take() { return std::move(words_); }

 private:
  static constexpr std::size_t nowhere = ~std::size_t{0};

  std::size_t take_spare(std::size_t before, std::size_t units, std::size_t alignment) {
    for (std::size_t size = units; size < gaps_.size(); ++size) {
      if (gaps_[size].empty()) continue;
      const std::size_t start = gaps_[size].back();
      const std::size_t place = start + (size - units) + before;
      if (place % alignment != 0) continue;
      gaps_[size].pop_back();
      if (size > units) gaps_[size - units].push_back(start);
      return place;
    }
    return nowhere;
  }

  std::vector<Word> words_;
  std::size_t end_ = 0;
  std::array<std::vector<std::size_t>, line_units> gaps_;  // by size in units
};

}  // namespace sallyport::classifier::trie
