#include "src/setup/vfio_binding.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::setup {
namespace {

constexpr const char* vfio = "vfio-pci";

std::string device_folder(const std::string& pci) { return "bus/pci/devices/" + pci + "/"; }

// Bridges stay with the kernel, and VFIO does not mind.
bool is_bridge(const Sysfs& sysfs, const std::string& pci) {
  return sysfs.line(device_folder(pci) + "class").value_or("").starts_with("0x06");
}

// A driver may be tried by a thread of the kernel, so it is waited for.
bool comes_to(const Sysfs& sysfs, const std::string& pci, const std::string& driver) {
  using namespace std::chrono_literals;
  for (int attempt = 0; attempt < 40; ++attempt) {
    if (sysfs.link(device_folder(pci) + "driver") == driver) return true;
    std::this_thread::sleep_for(50ms);
  }
  return false;
}

bool without_iommu_allowed(const Sysfs& sysfs) {
  return sysfs.line("module/vfio/parameters/enable_unsafe_noiommu_mode").value_or("N").starts_with("Y");
}

}  // namespace

std::string binding_obstacle(const Sysfs& sysfs, const Port& port) {
  if (port.pci.empty()) return fmt::format("{} is no PCI device: the gateway takes it as an interface", port.name);
  if (port.network.default_route) {
    return fmt::format("{} carries this machine's default route, which would be cut off: move the route first",
                       port.name);
  }
  if (port.network.in_use) {
    return fmt::format("a gateway that runs has {}: stop it first, or name another device", port.name);
  }
  if (!sysfs.exists(std::string("bus/pci/drivers/") + vfio)) {
    return "the kernel has no driver vfio-pci: modprobe vfio-pci";
  }
  if (port.iommu_group.empty() && !without_iommu_allowed(sysfs)) {
    return fmt::format(
        "no IOMMU stands before {}: switch it on in the firmware and by intel_iommu=on or amd_iommu=on on the kernel's "
        "command line; in a virtual machine that has none: echo 1 > "
        "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
        port.pci);
  }
  return {};
}

std::vector<std::string> group_mates(const Sysfs& sysfs, const std::string& pci) {
  std::vector<std::string> held;
  for (const std::string& other : sysfs.names(device_folder(pci) + "iommu_group/devices")) {
    const std::string driver = sysfs.link(device_folder(other) + "driver");
    if (other == pci || driver.empty() || driver.starts_with("vfio") || is_bridge(sysfs, other)) continue;
    held.push_back(fmt::format("{} ({})", other, driver));
  }
  return held;
}

void bind_to_vfio(const Sysfs& sysfs, const std::string& pci) {
  const std::string folder = device_folder(pci);
  const std::string before = sysfs.link(folder + "driver");
  if (before == vfio) return;
  sysfs.write(folder + "driver_override", vfio);
  if (!before.empty()) sysfs.write(folder + "driver/unbind", pci);
  sysfs.write("bus/pci/drivers_probe", pci);
  if (comes_to(sysfs, pci, vfio)) return;
  sysfs.write(folder + "driver_override", "\n");  // none
  sysfs.write("bus/pci/drivers_probe", pci);
  throw dataplane::EnvironmentError(fmt::format("vfio-pci does not take {}, which goes back to {}: dmesg says why", pci,
                                                before.empty() ? "having no driver" : before));
}

}  // namespace sallyport::setup
