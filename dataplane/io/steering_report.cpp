#include "dataplane/io/steering_report.h"

namespace sallyport::dataplane {

std::vector<bool> steered_ports(const Ports& ports) {
  std::vector<bool> steered;
  for (const auto& port : ports) steered.push_back(port->steering().by_device());
  return steered;
}

void log_steering(const Ports& ports, const Log& log) {
  for (const auto& port : ports) {
    const DeviceSteering::Status status = port->steering().status();
    if (status.by == Steering::nobody) continue;
    std::string text = "the device brings packets to their workers";
    if (status.by == Steering::device_ipv4) text += ", those of IPv4; IPv6 changes workers by ring";
    if (status.by == Steering::rings) text = "packets change workers by ring: " + status.why_not;
    log(Severity::info, "port " + port->config().name + ": " + text);
  }
}

SteeringSums steering_sums(const WorkerSeats& seats, PortIndex port) {
  SteeringSums sums;
  for (const auto& seat : seats) seat->counters().steering[port].add_to(sums);
  return sums;
}

void judge_steering(const Ports& ports, const WorkerSeats& seats, const Log& log) {
  for (const auto& port : ports) {
    const auto verdict = port->judge_steering(steering_sums(seats, port->index()));
    if (verdict) log(verdict->severity, "port " + port->config().name + ": " + verdict->text);
  }
}

}  // namespace sallyport::dataplane
