// The last minutes, second by second: what the status page draws.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "dataplane/io/counter_sums.h"

namespace sallyport {

class History {
 public:
  static constexpr std::size_t seconds_max = 300;

  // Of one second.
  struct Sample {
    double bits = 0;     // received
    double packets = 0;  // received
    double allowed = 0;  // flows
    double denied = 0;   // flows
  };

  // What has been counted so far, at a time in seconds; the first call only begins.
  void add(const dataplane::CounterSums& sums, double at);
  [[nodiscard]] std::vector<Sample> samples() const;  // the oldest first

 private:
  struct Total {
    std::uint64_t bytes = 0, packets = 0, allowed = 0, denied = 0;
  };

  mutable std::mutex mutex_;
  std::array<Sample, seconds_max> ring_{};
  std::size_t count_ = 0;  // ever
  Total before_;
  double before_at_ = 0;
  bool begun_ = false;
};

// Calls a function once a second, on a thread of its own, until it is gone.
class EverySecond {
 public:
  explicit EverySecond(std::function<void()> what);
  ~EverySecond();
  EverySecond(const EverySecond&) = delete;
  EverySecond& operator=(const EverySecond&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace sallyport
