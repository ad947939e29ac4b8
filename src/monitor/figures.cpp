#include "src/monitor/figures.h"

namespace sallyport {

Figures figures_of(const dataplane::Gateway& gateway, const config::ApplianceModel& appliance, const Reloader& reloader,
                   const FlowLog& flow_log) {
  Figures figures;
  figures.name = appliance.name;
  figures.at = std::chrono::system_clock::now();
  for (unsigned i = 0; i < gateway.workers(); ++i) {
    figures.workers.push_back({gateway.worker(i), gateway.counters(i)});
    figures.sums += figures.workers.back().sums;
  }
  figures.ports = gateway.ports();
  figures.rules = gateway.rules();
  figures.fullest = gateway.fullest_ports();
  figures.addresses = gateway.address_loads();
  figures.routing = gateway.routing();
  figures.standing = gateway.standing();
  figures.memory = gateway.memory();
  figures.bound_names = gateway.bound_names();
  figures.outputs = flow_log.outputs();
  figures.flows_max = appliance.limits.flows;
  figures.held_bytes_max = appliance.limits.held_bytes;
  figures.reloads = reloader.counts();
  figures.live = reloader.live();  // after the rules, so these names cover them
  return figures;
}

}  // namespace sallyport
