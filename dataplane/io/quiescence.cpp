#include "dataplane/io/quiescence.h"

#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>

#include "dataplane/io/dpdk.h"
#include "dataplane/snapshot.h"

namespace sallyport::dataplane {

Quiescence::Quiescence(std::uint32_t workers, std::unique_ptr<const Snapshot> first) : current_(first.get()) {
  const std::size_t bytes = rte_rcu_qsbr_get_memsize(workers);
  state_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, bytes)));
  if (!state_) throw std::bad_alloc();
  rte_rcu_qsbr_init(state_.get(), workers);
  for (std::uint32_t worker = 0; worker < workers; ++worker) rte_rcu_qsbr_thread_register(state_.get(), worker);
  static_cast<void>(first.release());
}

// Workers have ended.
Quiescence::~Quiescence() { delete current_.load(std::memory_order_relaxed); }

void Quiescence::Free::operator()(rte_rcu_qsbr* state) const noexcept { std::free(state); }

void Quiescence::publish(std::unique_ptr<const Snapshot> next) {
  const std::lock_guard lock(one_publisher_);
  const std::unique_ptr<const Snapshot> old(current_.exchange(next.release(), std::memory_order_acq_rel));
  const std::uint64_t token = rte_rcu_qsbr_start(state_.get());
  // A turn takes microseconds; and the processor may be the one that a worker waits for.
  while (rte_rcu_qsbr_check(state_.get(), token, false) == 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

void Quiescence::online(std::uint32_t worker) noexcept { rte_rcu_qsbr_thread_online(state_.get(), worker); }
void Quiescence::offline(std::uint32_t worker) noexcept { rte_rcu_qsbr_thread_offline(state_.get(), worker); }
void Quiescence::quiescent(std::uint32_t worker) noexcept { rte_rcu_qsbr_quiescent(state_.get(), worker); }

}  // namespace sallyport::dataplane
