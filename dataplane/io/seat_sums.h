// What all workers have counted, together; each read without stopping it, or on its own thread between two bursts.
#pragma once

#include <vector>

#include "dataplane/io/flow_survival.h"
#include "dataplane/io/gateway.h"

namespace sallyport::dataplane {

// See Gateway.
[[nodiscard]] std::vector<RuleSum> rules_of(const WorkerSeats& seats);
[[nodiscard]] FullestPorts fullest_ports_of(const WorkerSeats& seats);
[[nodiscard]] std::vector<AddressLoad> address_loads_of(const WorkerSeats& seats);

}  // namespace sallyport::dataplane
