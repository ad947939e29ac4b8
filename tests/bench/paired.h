// Ours against theirs in one run, turn about, so that a noisy machine disturbs both alike: the median of the ratios of
// neighbouring rounds and the quarter points around it. Counted is this thread's processor time, so what others take of
// a shared machine is left out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace sallyport::bench {

template <typename Work>
[[nodiscard]] double nanoseconds(Work&& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

[[nodiscard]] inline double at_quarter(std::vector<double> values, std::size_t quarter) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) * quarter / 4];
}

inline void report_quarters(benchmark::State& state, const std::string& name, const std::vector<double>& values) {
  state.counters[name] = at_quarter(values, 2);
  state.counters[name + "_25%"] = at_quarter(values, 1);
  state.counters[name + "_75%"] = at_quarter(values, 3);
}

// One iteration of the benchmark is one round of `ours` and `theirs`, each of so many operations; register it with
// UseManualTime(). The time shown is ours for one operation, the counters say theirs and the ratio.
template <typename Ours, typename Theirs>
void run_paired(benchmark::State& state, double our_operations, Ours&& ours, double their_operations, Theirs&& theirs) {
  std::vector<double> their_times;
  std::vector<double> ratios;
  ours();
  theirs();
  for (auto _ : state) {
    const double our_time = nanoseconds(ours) / our_operations;
    their_times.push_back(nanoseconds(theirs) / their_operations);
    ratios.push_back(our_time / their_times.back());
    state.SetIterationTime(our_time * 1e-9);
  }
  state.counters["theirs_ns"] = at_quarter(their_times, 2);
  report_quarters(state, "ratio", ratios);
}

// SALLYPORT_BENCH_ROUNDS in the environment: fewer for a glance, more for a closer look.
[[nodiscard]] inline int paired_rounds() {
  const char* asked = std::getenv("SALLYPORT_BENCH_ROUNDS");
  return asked == nullptr ? 21 : std::max(1, std::atoi(asked));
}

}  // namespace sallyport::bench
