// A lock around a few hundred nanoseconds: a transmit queue that several workers share, where a device has too few.
#pragma once

#include <atomic>

#include <sched.h>

namespace sallyport::dataplane {

class SpinLock {
 public:
  void lock() noexcept {
    for (unsigned tries = 1; taken_.test_and_set(std::memory_order_acquire); ++tries) {
      // The holder may have lost its processor, maybe to us.
      if (tries % 1024 == 0) ::sched_yield();
      __builtin_ia32_pause();
    }
  }
  void unlock() noexcept { taken_.clear(std::memory_order_release); }

 private:
  std::atomic_flag taken_;
};

}  // namespace sallyport::dataplane
