#include "config/appliance/device.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

bool is_hexadecimal(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  return text.find_first_not_of(digits) == std::string_view::npos;
}

// [DOMAIN:]BUS:DEVICE.FUNCTION
bool is_pci_address(std::string_view address) {
  if (address.size() == 12 && address[4] == ':' && is_hexadecimal(address.substr(0, 4))) address.remove_prefix(5);
  return address.size() == 7 && address[2] == ':' && address[5] == '.' && is_hexadecimal(address.substr(0, 2)) &&
         is_hexadecimal(address.substr(3, 2)) && address[6] >= '0' && address[6] <= '7';
}

// "01:00.0" and "0000:01:00.0" are one device, whatever the case of its letters.
std::string full_pci_address(std::string_view address) {
  std::string full = address.size() == 7 ? "0000:" + std::string(address) : std::string(address);
  std::transform(full.begin(), full.end(), full.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return full;
}

// Drivers that receive by an interface that is there already; others make the one that they name.
bool stands_on_interface(std::string_view driver) {
  return driver.starts_with("net_af_packet") || driver.starts_with("net_af_xdp") || driver.starts_with("net_pcap");
}

std::string_view interface_of(std::string_view arguments) {
  constexpr std::string_view key = "iface=";
  while (!arguments.empty()) {
    const std::size_t comma = std::min(arguments.find(','), arguments.size());
    const std::string_view argument = arguments.substr(0, comma);
    if (argument.starts_with(key)) return argument.substr(key.size());
    arguments.remove_prefix(std::min(comma + 1, arguments.size()));
  }
  return {};
}

// Of a driver that cannot do without one, and names none. A driver's name may have a number behind it.
bool needs_interface(std::string_view device) {
  const std::size_t comma = std::min(device.find(','), device.size());
  const std::string_view driver = device.substr(0, comma);
  const bool stands = driver.starts_with("net_af_packet") || driver.starts_with("net_af_xdp");
  return stands && interface_of(device.substr(comma)).empty();
}

}  // namespace

std::optional<std::string> device_name(const Item& item, Diagnostics& diagnostics) {
  auto device = filled_text(item, diagnostics);
  if (!device) return std::nullopt;
  const bool is_virtual = device->starts_with("net_") && device->size() > 4;
  if (is_virtual && needs_interface(*device)) {
    report(item, diagnostics,
           fmt::format("{} stands on an interface of the kernel: add iface=NAME, such as \"{},iface=eth1\"",
                       in_quotes(*device), device->substr(0, device->find(','))));
    return std::nullopt;
  }
  if (is_virtual || is_pci_address(std::string_view(*device).substr(0, device->find(',')))) return device;
  report(item, diagnostics,
         fmt::format("{}: expected a PCI address such as \"0000:01:00.0\", or a DPDK virtual device such as "
                     "\"net_af_packet,iface=eth1\"",
                     in_quotes(*device)));
  return std::nullopt;
}

std::string hardware_of(std::string_view device) {
  const std::size_t comma = std::min(device.find(','), device.size());
  const std::string_view name = device.substr(0, comma);
  // Representors of one device are ports apart.
  const bool is_part = device.find(",representor=") != std::string_view::npos;
  if (is_pci_address(name))
    return "PCI device " + full_pci_address(name) + std::string(is_part ? device.substr(comma) : "");
  const std::string_view interface =
      stands_on_interface(name) ? interface_of(device.substr(comma)) : std::string_view();
  return interface.empty() ? std::string() : "interface " + in_quotes(interface);
}

}  // namespace sallyport::config
