#include "dataplane/io/taps.h"

namespace sallyport::dataplane {

bool attach(const WorkerSeats& seats, Tap& tap) {
  for (const auto& seat : seats) {
    bool taken = true;  // a worker that has ended sees nothing any more
    (void)seat->ask_taps([&](TapPoint& point) noexcept { taken = point.attach(tap); });
    if (taken) continue;
    detach(seats, tap);
    return false;
  }
  return true;
}

void detach(const WorkerSeats& seats, const Tap& tap) {
  for (const auto& seat : seats) (void)seat->ask_taps([&](TapPoint& point) noexcept { point.detach(tap); });
}

}  // namespace sallyport::dataplane
