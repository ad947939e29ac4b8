// Which addresses a twin answers ARP and neighbour discovery for beside its own: those that flows leave under.
//
// IPv4: a local route for each prefix makes the kernel answer, however many addresses it covers. IPv6 wants each
// address on the interface, so there is a bound; a larger pool has to be routed to the gateway, as a real one would be.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

#include "config/address.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/netlink.h"

namespace sallyport::dataplane {

inline constexpr std::size_t egress_addresses_v6_max = 1024;
// Of each family, announced when they appear; the rest is found by asking.
inline constexpr std::size_t announcements_max = 1024;

// The fewest prefixes that make up an IPv4 range, rising.
[[nodiscard]] std::vector<Prefix> prefixes_of(const AddressRange& range);

// The address after it; after the last one the first.
[[nodiscard]] IpAddress next(IpAddress address);

// Of a prefix, rising.
[[nodiscard]] std::vector<IpAddress> first_addresses(const Prefix& prefix, std::size_t most);

class EgressAddresses {
 public:
  // `announce` is called for every address that is new.
  EgressAddresses(unsigned interface, std::function<void(const IpAddress&)> announce)
      : interface_(interface), announce_(std::move(announce)) {}

  // What should be answered for from now on. What the kernel refuses is logged and tried again the next time. True:
  // something was announced.
  bool set(const std::vector<AddressRange>& ranges, Netlink& netlink, const Log& log);
  // Once more, everything that is answered for.
  void announce() const;

 private:
  // Answer how many were announced.
  std::size_t set_v4(const std::set<Prefix>& wanted, Netlink& netlink);
  std::size_t announce_v4(const Prefix& prefix, std::size_t announced) const;
  std::size_t set_v6(const std::set<IpAddress>& wanted, Netlink& netlink);

  unsigned interface_;
  std::function<void(const IpAddress&)> announce_;
  std::set<Prefix> routes_;
  std::set<IpAddress> addresses_;
};

}  // namespace sallyport::dataplane
