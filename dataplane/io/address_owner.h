// Who answers for the egress addresses: this box while it is active, nobody here while it stands by (standing.h).
//
//   a new policy, `sallyport ha`  ->  this  ->  EgressAddresses of each outside twin  ->  the kernel answers, or not
//                                            ->  EgressRoutes, NextHop  ->  a routing daemon announces, or withdraws
//
// Neighbours are told at once, and again after 1, 5 and 10 s: the first announcement may be lost, or come before a
// switch has learned the port. So is a routing daemon told of the twins' own addresses: zebra of FRR loses one that it
// hears of before it has taken note of its interface. A thread of its own does that, and takes the addresses away when
// a worker has fenced.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "config/address.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/egress_addresses.h"
#include "dataplane/io/egress_routes.h"
#include "dataplane/io/netlink.h"
#include "dataplane/io/next_hop.h"
#include "dataplane/io/wake.h"
#include "dataplane/standing.h"

namespace sallyport::dataplane {

class AddressOwner {
 public:
  // What it tells the kernel, on which twins.
  struct Places {
    std::vector<EgressAddresses> answers;      // outside
    std::vector<EgressRoutes> routes;          // outside, where routing daemons are to know
    NextHop next_hop;                          // inside
    std::function<void(Netlink&)> tell_again;  // of all twins' own addresses; empty: there is no routing daemon
  };
  // `others`: see Standing.
  AddressOwner(Standing::State first, const std::vector<IpAddress>& others, Places places, Log log);
  ~AddressOwner();
  AddressOwner(const AddressOwner&) = delete;
  AddressOwner& operator=(const AddressOwner&) = delete;

  // The policy's, from now on.
  void set(std::vector<AddressRange> ranges);
  void activate();
  // On return nothing passes any more but the burst that a worker has in hand, and nobody is answered.
  void stand_by();
  // Of an active one only: new flows are another's, what there is goes on. activate() ends it.
  void drain();
  // The senders' next hop, of the families that this gateway can forward; of none while it stands by.
  void offer_next_hop(bool v4, bool v6);

  [[nodiscard]] Standing& standing() noexcept { return standing_; }
  // To be signalled after Standing::fence().
  [[nodiscard]] Wake& fenced() noexcept { return wake_; }

 private:
  using Clock = std::chrono::steady_clock;

  // What is said at once is said again so often.
  class Repeats {
   public:
    void begin();
    void stop();
    [[nodiscard]] int wait_ms() const;  // until the next one; -1: there is none
    [[nodiscard]] bool is_due();        // and counts as said then

   private:
    Clock::time_point since_;
    std::size_t made_ = SIZE_MAX;  // as many as there are to be, or more: none is
  };

  void serve() noexcept;
  void answer();  // for what is wanted, if it is this box's turn; under mutex_
  void disown();  // under mutex_
  [[nodiscard]] int wait_ms() const;
  void announce_if_due();
  void tell_if_due();

  Standing standing_;
  Wake wake_;
  const Log log_;
  mutable std::mutex mutex_;
  Netlink netlink_;  // under mutex_, as all that follow
  Places places_;
  std::vector<AddressRange> wanted_;
  Repeats announcements_, tellings_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sallyport::dataplane
