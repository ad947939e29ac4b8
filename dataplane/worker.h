// One worker: a thread on a processor of its own that takes packets from its queues, and runs each to completion.
//
//   receive -> mine? -> pipeline -> transmit        else into the owner's ring: each source belongs to one worker
//   what others handed over -> pipeline
//   what the kernel's twins send -> transmit
//   time -> pipeline
//
// The clock and the snapshot are read once a turn. With nothing to do it spins for a little, naps for a little, and
// then sleeps until a frame or somebody wakes it; on devices that wake nobody it naps for longer and longer, up to 50
// microseconds (idle = "adaptive"). Or it spins for ever ("busy").
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/counters.h"
#include "dataplane/io/device_world.h"
#include "dataplane/io/quiescence.h"
#include "dataplane/io/wake.h"
#include "dataplane/mailbox.h"
#include "dataplane/pipeline.h"
#include "dataplane/standing.h"
#include "dataplane/steering_check.h"
#include "dataplane/tap/tap_point.h"

namespace sallyport::dataplane {

struct WorkerSettings {
  std::uint32_t number = 0;
  std::uint32_t workers = 1;
  std::vector<config::PortRole> roles;  // of each port
  config::IdleMode idle = config::IdleMode::adaptive;
  std::uint32_t piece_ports = 0;  // port_choice.h
  std::vector<bool> steered;      // of each port: its device was told whose packets are whose
  // Whoever was stopped between two turns for longer than this (nanoseconds; 0: never) takes it that another gateway
  // forwards by now.
  std::uint64_t fence_after_ns = 0;
  Standing* standing = nullptr;  // where there is a fence, and who is to be told
  Wake* fenced = nullptr;
};

// Written by the worker, read by the control plane.
struct WorkerCounters {
  Counter turns;  // the heartbeat
  Counter busy_cycles;
  Counter idle_cycles;
  std::array<SteeringCheck, ports_max> steering;  // of ports that are steered by their devices
};

class Worker {
 public:
  // All of these outlive it.
  Worker(WorkerSettings settings, DeviceWorld& world, Pipeline& pipeline, Quiescence& quiescence, Mailbox& mailbox);

  // On the worker's own thread, until told to end.
  void run() noexcept;

  enum class End : std::uint8_t {
    not_yet,
    halted,  // no packet moves any more, the mailbox is still served: what stands in the tables can be read in peace
    at_once,
    gracefully,  // every living flow is recorded first
  };
  // The control plane.
  void end(End how) noexcept { end_.store(how, std::memory_order_release); }
  [[nodiscard]] const WorkerCounters& counters() const noexcept { return counters_; }
  // On the worker's own thread.
  [[nodiscard]] TapPoint& taps() noexcept { return taps_; }

 private:
  [[nodiscard]] bool turn() noexcept;
  [[nodiscard]] bool fence_if_late(Instant now) noexcept;  // true: this turn is
  // At once, out of a queue.
  enum class Came : std::uint8_t { nothing, some, as_much_as_fits };
  [[nodiscard]] Came receive(PortIndex port, Instant now, const Snapshot& snapshot) noexcept;
  [[nodiscard]] Came take_handed_over(Instant now, const Snapshot& snapshot) noexcept;
  void watch_queues(Came most) noexcept;
  void process(PortIndex port, std::span<Packet> packets, Instant now, const Snapshot& snapshot) noexcept;
  void advance(Instant now, const Snapshot& snapshot) noexcept;
  // Moves the packets of others out; answers how many are left at the front.
  [[nodiscard]] std::size_t sort_out(PortIndex port, std::span<Packet> packets, const Snapshot& snapshot) noexcept;
  void check_steering(PortIndex port, std::span<const Packet> packets) noexcept;
  [[nodiscard]] std::uint32_t owner_of(const Packet& packet, PortIndex port, const Snapshot& snapshot) const noexcept;
  void rest(bool busy) noexcept;
  void sleep(std::uint32_t naps) noexcept;
  void count_cycles(bool busy) noexcept;

  WorkerSettings settings_;
  DeviceWorld& world_;
  Pipeline& pipeline_;
  Quiescence& quiescence_;
  Mailbox& mailbox_;
  TapPoint taps_;
  WorkerCounters counters_;
  std::atomic<End> end_{End::not_yet};
  std::uint64_t cycles_ = 0;  // at the end of the last turn
  std::uint32_t idle_turns_ = 0;
  std::uint32_t full_turns_ = 0;  // one after the other, in which a queue gave as much as could be taken
  Instant last_turn_ = 0;         // began then
};

}  // namespace sallyport::dataplane
