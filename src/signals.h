// Signals as events that one thread reads; nobody is interrupted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "src/descriptor.h"

namespace sallyport {

enum class Signal : std::uint8_t {
  stop,    // SIGTERM, SIGINT
  reload,  // SIGHUP
  reopen,  // SIGUSR1: logs
};

class Signals {
 public:
  // Blocks them for this thread and for the threads it makes from now on; so it stands before any of these. SIGPIPE is
  // ignored: a reader that went away is an error of writing.
  Signals();

  // The next one; none: nothing came in time.
  [[nodiscard]] std::optional<Signal> wait(std::chrono::milliseconds at_most) const;

 private:
  Descriptor events_;
};

}  // namespace sallyport
