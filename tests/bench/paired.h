// Ours against theirs in one run, turn about, so that a noisy machine disturbs both alike: the median of the ratios of
// neighbouring rounds and the interval that holds the middle half of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace sallyport::bench {

struct Paired {
  double ours_ns = 0;  // median, for one operation
  double theirs_ns = 0;
  double ratio = 0;  // ours / theirs, median
  double ratio_low = 0;
  double ratio_high = 0;
};

template <typename Work>
[[nodiscard]] double nanoseconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

// Each call of `ours` and `theirs` does its number of operations.
template <typename Ours, typename Theirs>
[[nodiscard]] Paired compare(std::size_t our_operations, Ours&& ours, std::size_t their_operations, Theirs&& theirs,
                             std::size_t rounds = 21) {
  std::vector<double> our_times;
  std::vector<double> their_times;
  std::vector<double> ratios;
  ours();
  theirs();
  for (std::size_t round = 0; round < rounds; ++round) {
    our_times.push_back(nanoseconds(ours) / static_cast<double>(our_operations));
    their_times.push_back(nanoseconds(theirs) / static_cast<double>(their_operations));
    ratios.push_back(our_times.back() / their_times.back());
  }
  const auto at = [](std::vector<double>& values, std::size_t quarter) {
    std::sort(values.begin(), values.end());
    return values[(values.size() - 1) * quarter / 4];
  };
  return {at(our_times, 2), at(their_times, 2), at(ratios, 2), at(ratios, 1), at(ratios, 3)};
}

inline void print(const std::string& what, const Paired& result) {
  std::printf("%-58s ours %8.2f ns  theirs %9.2f ns  ours/theirs %.3f [%.3f..%.3f]\n", what.c_str(), result.ours_ns,
              result.theirs_ns, result.ratio, result.ratio_low, result.ratio_high);
}

}  // namespace sallyport::bench
