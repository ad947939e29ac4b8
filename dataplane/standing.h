// Of two boxes that stand in for each other, is it this one's turn? Read by every worker with each burst.
//
//   active -> leaving -> standby -> active      the control plane: in `leaving` it takes the egress addresses away
//   active -> leaving, fenced                   a worker that finds it was stopped for so long that the other box must
//                                               have taken over; the control plane goes on from there
//
// An active one may drain: what it has goes on, and new flows are another gateway's, if it knows of one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/address.h"

namespace sallyport::dataplane {

class Standing {
 public:
  enum class State : std::uint8_t {
    active,
    leaving,  // nothing passes, not even to the kernel, which answers for the egress addresses still
    standby,  // what is for the gateway itself passes to the kernel, nothing else
  };

  // `others`: where new flows go while this one drains; of a family at most one.
  explicit Standing(State first, const std::vector<IpAddress>& others = {}) noexcept : state_(first) {
    for (const IpAddress& other : others) others_[other.family == Family::v6] = other;
  }

  [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_acquire); }
  // Not since the control plane last said what this box is to be.
  [[nodiscard]] bool fenced() const noexcept { return fenced_.load(std::memory_order_acquire); }

  [[nodiscard]] bool draining() const noexcept { return draining_.load(std::memory_order_acquire); }
  // Whose new flows are now; null: this gateway's own.
  [[nodiscard]] const IpAddress* takes_new_flows(Family family) const noexcept {
    const std::optional<IpAddress>& other = others_[family == Family::v6];
    return other && draining() ? &*other : nullptr;
  }

  // The control plane.
  void drain() noexcept { draining_.store(true, std::memory_order_release); }
  void become(State state) noexcept {
    draining_.store(false, std::memory_order_release);
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
  std::atomic<bool> draining_{false};
  std::array<std::optional<IpAddress>, 2> others_;  // by family; constant
};

}  // namespace sallyport::dataplane
