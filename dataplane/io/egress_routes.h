// The egress addresses as routes in the kernel's main table, for a routing daemon beside the gateway to announce ([ha]
// egress_routes). The kernel itself never goes by them: its local table, which answers for the addresses, comes first.
// They are on an outside twin, so that they are gone with its carrier, and with the process.
#pragma once

#include <set>
#include <vector>

#include "config/address.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/netlink.h"

namespace sallyport::dataplane {

inline constexpr std::size_t egress_routes_max = 4096;

// The fewest prefixes that make up the ranges each by itself; of more than egress_routes_max the lowest.
[[nodiscard]] std::set<Prefix> route_prefixes(const std::vector<AddressRange>& ranges);

class EgressRoutes {
 public:
  // `metric`: over that of any daemon; of several outside twins the lowest counts.
  EgressRoutes(unsigned interface, std::uint32_t metric) : interface_(interface), metric_(metric) {}

  // What there should be from now on. What the kernel refuses is logged and tried again the next time.
  void set(const std::vector<AddressRange>& ranges, Netlink& netlink, const Log& log);

 private:
  unsigned interface_;
  std::uint32_t metric_;
  std::set<Prefix> routes_;
};

}  // namespace sallyport::dataplane
