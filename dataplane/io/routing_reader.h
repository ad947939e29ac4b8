// Kernel routes, neighbours and addresses of the twins -> what a Routing is made of. Pure.
#pragma once

#include <vector>

#include "dataplane/io/netlink.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

struct RoutingParts {
  std::vector<RouteEntry> routes;          // by prefix; of each the one with the lowest metric
  std::vector<NeighbourEntry> neighbours;  // by port and address
  std::vector<LocalAddress> locals;  // of each port: global ones before link-local ones, else as the kernel has them

  friend bool operator==(const RoutingParts& a, const RoutingParts& b) noexcept;
};

// `twins`: the interface index of each port. Everything on other interfaces is left out: the machine's own network is
// no way for the gateway's packets.
[[nodiscard]] std::vector<RouteEntry> route_entries(const std::vector<KernelRoute>& routes,
                                                    const std::vector<unsigned>& twins);
[[nodiscard]] std::vector<NeighbourEntry> neighbour_entries(const std::vector<KernelNeighbour>& neighbours,
                                                            const std::vector<unsigned>& twins);
// Egress addresses that the twin only answers for are left out.
[[nodiscard]] std::vector<LocalAddress> local_addresses(const std::vector<KernelAddress>& addresses,
                                                        const std::vector<unsigned>& twins);

}  // namespace sallyport::dataplane
