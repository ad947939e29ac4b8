// What the kernel has on an interface that a port stands on, beside the gateway.
#pragma once

#include <string>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/netlink.h"

namespace sallyport::dataplane {

// An interface's own address in one of the port's networks gives the kernel a second route there, past the twin:
// answers leave by it, neighbours are looked for there, and nothing is forwarded. Throws EnvironmentError with what to
// do. Of any other address it warns: the kernel takes for itself what is sent to it. `there`: of this interface alone.
void check_interface_addresses(const config::PortConfig& port, const std::string& interface,
                               const std::vector<IpAddress>& there, const Log& log);

}  // namespace sallyport::dataplane
