// Taps on all workers, by the control plane.
#pragma once

#include "dataplane/io/flow_survival.h"
#include "dataplane/tap/tap.h"

namespace sallyport::dataplane {

// False: there are as many already as a worker takes; nothing is attached.
[[nodiscard]] bool attach(const WorkerSeats& seats, Tap& tap);
// From its return on no worker knows of it.
void detach(const WorkerSeats& seats, const Tap& tap);

}  // namespace sallyport::dataplane
