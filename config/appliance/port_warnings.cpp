// Ports that are valid and hardly what was meant.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "config/appliance/readers.h"

namespace sallyport::config {
namespace {

// Of IPv4 the network's own address and its broadcast address, of IPv6 its routers' (RFC 4291 section 2.6.1); networks
// of two addresses have none (RFC 3021, RFC 6164).
std::string_view what_is(const InterfaceAddress& own) {
  const unsigned bits = own.address.family == Family::v4 ? 32 : 128;
  if (own.length + 1U >= bits) return {};
  const Prefix network = network_of(own);
  if (own.address == network.first()) return "the address of the network itself";
  if (own.address.family == Family::v4 && own.address == network.last()) return "the network's broadcast address";
  return {};
}

void warn_of_addresses(const std::vector<PortConfig>& ports, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    for (std::size_t j = 0; j < ports[i].addresses.size(); ++j) {
      const InterfaceAddress& own = ports[i].addresses[j];
      const std::string_view what = what_is(own);
      if (what.empty()) continue;
      diagnostics.warning(
          own.at, fmt::format("port[{}].addresses[{}]", i, j),
          fmt::format("{}/{} is {}; expected one of its hosts", to_string(own.address), own.length, what));
    }
  }
}

const InterfaceAddress* overlapping(const PortConfig& port, const Prefix& network) {
  const auto found = std::find_if(port.addresses.begin(), port.addresses.end(), [&](const InterfaceAddress& own) {
    return network_of(own).contains(network) || network.contains(network_of(own));
  });
  return found == port.addresses.end() ? nullptr : &*found;
}

// The kernel sends what is for both to the longer one, of equals to either.
void warn_of_overlaps(const std::vector<PortConfig>& ports, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    for (std::size_t j = 0; j < ports[i].addresses.size(); ++j) {
      const Prefix network = network_of(ports[i].addresses[j]);
      for (std::size_t k = 0; k < i; ++k) {
        const InterfaceAddress* other = overlapping(ports[k], network);
        if (other == nullptr) continue;
        diagnostics.warning(ports[i].addresses[j].at, fmt::format("port[{}].addresses[{}]", i, j),
                            fmt::format("{} overlaps {} of port[{}]: hosts of both are looked for on one of them only",
                                        to_string(network), to_string(network_of(*other)), k));
      }
    }
  }
}

void warn_of_no_way_out(const std::vector<PortConfig>& ports, Diagnostics& diagnostics) {
  const auto leads_out = [](const PortConfig& port) { return !port.gateway.empty() || !port.routes.empty(); };
  if (std::any_of(ports.begin(), ports.end(), leads_out)) return;
  const auto outside =
      std::find_if(ports.begin(), ports.end(), [](const PortConfig& port) { return port.role != PortRole::inside; });
  if (outside == ports.end()) return;
  diagnostics.warning(outside->at, fmt::format("port[{}].gateway", outside - ports.begin()),
                      "none, of no port: what is not on their networks ends as no_route, unless a routing daemon "
                      "knows the way");
}

// A second default route, behind that of an outside port.
void warn_of_idle_gateways(const std::vector<PortConfig>& ports, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].role != PortRole::inside) continue;
    for (std::size_t j = 0; j < ports[i].gateway.size(); ++j) {
      const IpAddress& gateway = ports[i].gateway[j];
      const bool is_second = std::any_of(ports.begin(), ports.end(), [&](const PortConfig& other) {
        return other.role != PortRole::inside &&
               std::any_of(other.gateway.begin(), other.gateway.end(),
                           [&](const IpAddress& first) { return first.family == gateway.family; });
      });
      if (!is_second) continue;
      diagnostics.warning(ports[i].at, fmt::format("port[{}].gateway[{}]", i, j),
                          fmt::format("{} is never used while the outside port's gateway is there; networks behind it "
                                      "are written routes = [ {{ to = \"NETWORK\", via = \"{}\" }} ]",
                                      to_string(gateway), to_string(gateway)));
    }
  }
}

}  // namespace

void warn_of_ports(const std::vector<PortConfig>& ports, Diagnostics& diagnostics) {
  warn_of_addresses(ports, diagnostics);
  warn_of_overlaps(ports, diagnostics);
  warn_of_no_way_out(ports, diagnostics);
  warn_of_idle_gateways(ports, diagnostics);
}

}  // namespace sallyport::config
