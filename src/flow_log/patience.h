// How long to wait for somebody who should read: a second, and once it was in vain no more, until something is taken
// again. So who never reads costs a second in all, not a second each time.
#pragma once

#include <poll.h>

namespace sallyport {

class Patience {
 public:
  // Until the descriptor takes bytes, or is broken. False: it does not take any.
  [[nodiscard]] bool wait_writable(int descriptor) noexcept {
    constexpr int patience_ms = 1000;
    pollfd waiting{descriptor, POLLOUT, 0};
    patient_ = poll(&waiting, 1, patient_ ? patience_ms : 0) == 1;
    return patient_ && (waiting.revents & POLLOUT) != 0;
  }

 private:
  bool patient_ = true;
};

}  // namespace sallyport
