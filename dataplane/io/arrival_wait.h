// How a worker with nothing to do gives its processor back: until a frame comes into one of its queues, until somebody
// has put something where it will look, or for a while.
//
// The kernel wakes whoever waits for a packet socket's ring (packet_mmap) or an AF_XDP socket's to have frames in it.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include <poll.h>

#include "dataplane/io/wake.h"

namespace sallyport::dataplane {

class ArrivalWait {
 public:
  // `sockets`: readable when frames have come. They and `wake` outlive it.
  ArrivalWait(std::span<const int> sockets, Wake& wake);

  // Less than a second. Whoever looks for work between two waits misses none that was there before the second.
  void wait(std::chrono::nanoseconds longest) noexcept;

 private:
  std::vector<pollfd> waited_for_;  // the wake's first
  Wake& wake_;
};

}  // namespace sallyport::dataplane
