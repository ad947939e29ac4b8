#include "src/monitor/history.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport {

void History::add(const dataplane::CounterSums& sums, double at) {
  Total total;
  for (const dataplane::PortSums& port : sums.ports) total.bytes += port.received_bytes;
  total.packets = sums.received;
  total.allowed = sums.flows_allowed;
  total.denied = sums.flows_denied;

  const std::lock_guard lock(mutex_);
  const double seconds = at - before_at_;
  const Total before = std::exchange(before_, total);
  before_at_ = at;
  if (!std::exchange(begun_, true) || seconds <= 0) return;
  const auto rate = [&](std::uint64_t Total::*what) {
    return static_cast<double>(total.*what - before.*what) / seconds;
  };
  ring_[count_++ % seconds_max] = {rate(&Total::bytes) * 8, rate(&Total::packets), rate(&Total::allowed),
                                   rate(&Total::denied)};
}

std::vector<History::Sample> History::samples() const {
  const std::lock_guard lock(mutex_);
  std::vector<Sample> samples;
  for (std::size_t i = count_ - std::min(count_, seconds_max); i < count_; ++i)
    samples.push_back(ring_[i % seconds_max]);
  return samples;
}

EverySecond::EverySecond(std::function<void()> what)
    : thread_([this, what = std::move(what)] {
        std::unique_lock lock(mutex_);
        while (!stopping_.wait_for(lock, std::chrono::seconds(1), [this] { return stop_; })) {
          lock.unlock();
          what();
          lock.lock();
        }
      }) {}

EverySecond::~EverySecond() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_one();
  thread_.join();
}

}  // namespace sallyport
