#include "dataplane/io/port_status.h"

#include "dataplane/io/kernel_twin.h"
#include "dataplane/io/steering_report.h"

namespace sallyport::dataplane {

PortStatus port_status(const TwinLane& lane, const WorkerSeats& seats) {
  const Port& port = lane.port;
  PortStatus status;
  status.name = port.config().name;
  status.role = port.config().role;
  status.device = port.config().device;
  status.driver = port.driver();
  status.twin = lane.twin->name();
  status.mac = port.mac();
  status.mtu = port.config().mtu;
  status.vlan = port.config().vlan;
  status.service_vlan = port.config().service_vlan;
  status.receive_queues = port.receive_queues();
  status.transmit_queues = port.transmit_queues();
  const DeviceSteering::Status steering = port.steering().status();
  status.steering = steering.by;
  status.steering_refused = steering.why_not;
  SteeringSums seen;
  if (steering.by != Steering::rings) seen = steering_sums(seats, port.index());
  if (steering.by != Steering::device) seen.v6 = {};
  status.steered = seen.v4.as_told + seen.v6.as_told;
  status.missteered = seen.v4.elsewhere + seen.v6.elsewhere;
  const Port::Link link = port.link();
  status.link_up = link.up;
  status.link_mbps = link.mbps;
  const Port::DeviceCounts counts = port.counts();
  status.missed = counts.missed;
  status.no_buffer = counts.no_buffer;
  status.receive_errors = counts.receive_errors;
  status.transmit_errors = counts.transmit_errors;
  status.to_kernel = lane.written.get();
  status.to_kernel_lost = lane.write_lost.get();
  status.from_kernel = lane.read.get();
  status.from_kernel_lost = lane.read_lost.get();
  for (const auto& seat : seats) {
    const WorldCounters::OfPort& world = seat->world_counters().ports[port.index()];
    status.other_host += world.other_host.get();
    status.checksums_completed += world.checksums_completed.get();
    status.to_kernel_lost += world.to_kernel_lost.get();
    status.from_kernel_lost += world.from_kernel_lost.get();
  }
  return status;
}

}  // namespace sallyport::dataplane
