// The thread that moves frames between wires and their kernel twins.
//
//   wire -> worker -> TwinLane::to_kernel -> this thread -> twin          wake().signal() after the push
//   twin -> this thread -> TwinLane::to_wire -> the port's home worker -> wire     home.signal() after the push
//
// A twin speaks untagged; on a port with VLANs the tags are taken off and put on here. The twin's carrier follows the
// wire's link, so that routing protocols, keepalived and our own routes see it; the kernel forgets its neighbours then.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "dataplane/counters.h"
#include "dataplane/io/kernel_twin.h"
#include "dataplane/io/netlink.h"
#include "dataplane/io/pointer_ring.h"
#include "dataplane/io/port.h"
#include "dataplane/io/wake.h"

struct rte_mempool;

namespace sallyport::dataplane {

struct TwinLane {
  static constexpr std::uint32_t ring_capacity = 1024;  // frames, each way

  TwinLane(const Port& of, rte_mempool* buffers, std::unique_ptr<KernelTwin> its_twin, Wake& its_home)
      : port(of), pool(buffers), twin(std::move(its_twin)), home(its_home) {}

  const Port& port;
  rte_mempool* pool;
  std::unique_ptr<KernelTwin> twin;
  Wake& home;  // of the worker that takes what is to_wire
  PointerRing to_kernel{ring_capacity};
  PointerRing to_wire{ring_capacity};
  Counter written, write_lost;  // the pump's thread: into the twin
  Counter read, read_lost;      // the pump's thread: out of the twin
};

class TwinPump {
 public:
  explicit TwinPump(std::vector<std::unique_ptr<TwinLane>>& lanes);
  // Workers have ended or do not use the lanes any more.
  ~TwinPump();
  TwinPump(const TwinPump&) = delete;
  TwinPump& operator=(const TwinPump&) = delete;

  [[nodiscard]] Wake& wake() noexcept { return wake_; }
  // Links mean something from here on: devices have been started.
  void follow_links() noexcept { links_.store(true, std::memory_order_release); }
  // An untagged frame to the wire, as if the kernel had sent it. Any thread of the control plane.
  void send(TwinLane& lane, std::span<const std::uint8_t> frame) noexcept;

 private:
  void run() noexcept;
  void look_at_links() noexcept;
  void discard() noexcept;  // what the kernel has to send
  void from_wire(TwinLane& lane) noexcept;
  void from_kernel(TwinLane& lane) noexcept;

  std::vector<std::unique_ptr<TwinLane>>& lanes_;
  Netlink netlink_;  // this thread's
  Wake wake_;
  std::atomic<bool> links_{false};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sallyport::dataplane
