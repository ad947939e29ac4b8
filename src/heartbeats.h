// Are all workers alive? Each advances a number with every turn of its loop.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace sallyport {

class Heartbeats {
 public:
  // True where every worker has advanced since the last call that said so; a number more or fewer counts as life.
  [[nodiscard]] bool all_advanced(std::vector<std::uint64_t> now) {
    bool advanced = true;
    for (std::size_t i = 0; i < now.size() && i < last_.size(); ++i) advanced = advanced && now[i] != last_[i];
    if (advanced) last_ = std::move(now);
    return advanced;
  }

 private:
  std::vector<std::uint64_t> last_;
};

}  // namespace sallyport
