// What is frequent in a stream, without a place for everything that comes: the algorithm of Misra and Gries (Finding
// repeated elements, 1982). Bounded however many there are, and cheap: a look into a hash table each, and once in a
// thousand times that all of them are taken down by one.
//
// While there are no more than `most`, counts are exact. Else what came more often than the (most + 1)th part of the
// stream is among them, and no count is too high; each may be too low by at most that part.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sallyport {

// `Hash` and `Equal` may take what a key is made of, too (is_transparent).
template <typename Key, typename Hash, typename Equal>
class TopCounts {
 public:
  using One = std::pair<Key, std::uint64_t>;

  explicit TopCounts(std::size_t most) : most_(most) { counts_.reserve(most); }

  template <typename What>
  void add(const What& what) {
    if (const auto found = counts_.find(what); found != counts_.end()) {
      ++found->second;
    } else if (counts_.size() < most_) {
      counts_.emplace(Key(what), 1);
    } else {
      for (auto& one : counts_) --one.second;
      std::erase_if(counts_, [](const auto& one) { return one.second == 0; });
    }
  }

  // The most frequent first.
  [[nodiscard]] std::vector<One> top(std::size_t most) const {
    std::vector<One> all(counts_.begin(), counts_.end());
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::partial_sort(all.begin(), end, all.end(), [](const One& a, const One& b) { return a.second > b.second; });
    all.erase(end, all.end());
    return all;
  }

 private:
  std::size_t most_;
  std::unordered_map<Key, std::uint64_t, Hash, Equal> counts_;
};

}  // namespace sallyport
