// How much of an overloaded worker's time new flows may take: an eighth.
//
// To open a flow, hold its hello and read it costs what ten or twenty packets of established flows do, so a flood of
// new connections that nobody limits would leave them little, the less the more there is to read. While packets wait
// for the worker (`strained`: its queues have not run empty for long), what it spends on flows that are not decided yet
// is taken off an account into which an eighth of its time is paid. Where the account is overdrawn, packets that would
// open a flow end as Drop::worker_overloaded, before anything is asked about them; they cost less than a packet that
// passes, the queues run empty, and new flows are welcome again. Where hardly anything but new flows comes, nobody
// needs the time that they take, and all of it is paid in.
//
// Cycles of the processor's time stamp counter: what is measured is real time, whatever time the pipeline is told.
// Never strained, as in a replay, it measures nothing and allows everything.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <x86intrin.h>

namespace sallyport::dataplane {

class OpeningBudget {
 public:
  using Cycles = std::int64_t;

  // True: packets wait.
  void set_strained(bool strained) noexcept {
    strained_ = strained;
    if (!strained) balance_ = credit;
  }
  [[nodiscard]] bool strained() const noexcept { return strained_; }
  [[nodiscard]] bool overdrawn() const noexcept { return balance_ < 0; }

  // A burst of so many packets took `whole`; `opening` of that was for `new_packets` of flows that are not decided.
  void settle(std::size_t packets, std::size_t new_packets, Cycles whole, Cycles opening) noexcept {
    const bool needed = (packets - new_packets) * few >= packets;
    // A worker that was stopped meanwhile, or waited for the kernel to find memory, owes no more than can be paid soon.
    balance_ = std::clamp(balance_ + (needed ? whole / share : whole) - opening, -credit, credit);
  }

  // Around a burst.
  void begin_burst() noexcept {
    if (!strained_) [[likely]]
      return;
    new_packets_ = 0;
    opening_ = 0;
    began_ = __rdtsc();
  }
  void end_burst(std::size_t packets) noexcept {
    if (!strained_) [[likely]]
      return;
    settle(packets, new_packets_, static_cast<Cycles>(__rdtsc() - began_), opening_);
  }
  // Around the way of a packet of a burst, where strained() and its flow is not decided yet. `known`: it is of a flow;
  // what merely refuses to open one is not charged.
  class Stretch {
   public:
    Stretch(OpeningBudget* budget, bool known) noexcept : budget_(budget) {
      if (budget == nullptr) [[likely]]
        return;
      ++budget->new_packets_;
      charged_ = known || !budget->overdrawn();
      if (charged_) began_ = __rdtsc();
    }
    ~Stretch() {
      if (budget_ != nullptr && charged_) budget_->opening_ += static_cast<Cycles>(__rdtsc() - began_);
    }
    Stretch(const Stretch&) = delete;
    Stretch& operator=(const Stretch&) = delete;

   private:
    OpeningBudget* budget_;
    bool charged_ = false;
    std::uint64_t began_ = 0;
  };

  static constexpr Cycles credit = 2'000'000;  // below a millisecond, either way
  static constexpr Cycles share = 8;

 private:
  static constexpr std::size_t few = 16;  // fewer than one in so many packets need no time kept for them

  Cycles balance_ = credit;
  Cycles opening_ = 0;  // of the present burst
  std::size_t new_packets_ = 0;
  std::uint64_t began_ = 0;
  bool strained_ = false;
};

}  // namespace sallyport::dataplane
