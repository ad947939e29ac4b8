// Are all workers alive? Each advances a number with every turn of its loop.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace sallyport {

class Heartbeats {
 public:
  // The workers that have not advanced since the last call that found none; a number more or fewer counts as life.
  [[nodiscard]] std::vector<unsigned> standing(std::vector<std::uint64_t> now) {
    std::vector<unsigned> still;
    for (std::size_t i = 0; i < now.size() && i < last_.size(); ++i) {
      if (now[i] == last_[i]) still.push_back(static_cast<unsigned>(i));
    }
    if (still.empty()) last_ = std::move(now);
    return still;
  }

 private:
  std::vector<std::uint64_t> last_;
};

}  // namespace sallyport
