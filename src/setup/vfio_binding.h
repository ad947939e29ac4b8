// A PCI device, handed from the kernel's driver to vfio-pci by sysfs (Documentation/ABI/testing/sysfs-bus-pci): named
// in driver_override, let go by its driver, and looked for a driver again.
#pragma once

#include <string>
#include <vector>

#include "src/setup/port_list.h"
#include "src/setup/sysfs.h"

namespace sallyport::setup {

// Why it cannot or must not be bound, and what to do; empty: it can.
[[nodiscard]] std::string binding_obstacle(const Sysfs& sysfs, const Port& port);

// The other devices of its IOMMU group that a driver of the kernel holds, as "0000:01:00.1 (ixgbe)": VFIO gives out a
// group whole or not at all, when the gateway opens one of them.
[[nodiscard]] std::vector<std::string> group_mates(const Sysfs& sysfs, const std::string& pci);

// Throws EnvironmentError; the device is with its old driver then, as far as that can be.
void bind_to_vfio(const Sysfs& sysfs, const std::string& pci);

}  // namespace sallyport::setup
