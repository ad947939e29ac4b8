// Which ports' devices bring packets to their workers, and whether they do: for the log.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/io/flow_survival.h"
#include "dataplane/io/port.h"
#include "dataplane/steering_check.h"

namespace sallyport::dataplane {

using Ports = std::vector<std::unique_ptr<Port>>;

// By port: to be watched.
[[nodiscard]] std::vector<bool> steered_ports(const Ports& ports);
// Of started ports, what became of telling them.
void log_steering(const Ports& ports, const Log& log);
// What all workers have seen of a port.
[[nodiscard]] SteeringSums steering_sums(const WorkerSeats& seats, PortIndex port);
// See Gateway.
void judge_steering(const Ports& ports, const WorkerSeats& seats, const Log& log);

}  // namespace sallyport::dataplane
