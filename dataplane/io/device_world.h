// A worker's surroundings in `run`: its queues of the devices, the rings to its neighbours, to the log and to the
// kernel.
//
// Theory of operation. A Packet is a view of an mbuf; before the mbuf goes anywhere its offsets are written back from
// the Packet. From worker to worker the whole Packet travels in the mbuf's private area. Frames are made fit on
// arrival, so that the pipeline need not know what kind of device they came from: in one piece, with their VLAN tag in
// place, with complete checksums, and only if they are addressed to this station or to many.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/counters.h"
#include "dataplane/io/arrival_wait.h"
#include "dataplane/io/kernel_routes.h"
#include "dataplane/io/packet_buffers.h"
#include "dataplane/io/pointer_ring.h"
#include "dataplane/io/port.h"
#include "dataplane/io/spin_lock.h"
#include "dataplane/io/spsc_ring.h"
#include "dataplane/io/twin_pump.h"
#include "dataplane/world.h"

struct rte_mbuf;

namespace sallyport::dataplane {

using FlowRecords = SpscRing<FlowRecord>;

// What a worker counts beside its pipeline. Written by the worker, read by the control plane.
struct WorldCounters {
  struct OfPort {
    Counter other_host;           // frames for another station
    Counter checksums_completed;  // see partial_checksum.h
    Counter to_kernel_lost;       // the ring was full
    Counter from_kernel_lost;     // the device took no more, or was not to
    Counter unseen_packets;       // received, yet ended before a pipeline saw them:
    Counter unseen_bytes;         // no_buffer or queue_full
  };
  std::array<OfPort, ports_max> ports;
  Counter handed_over;  // packets that another worker took
  Counter queue_full;   // packets that it had no room for: count as worker_queue_full
  Counter no_buffer;    // no buffer to bring a packet into one piece: count as buffers_exhausted
  Counter records_lost;
  std::array<Counter, stage_names.size()> stage_cycles;  // by Stage, of bursts that were received
};

// The devices as one worker sees them.
struct WorldSettings {
  struct Lane {
    const Port* port = nullptr;
    std::vector<std::uint16_t> receive_queues;  // this worker's
    std::uint16_t transmit_queue = 0;
    SpinLock* transmit_lock = nullptr;  // where other workers use the queue, too
    TwinLane* twin = nullptr;
    bool home = false;  // this worker sends what the twin sends
  };
  std::uint32_t worker = 0;
  std::vector<Lane> lanes;             // by PortIndex
  std::vector<PointerRing*> arrivals;  // packets handed over to each worker, this one's own among them
  std::vector<Wake*> wakes;            // of each worker: somebody has handed over to it
  const PacketBuffers* buffers = nullptr;
  FlowRecords* records = nullptr;
  NeighbourRequests* requests = nullptr;
  Wake* twin_wake = nullptr;
  Wake* routes_wake = nullptr;
};

class DeviceWorld final : public World {
 public:
  static constexpr std::size_t burst_max = 64;
  static constexpr std::size_t receive_burst = 32;

  explicit DeviceWorld(WorldSettings settings);
  ~DeviceWorld() override;

  // The worker's loop. Everything on the worker's thread.
  [[nodiscard]] const std::vector<std::uint16_t>& receive_queues(PortIndex port) const noexcept;
  // The next frames of a queue into `out`, which has room for receive_burst.
  [[nodiscard]] std::size_t receive(PortIndex port, std::uint16_t queue, std::span<Packet> out) noexcept;
  // The next packets that other workers handed over.
  [[nodiscard]] std::size_t receive_handed_over(std::span<Packet> out) noexcept;
  // The clock of has_passed() starts: a queue is asked for a burst. What it costs to find none is not counted.
  void begin_stages() noexcept;
  // What the kernel sends out of the twins whose home is here; true: there was something. Mute: it is thrown away.
  bool send_from_kernel(bool mute) noexcept;
  // Can it sleep until there is something to do? Each of its queues has to wake it.
  [[nodiscard]] bool can_wait() const noexcept { return wait_.has_value(); }
  void wait(std::chrono::nanoseconds longest) noexcept { wait_->wait(longest); }
  // From now on a full ring of records is waited for, for as long as somebody reads it.
  void wait_for_records() noexcept { patient_ = true; }

  [[nodiscard]] const WorldCounters& counters() const noexcept { return counters_; }

  // World
  [[nodiscard]] std::size_t transmit(PortIndex port, std::span<Packet> packets) noexcept override;
  void release(std::span<Packet> packets) noexcept override;
  [[nodiscard]] bool allocate(std::uint32_t length, Packet& packet) noexcept override;
  void to_kernel(PortIndex port, Packet packet) noexcept override;
  [[nodiscard]] std::size_t hand_over(std::uint32_t worker, std::span<Packet> packets) noexcept override;
  void record(const FlowRecord& record) noexcept override;
  void has_passed(Stage stage) noexcept override;
  void resolve(PortIndex port, const IpAddress& next_hop) noexcept override;

 private:
  struct LaneState;
  // Null: the frame has ended here.
  [[nodiscard]] rte_mbuf* make_fit(LaneState& lane, rte_mbuf* frame) noexcept;
  [[nodiscard]] rte_mbuf* into_one_buffer(LaneState& lane, rte_mbuf* frame) noexcept;
  // How many the device took, the first ones.
  [[nodiscard]] std::size_t send(LaneState& lane, std::span<rte_mbuf*> frames) noexcept;

  WorldSettings settings_;
  std::vector<LaneState> lanes_;
  std::optional<ArrivalWait> wait_;
  WorldCounters counters_;
  bool patient_ = false;
  std::uint64_t stage_began_ = 0;  // clock cycles
};

}  // namespace sallyport::dataplane
