#include "src/setup/listing.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "src/list_text.h"
#include "src/terminal.h"

namespace sallyport::setup {
namespace {

using nlohmann::json;

std::string link_text(const Port& port) {
  if (!port.link) return port.interface.empty() ? "-" : "down";
  return *port.link ? "up" : "no carrier";
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

json to_json(const Port& port) {
  json one = {{"name", port.name},
              {"interface", port.interface},
              {"pci", port.pci},
              {"driver", port.driver},
              {"mac", port.mac},
              {"xdp", port.interface.empty() ? "none"
                      : port.native_xdp      ? "native"
                                             : "generic"},
              {"addresses", port.network.addresses},
              {"default_route", port.network.default_route},
              {"iommu_group", port.iommu_group},
              {"state", to_string(state_of(port))},
              {"device", device_text(port)}};
  one["mtu"] = port.mtu ? json(*port.mtu) : json();
  one["link"] = port.link ? json(*port.link) : json();
  one["numa_node"] = port.numa_node ? json(*port.numa_node) : json();
  return one;
}

}  // namespace

std::string listing_text(const std::vector<Port>& ports, const std::vector<HugePages>& pages) {
  Table table({"PORT", "PCI", "DRIVER", "LINK", "XDP", "ADDRESSES", "STATE"});
  for (const Port& port : ports) {
    table.add({port.name, or_dash(port.pci), or_dash(port.driver), link_text(port),
               port.interface.empty() ? "-"
               : port.native_xdp      ? "native"
                                      : "generic",
               or_dash(list_text(port.network.addresses)), std::string(to_string(state_of(port)))});
  }
  std::string text = ports.empty() ? "no port that a gateway could have\n" : table.text();
  for (const HugePages& size : pages) {
    text += fmt::format("huge pages of {} MiB: {}, {} free\n", size.page_bytes >> 20U, size.total, size.free);
  }
  return text;
}

json listing_json(const std::vector<Port>& ports, const std::vector<HugePages>& pages) {
  json all = {{"ports", json::array()}, {"huge_pages", json::array()}};
  for (const Port& port : ports) all["ports"].push_back(to_json(port));
  for (const HugePages& size : pages) {
    all["huge_pages"].push_back({{"page_bytes", size.page_bytes}, {"total", size.total}, {"free", size.free}});
  }
  return all;
}

}  // namespace sallyport::setup
