#include "src/replay_setup.h"

#include <algorithm>

#include <fmt/format.h>

namespace sallyport {
namespace {

using config::PortRole;

void set_common(ReplaySetup& setup) {
  setup.settings.seed = 0;
  setup.settings.unsegmented = true;
  setup.settings.kernel = false;
  setup.settings.records_at_end = true;
}

dataplane::PortIndex first_port(const config::ApplianceModel& model, PortRole role) {
  const auto found = std::find_if(model.ports.begin(), model.ports.end(), [role](const config::PortConfig& port) {
    return port.role == role || port.role == PortRole::both;
  });
  return static_cast<dataplane::PortIndex>(found == model.ports.end() ? 0 : found - model.ports.begin());
}

}  // namespace

ReplaySetup plain_setup() {
  ReplaySetup setup;
  setup.settings.ports = {{.role = PortRole::inside, .any_vlan = true}, {.role = PortRole::outside, .any_vlan = true}};
  setup.settings.nat.source_check = false;
  setup.port_names = {"inside", "outside"};
  setup.inside = 0;
  setup.outside = 1;
  set_common(setup);
  return setup;
}

ReplaySetup configured_setup(const config::ApplianceModel& model) {
  ReplaySetup setup;
  for (const config::PortConfig& port : model.ports) {
    const auto index = static_cast<dataplane::PortIndex>(setup.port_names.size());
    setup.port_names.push_back(port.name);
    setup.settings.ports.push_back({.role = port.role, .mtu = port.mtu, .vlan = {port.vlan, port.service_vlan}});
    for (const config::InterfaceAddress& at : port.addresses) {
      setup.addresses.push_back({index, at.address});
      const auto network = parse_prefix(fmt::format("{}/{}", to_string(at.address), at.length));
      if (port.role != PortRole::outside) setup.settings.inside_networks.push_back(network->prefix);
    }
  }
  setup.tunnels = dataplane::Tunnels::of(model);
  setup.settings.tunnels = setup.tunnels != nullptr;
  setup.settings.limits = model.limits;
  setup.settings.timeouts = model.timeouts;
  setup.settings.nat = model.nat;
  setup.inside = first_port(model, PortRole::inside);
  setup.outside = first_port(model, PortRole::outside);
  set_common(setup);
  return setup;
}

void tolerate_captures(ReplaySetup& setup) {
  setup.settings.verify_ip_checksum = false;
  setup.settings.nat.tcp_midstream = true;
}

void fit_tables(ReplaySetup& setup, std::uint64_t capture_bytes) {
  constexpr std::uint64_t flows_at_least = 1U << 16U;
  constexpr std::uint64_t packet_bytes_least = 16 + 20;  // a record's head, an IP header
  const std::uint64_t packets = capture_bytes / packet_bytes_least;
  auto& flows = setup.settings.limits.flows;
  flows = static_cast<std::uint32_t>(std::min<std::uint64_t>(flows, std::max(packets, flows_at_least)));
}

}  // namespace sallyport
