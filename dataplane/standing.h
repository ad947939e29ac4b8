// Of two boxes that stand in for each other, is it this one's turn? Read by every worker with each burst.
//
//   active -> leaving -> standby -> active      the control plane: in `leaving` it takes the egress addresses away
//   active -> leaving, fenced                   a worker that finds it was stopped for so long that the other box must
//                                               have taken over; the control plane goes on from there
#pragma once

#include <atomic>
#include <cstdint>

namespace sallyport::dataplane {

class Standing {
 public:
  enum class State : std::uint8_t {
    active,
    leaving,  // nothing passes, not even to the kernel, which answers for the egress addresses still
    standby,  // what is for the gateway itself passes to the kernel, nothing else
  };

  explicit Standing(State first) noexcept : state_(first) {}

  [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_acquire); }
  // Not since the control plane last said what this box is to be.
  [[nodiscard]] bool fenced() const noexcept { return fenced_.load(std::memory_order_acquire); }

  // The control plane.
  void become(State state) noexcept {
    if (state != State::leaving) fenced_.store(false, std::memory_order_release);
    state_.store(state, std::memory_order_release);
  }
  // The addresses of a fenced box are taken away.
  void settle() noexcept { state_.store(State::standby, std::memory_order_release); }

  // A worker. True: it was this call that did it.
  bool fence() noexcept {
    State expected = State::active;
    if (!state_.compare_exchange_strong(expected, State::leaving, std::memory_order_acq_rel)) return false;
    fenced_.store(true, std::memory_order_release);
    return true;
  }

 private:
  std::atomic<State> state_;
  std::atomic<bool> fenced_{false};
};

}  // namespace sallyport::dataplane
