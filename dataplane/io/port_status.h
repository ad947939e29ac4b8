// A port as the control plane sees it: what it is, and what its device, its twin and all workers have counted there.
#pragma once

#include "dataplane/io/flow_survival.h"
#include "dataplane/io/gateway.h"
#include "dataplane/io/twin_pump.h"

namespace sallyport::dataplane {

[[nodiscard]] PortStatus port_status(const TwinLane& lane, const WorkerSeats& seats);

}  // namespace sallyport::dataplane
