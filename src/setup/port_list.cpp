#include "src/setup/port_list.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace sallyport::setup {
namespace {

constexpr long long ethernet = 1;  // ARPHRD_ETHER

// Drivers whose zero-copy AF_XDP makes it worth its while; the others run XDP, too, but copy every frame as af_packet
// does.
constexpr std::array<std::string_view, 5> xdp_drivers = {"i40e", "ice", "igc", "ixgbe", "mlx5_core"};

void read_interface(const Sysfs& sysfs, const KernelNetwork& network, Port& port) {
  const std::string folder = "class/net/" + port.interface + "/";
  port.name = port.interface;
  port.mac = sysfs.line(folder + "address").value_or("");
  port.mtu = sysfs.number(folder + "mtu");
  if (const auto carrier = sysfs.number(folder + "carrier")) port.link = *carrier != 0;
  if (port.driver.empty()) port.driver = sysfs.link(folder + "device/driver");
  if (port.driver.empty()) port.driver = sysfs.exists(folder + "bridge") ? "bridge" : "";
  port.native_xdp = std::find(xdp_drivers.begin(), xdp_drivers.end(), port.driver) != xdp_drivers.end();
  if (const auto found = network.find(port.interface); found != network.end()) port.network = found->second;
}

// The interfaces of a PCI device; those of virtio stand one folder below.
std::vector<std::string> interfaces_of(const Sysfs& sysfs, const std::string& device) {
  std::vector<std::string> found = sysfs.names(device + "/net");
  for (const std::string& child : sysfs.names(device)) {
    if (!child.starts_with("virtio")) continue;
    const std::vector<std::string> below = sysfs.names(fmt::format("{}/{}/net", device, child));
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

void add_pci_ports(const Sysfs& sysfs, const KernelNetwork& network, std::vector<Port>& ports) {
  for (const std::string& address : sysfs.names("bus/pci/devices")) {
    const std::string device = "bus/pci/devices/" + address;
    Port port;
    port.name = port.pci = address;
    port.driver = sysfs.link(device + "/driver");
    port.iommu_group = sysfs.link(device + "/iommu_group");
    if (const auto node = sysfs.number(device + "/numa_node"); node && *node >= 0) port.numa_node = node;
    const auto claimed = network.find(address);
    const bool in_use = claimed != network.end() && claimed->second.in_use;
    port.network.in_use = in_use;
    const std::vector<std::string> interfaces = interfaces_of(sysfs, device);
    const bool controller = sysfs.line(device + "/class").value_or("").starts_with("0x02");
    if (interfaces.empty() && controller) ports.push_back(port);
    for (const std::string& interface : interfaces) {
      Port one = port;
      one.interface = interface;
      read_interface(sysfs, network, one);
      one.network.in_use |= in_use;
      ports.push_back(one);
    }
  }
}

}  // namespace

std::vector<Port> list_ports(const Sysfs& sysfs, const KernelNetwork& network) {
  std::vector<Port> ports;
  add_pci_ports(sysfs, network, ports);
  for (const std::string& interface : sysfs.names("class/net")) {
    const bool listed =
        std::any_of(ports.begin(), ports.end(), [&](const Port& port) { return port.interface == interface; });
    if (listed || interface == "lo" || sysfs.number("class/net/" + interface + "/type") != ethernet) continue;
    Port port;
    port.interface = interface;
    read_interface(sysfs, network, port);
    ports.push_back(port);
  }
  return ports;
}

const Port* find_port(const std::vector<Port>& ports, std::string_view name) {
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const Port& port) {
    return port.name == name || (!port.pci.empty() && (port.pci == name || port.pci == "0000:" + std::string(name)));
  });
  return found == ports.end() ? nullptr : &*found;
}

PortState state_of(const Port& port) {
  if (port.network.default_route) return PortState::default_route;
  if (port.network.in_use) return PortState::in_use;
  if (!port.network.addresses.empty()) return PortState::has_addresses;
  if (!port.interface.empty()) return PortState::free;
  return port.driver.starts_with("vfio") ? PortState::ready : PortState::bind_first;
}

std::string_view to_string(PortState state) noexcept {
  constexpr std::array<std::string_view, 6> texts = {"free",           "has addresses",  "carries the default route",
                                                     "ready for DPDK", "wants vfio-pci", "in use"};
  return texts[static_cast<std::size_t>(state)];
}

std::string device_text(const Port& port) {
  if (port.interface.empty()) return port.pci;
  return (port.native_xdp ? "net_af_xdp,iface=" : "net_af_packet,iface=") + port.interface;
}

}  // namespace sallyport::setup
