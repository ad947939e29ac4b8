// What a replay runs: the ports, limits and switches of a configuration, or of the two plain wires that there are
// without one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/pipeline.h"
#include "dataplane/routing.h"
#include "dataplane/tunnels.h"

namespace sallyport {

struct ReplaySetup {
  dataplane::PipelineSettings settings;
  std::vector<std::string> port_names;                // of every port
  std::vector<dataplane::LocalAddress> addresses;     // the gateway's own, that it speaks from
  std::shared_ptr<const dataplane::Tunnels> tunnels;  // null: none
  dataplane::PortIndex inside = 0;  // where packets come in and leave; the same one for a gateway on a stick
  dataplane::PortIndex outside = 0;
};

// One inside and one outside wire: MTU 1500, any VLAN, no source check.
[[nodiscard]] ReplaySetup plain_setup();
// As configured; of several inside or outside ports the first.
[[nodiscard]] ReplaySetup configured_setup(const config::ApplianceModel& model);

// Captures of one wire are seldom clean.
void tolerate_captures(ReplaySetup& setup);
// Tables no larger than a capture of that size could ever fill.
void fit_tables(ReplaySetup& setup, std::uint64_t capture_bytes);

}  // namespace sallyport
