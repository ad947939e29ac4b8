// Publishing to workers that read without locks (RCU, by rte_rcu_qsbr).
//
// The control plane exchanges one pointer and waits until every worker has said "quiescent" once: from then on nobody
// can hold the old one. A worker says so between two turns of its loop, when it holds nothing.
//
//   control:  old = exchange(next);  wait_for_workers();  free old
//   worker:   snapshot = current();  .. one turn ..  quiescent()
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

struct rte_rcu_qsbr;

namespace sallyport::dataplane {

struct Snapshot;

class Quiescence {
 public:
  Quiescence(std::uint32_t workers, std::unique_ptr<const Snapshot> first);
  ~Quiescence();
  Quiescence(const Quiescence&) = delete;
  Quiescence& operator=(const Quiescence&) = delete;

  // Control plane, any thread: from its return on no worker holds the one before, which is freed.
  void publish(std::unique_ptr<const Snapshot> next);

  // A worker, on its own thread. Offline means: sleeps, or has ended, and holds nothing.
  void online(std::uint32_t worker) noexcept;
  void offline(std::uint32_t worker) noexcept;
  void quiescent(std::uint32_t worker) noexcept;
  // Valid until the worker's next quiescent() or offline().
  [[nodiscard]] const Snapshot& current() const noexcept { return *current_.load(std::memory_order_acquire); }

 private:
  struct Free {
    void operator()(rte_rcu_qsbr* state) const noexcept;
  };
  std::mutex one_publisher_;
  std::unique_ptr<rte_rcu_qsbr, Free> state_;
  std::atomic<const Snapshot*> current_;
};

}  // namespace sallyport::dataplane
