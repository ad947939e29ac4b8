// Who answers for the egress addresses: this box while it is active, nobody here while it stands by (standing.h).
//
//   a new policy, `sallyport ha`  ->  this  ->  EgressAddresses of each outside twin  ->  the kernel answers, or not
//
// Neighbours are told at once, and again after 1, 5 and 10 s: the first announcement may be lost, or come before a
// switch has learned the port. A thread of its own does that, and takes the addresses away when a worker has fenced.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "config/address.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/egress_addresses.h"
#include "dataplane/io/netlink.h"
#include "dataplane/io/wake.h"
#include "dataplane/standing.h"

namespace sallyport::dataplane {

class AddressOwner {
 public:
  AddressOwner(Standing::State first, std::vector<EgressAddresses> twins, Log log);
  ~AddressOwner();
  AddressOwner(const AddressOwner&) = delete;
  AddressOwner& operator=(const AddressOwner&) = delete;

  // The policy's, from now on.
  void set(std::vector<AddressRange> ranges);
  void activate();
  // On return nothing passes any more but the burst that a worker has in hand, and nobody is answered.
  void stand_by();

  [[nodiscard]] Standing& standing() noexcept { return standing_; }
  // To be signalled after Standing::fence().
  [[nodiscard]] Wake& fenced() noexcept { return wake_; }

 private:
  using Clock = std::chrono::steady_clock;

  void serve() noexcept;
  void answer();  // for what is wanted, if it is this box's turn; under mutex_
  void disown();  // under mutex_
  [[nodiscard]] int wait_ms() const;
  void announce_if_due();

  Standing standing_;
  Wake wake_;
  const Log log_;
  mutable std::mutex mutex_;
  Netlink netlink_;                     // under mutex_, as all that follow
  std::vector<EgressAddresses> twins_;  // outside
  std::vector<AddressRange> wanted_;
  Clock::time_point announced_;  // for the first time
  std::size_t repeats_;          // that were made since
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sallyport::dataplane
