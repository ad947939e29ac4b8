// The thread that keeps Routing equal to what the kernel knows of the twins.
//
// It waits for the kernel's announcements, lets a burst of them pass, reads anew what changed and publishes a new value
// if it says something else than the one before. It also asks the kernel for neighbours that workers miss, again and
// again for as long as a packet waits (the kernel forgets about it when the link goes down in between), and has those
// verified that went stale: the kernel itself sends them nothing and would never notice that they are gone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "dataplane/io/control_log.h"
#include "dataplane/io/kernel_changes.h"
#include "dataplane/io/netlink.h"
#include "dataplane/io/spsc_ring.h"
#include "dataplane/io/wake.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

// From a worker.
struct NeighbourRequest {
  PortIndex port = no_port;
  IpAddress address;
};
using NeighbourRequests = SpscRing<NeighbourRequest>;

class KernelRoutes {
 public:
  using Publish = std::function<void(std::shared_ptr<const Routing>)>;
  struct Counts {
    std::uint32_t generation = 0;
    std::size_t routes = 0, neighbours = 0, local_addresses = 0;
  };

  // `twins`: the interface index of each port. One ring of requests for each worker. Throws EnvironmentError.
  KernelRoutes(std::vector<unsigned> twins, std::uint32_t workers, Log log);
  ~KernelRoutes();
  KernelRoutes(const KernelRoutes&) = delete;
  KernelRoutes& operator=(const KernelRoutes&) = delete;

  // What the kernel says now; to be asked before start().
  [[nodiscard]] std::shared_ptr<const Routing> first();
  // From here on `publish` is called, by the thread, with each new value.
  void start(Publish publish);

  // A worker puts its requests here and signals.
  [[nodiscard]] NeighbourRequests& requests(std::uint32_t worker) noexcept { return *requests_[worker]; }
  [[nodiscard]] Wake& wake() noexcept { return wake_; }

  [[nodiscard]] Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Seen;  // what the present value was made from

  void run() noexcept;
  void wait() noexcept;
  // What is announced, and what is announced while the burst passes.
  [[nodiscard]] KernelChanges::Kinds take_burst();
  void refresh(KernelChanges::Kinds kinds);
  [[nodiscard]] std::shared_ptr<const Routing> make();
  void take_requests();
  void ask_for_wanted();
  void verify_stale();
  void ask(unsigned interface, const IpAddress& address) noexcept;

  std::vector<unsigned> twins_;
  Log log_;
  Netlink netlink_;
  KernelChanges changes_;
  Wake wake_;
  std::vector<std::unique_ptr<NeighbourRequests>> requests_;
  Publish publish_;
  std::unique_ptr<Seen> seen_;
  struct Wanted {
    Clock::time_point ask_next;
    Clock::time_point until;
  };
  std::map<std::pair<PortIndex, IpAddress>, Wanted> wanted_;  // neighbours that packets wait for
  Clock::time_point next_look_;
  Clock::duration pause_{};
  mutable std::mutex counts_mutex_;
  Counts counts_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sallyport::dataplane
