// What the kernel is asked and told about interfaces, by rtnetlink. The only door to libnl.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/address.h"
#include "dataplane/routing.h"

struct nl_sock;

namespace sallyport::dataplane {

struct KernelRoute {
  Prefix prefix;
  unsigned interface = 0;            // index; 0: blackhole, unreachable, prohibit
  std::optional<IpAddress> gateway;  // maybe of the other family (RFC 8950)
  std::uint32_t metric = 0;
};

struct KernelNeighbour {
  unsigned interface = 0;
  IpAddress address;
  MacAddress mac{};
  bool stale = false;  // good for use, yet nobody has verified it for a while
};

struct KernelAddress {
  unsigned interface = 0;
  IpAddress address;
  bool egress = false;  // added by add_egress_address(): answered for, not ours to speak from
};

// One request socket; not for two threads at once. Everything throws EnvironmentError with the kernel's reason; adding
// what is there already, or removing what is not, is no error.
class Netlink {
 public:
  Netlink();

  void add_address(unsigned interface, const IpAddress& address, std::uint8_t length);
  // One that is there: the kernel tells of it once more to all who listen.
  void tell_address(unsigned interface, const IpAddress& address, std::uint8_t length);
  void remove_address(unsigned interface, const IpAddress& address, std::uint8_t length);
  // IPv6: an address without a network and never chosen to speak from.
  void add_egress_address(unsigned interface, const IpAddress& address);
  void remove_egress_address(unsigned interface, const IpAddress& address);
  // Those of both families, whoever gave them to it.
  void remove_all_addresses(unsigned interface);
  // The next hop need not be in a connected network.
  void add_route(unsigned interface, const Prefix& to, const IpAddress& gateway, std::uint32_t metric);
  // On link: for routing daemons, which announce what the main table has.
  void add_route(unsigned interface, const Prefix& to, std::uint32_t metric);
  void remove_route(unsigned interface, const Prefix& to, std::uint32_t metric);
  // Every address of the prefix counts as this machine's own, so ARP for it is answered. IPv4.
  void add_local_route(unsigned interface, const Prefix& prefix);
  void remove_local_route(unsigned interface, const Prefix& prefix);
  // Whether frames can be sent, told to all who listen, at once: they hear of a carrier up to a second late, since the
  // kernel tells of links in turns of a second (net/core/link_watch.c). To be said after the carrier has changed.
  void tell_operational(unsigned interface, bool operational);
  // The kernel finds out who has the address, or verifies it, as if it had a packet to send there.
  void ask_neighbour(unsigned interface, const IpAddress& address);

  // Main table, unicast and what discards.
  [[nodiscard]] std::vector<KernelRoute> routes();
  // Those with a link-layer address that may be used.
  [[nodiscard]] std::vector<KernelNeighbour> neighbours();
  [[nodiscard]] std::vector<KernelAddress> addresses();

 private:
  struct Free {
    void operator()(nl_sock* socket) const noexcept;
  };
  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace sallyport::dataplane
