// The ports that a gateway could have: network controllers on PCI, and Ethernet interfaces of the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/setup/kernel_network.h"
#include "src/setup/sysfs.h"

namespace sallyport::setup {

struct Port {
  std::string name;       // of the interface; of a device that has none, its PCI address
  std::string interface;  // empty: the kernel has none
  std::string pci;        // "0000:01:00.0"; empty: not on PCI
  std::string driver;     // empty: none, or none that shows
  std::string mac;
  std::optional<long long> mtu;
  std::optional<bool> link;  // absent: the interface is down, or nobody but its driver knows
  bool native_xdp = false;   // else the kernel runs XDP behind the driver, which is no faster than af_packet
  InterfaceNetwork network;
  std::string iommu_group;  // empty: no IOMMU stands before it
  std::optional<long long> numa_node;
};

// PCI devices of the class "network controller", then the interfaces that stand on no PCI device. A device with several
// interfaces stands once for each.
[[nodiscard]] std::vector<Port> list_ports(const Sysfs& sysfs, const KernelNetwork& network);

// By name, interface or PCI address ("01:00.0" is 0000:01:00.0). Null: there is none.
[[nodiscard]] const Port* find_port(const std::vector<Port>& ports, std::string_view name);

enum class PortState : std::uint8_t {
  free,           // an interface that nothing uses
  has_addresses,  // one that the machine itself speaks by
  default_route,  // one that must not be taken: this machine would be cut off
  ready,          // a PCI device that waits for DPDK
  bind_first,     // a PCI device that no driver has
  in_use,         // one that a gateway has, which runs
};
[[nodiscard]] PortState state_of(const Port& port);
// "has addresses"
[[nodiscard]] std::string_view to_string(PortState state) noexcept;

// "net_af_packet,iface=eth1", or the PCI address of a device that is bound to vfio-pci.
[[nodiscard]] std::string device_text(const Port& port);

}  // namespace sallyport::setup
