#include "dataplane/io/routing_reader.h"

#include <algorithm>
#include <tuple>

namespace sallyport::dataplane {
namespace {

// no_port: not a twin.
PortIndex port_of(unsigned interface, const std::vector<unsigned>& twins) {
  const auto found = std::find(twins.begin(), twins.end(), interface);
  return found == twins.end() ? no_port : static_cast<PortIndex>(found - twins.begin());
}

bool is_link_local(const IpAddress& address) {
  return address.family == Family::v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

}  // namespace

std::vector<RouteEntry> route_entries(const std::vector<KernelRoute>& routes, const std::vector<unsigned>& twins) {
  struct Candidate {
    RouteEntry entry;
    std::uint32_t metric;
  };
  std::vector<Candidate> candidates;
  for (const KernelRoute& route : routes) {
    const PortIndex port = port_of(route.interface, twins);
    if (port == no_port && route.interface != 0) continue;
    candidates.push_back({{route.prefix, port, route.gateway}, route.metric});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.entry.prefix, a.metric, a.entry.port, a.entry.gateway) <
           std::tie(b.entry.prefix, b.metric, b.entry.port, b.entry.gateway);
  });
  std::vector<RouteEntry> entries;
  for (const Candidate& candidate : candidates) {
    if (entries.empty() || entries.back().prefix != candidate.entry.prefix) entries.push_back(candidate.entry);
  }
  return entries;
}

std::vector<NeighbourEntry> neighbour_entries(const std::vector<KernelNeighbour>& neighbours,
                                              const std::vector<unsigned>& twins) {
  std::vector<NeighbourEntry> entries;
  for (const KernelNeighbour& neighbour : neighbours) {
    const PortIndex port = port_of(neighbour.interface, twins);
    if (port != no_port) entries.push_back({port, neighbour.address, neighbour.mac});
  }
  std::sort(entries.begin(), entries.end(), [](const NeighbourEntry& a, const NeighbourEntry& b) {
    return std::tie(a.port, a.address) < std::tie(b.port, b.address);
  });
  return entries;
}

std::vector<LocalAddress> local_addresses(const std::vector<KernelAddress>& addresses,
                                          const std::vector<unsigned>& twins) {
  std::vector<LocalAddress> locals;
  for (const KernelAddress& address : addresses) {
    const PortIndex port = port_of(address.interface, twins);
    if (port != no_port && !address.egress) locals.push_back({port, address.address});
  }
  std::stable_sort(locals.begin(), locals.end(), [](const LocalAddress& a, const LocalAddress& b) {
    return std::make_tuple(a.port, is_link_local(a.address)) < std::make_tuple(b.port, is_link_local(b.address));
  });
  return locals;
}

bool operator==(const RoutingParts& a, const RoutingParts& b) noexcept {
  const auto same_route = [](const RouteEntry& x, const RouteEntry& y) {
    return std::tie(x.prefix, x.port, x.gateway) == std::tie(y.prefix, y.port, y.gateway);
  };
  const auto same_neighbour = [](const NeighbourEntry& x, const NeighbourEntry& y) {
    return std::tie(x.port, x.address, x.mac) == std::tie(y.port, y.address, y.mac);
  };
  const auto same_local = [](const LocalAddress& x, const LocalAddress& y) {
    return std::tie(x.port, x.address) == std::tie(y.port, y.address);
  };
  return std::equal(a.routes.begin(), a.routes.end(), b.routes.begin(), b.routes.end(), same_route) &&
         std::equal(a.neighbours.begin(), a.neighbours.end(), b.neighbours.begin(), b.neighbours.end(),
                    same_neighbour) &&
         std::equal(a.locals.begin(), a.locals.end(), b.locals.begin(), b.locals.end(), same_local);
}

}  // namespace sallyport::dataplane
