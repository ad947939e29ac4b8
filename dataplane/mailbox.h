// How the control plane has a small thing done on a worker's own thread, between two bursts: what belongs to a worker
// is touched by nobody else.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <type_traits>

#include "dataplane/io/wake.h"

namespace sallyport::dataplane {

class Mailbox {
 public:
  // `worker`: wakes it. Outlives the mailbox.
  explicit Mailbox(Wake& worker) noexcept : worker_(worker) {}

  // The control plane, any thread: returns when the worker has called `task`, or false when it has ended and will not.
  // The worker waits for nothing, so `task` must be short; a few microseconds.
  template <typename Task>
  bool ask(Task&& task) {
    static_assert(std::is_nothrow_invocable_v<Task>);
    const std::lock_guard lock(one_at_a_time_);
    Letter letter{[](void* context) noexcept { (*static_cast<std::remove_reference_t<Task>*>(context))(); }, &task};
    letter_.store(&letter, std::memory_order_release);
    worker_.signal();
    while (letter_.load(std::memory_order_acquire) != nullptr) {
      if (closed_.load(std::memory_order_acquire)) {
        // Nobody will come for it; unless somebody just did.
        return letter_.exchange(nullptr, std::memory_order_acq_rel) == nullptr;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(10));
    }
    return true;
  }

  // The worker: true where there was a letter.
  bool serve() noexcept {
    Letter* letter = letter_.load(std::memory_order_acquire);
    if (letter == nullptr) return false;
    letter->call(letter->context);
    letter_.store(nullptr, std::memory_order_release);
    return true;
  }
  // The worker, at its end.
  void close() noexcept { closed_.store(true, std::memory_order_release); }

 private:
  struct Letter {
    void (*call)(void*) noexcept;
    void* context;
  };
  Wake& worker_;
  std::mutex one_at_a_time_;
  std::atomic<Letter*> letter_{nullptr};
  std::atomic<bool> closed_{false};
};

}  // namespace sallyport::dataplane
