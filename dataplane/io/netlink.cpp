#include "dataplane/io/netlink.h"

#include <algorithm>
#include <string>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {
namespace {

template <typename T, void (*release)(T*)>
struct Releaser {
  void operator()(T* value) const noexcept { release(value); }
};
using NlAddress = std::unique_ptr<nl_addr, Releaser<nl_addr, nl_addr_put>>;
using NlCache = std::unique_ptr<nl_cache, Releaser<nl_cache, nl_cache_free>>;
using NlInterfaceAddress = std::unique_ptr<rtnl_addr, Releaser<rtnl_addr, rtnl_addr_put>>;
using NlLink = std::unique_ptr<rtnl_link, Releaser<rtnl_link, rtnl_link_put>>;
using NlRoute = std::unique_ptr<rtnl_route, Releaser<rtnl_route, rtnl_route_put>>;
using NlNeighbour = std::unique_ptr<rtnl_neigh, Releaser<rtnl_neigh, rtnl_neigh_put>>;

constexpr std::uint32_t forever = 0xffffffffU;

int family_of(const IpAddress& address) { return address.family == Family::v4 ? AF_INET : AF_INET6; }

NlAddress to_netlink(const IpAddress& address, std::uint8_t length) {
  NlAddress result(nl_addr_build(family_of(address), address.bytes.data(), address_bytes(address.family)));
  nl_addr_set_prefixlen(result.get(), length);
  return result;
}
NlAddress to_netlink(const IpAddress& address) {
  return to_netlink(address, static_cast<std::uint8_t>(address_bits(address.family)));
}

std::optional<IpAddress> from_netlink(const nl_addr* address) {
  if (address == nullptr) return std::nullopt;
  const int family = nl_addr_get_family(address);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  IpAddress result;
  result.family = family == AF_INET ? Family::v4 : Family::v6;
  const std::size_t count = std::min<std::size_t>(nl_addr_get_len(address), address_bytes(result.family));
  std::copy_n(static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(address)), count, result.bytes.begin());
  return result;
}

// Of two gateways in one network namespace each has its own.
constexpr std::uint32_t metrics_to_try = 32;

void check(int error, int harmless, const std::string& what) {
  if (error >= 0 || error == -harmless) return;
  throw EnvironmentError(what + ": " + nl_geterror(error) +
                         (error == -NLE_PERM ? "; run as root, or with CAP_NET_ADMIN" : ""));
}

NlInterfaceAddress interface_address(unsigned interface, const IpAddress& address, std::uint8_t length) {
  NlInterfaceAddress result(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(result.get(), static_cast<int>(interface));
  rtnl_addr_set_local(result.get(), to_netlink(address, length).get());
  return result;
}

NlInterfaceAddress egress_address(unsigned interface, const IpAddress& address) {
  auto result = interface_address(interface, address, 128);
  rtnl_addr_set_flags(result.get(), IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
  rtnl_addr_set_valid_lifetime(result.get(), forever);
  rtnl_addr_set_preferred_lifetime(result.get(), 0);
  return result;
}

NlRoute route_to(unsigned interface, const NlAddress& destination, const std::optional<IpAddress>& gateway) {
  NlRoute route(rtnl_route_alloc());
  rtnl_route_set_dst(route.get(), destination.get());
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, static_cast<int>(interface));
  if (gateway) {
    rtnl_route_nh_set_gateway(hop, to_netlink(*gateway).get());
    rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
  }
  rtnl_route_add_nexthop(route.get(), hop);  // owns it now
  return route;
}

NlRoute local_route(unsigned interface, const Prefix& prefix) {
  NlRoute route = route_to(interface, to_netlink(prefix.address, prefix.length), std::nullopt);
  rtnl_route_set_type(route.get(), RTN_LOCAL);
  rtnl_route_set_table(route.get(), RT_TABLE_LOCAL);
  rtnl_route_set_scope(route.get(), RT_SCOPE_HOST);
  return route;
}

NlRoute route_on_link(unsigned interface, const Prefix& prefix, std::uint32_t metric) {
  NlRoute route = route_to(interface, to_netlink(prefix.address, prefix.length), std::nullopt);
  if (prefix.address.family == Family::v4) rtnl_route_set_scope(route.get(), RT_SCOPE_LINK);
  rtnl_route_set_priority(route.get(), metric);
  return route;
}

bool discards(std::uint8_t type) { return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT; }

// Of several next hops the first one that lives: flows of one gateway are not spread over paths.
const rtnl_nexthop* first_hop(rtnl_route* route) {
  for (int i = 0; i < rtnl_route_get_nnexthops(route); ++i) {
    const rtnl_nexthop* hop = rtnl_route_nexthop_n(route, i);
    if ((rtnl_route_nh_get_flags(const_cast<rtnl_nexthop*>(hop)) & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0) return hop;
  }
  return nullptr;
}

std::optional<KernelRoute> read_route(rtnl_route* route) {
  if (rtnl_route_get_table(route) != RT_TABLE_MAIN) return std::nullopt;
  const auto destination = from_netlink(rtnl_route_get_dst(route));
  if (!destination) return std::nullopt;
  KernelRoute result;
  result.prefix = {*destination, static_cast<std::uint8_t>(nl_addr_get_prefixlen(rtnl_route_get_dst(route)))};
  result.metric = rtnl_route_get_priority(route);
  if (discards(rtnl_route_get_type(route))) return result;
  if (rtnl_route_get_type(route) != RTN_UNICAST) return std::nullopt;
  const rtnl_nexthop* found = first_hop(route);
  if (found == nullptr) return std::nullopt;
  auto* hop = const_cast<rtnl_nexthop*>(found);
  result.interface = static_cast<unsigned>(rtnl_route_nh_get_ifindex(hop));
  result.gateway = from_netlink(rtnl_route_nh_get_gateway(hop));
  if (!result.gateway) result.gateway = from_netlink(rtnl_route_nh_get_via(hop));
  return result;
}

std::optional<KernelNeighbour> read_neighbour(rtnl_neigh* neighbour) {
  constexpr int usable = NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
  const int state = rtnl_neigh_get_state(neighbour);
  if (state < 0 || (state & usable) == 0) return std::nullopt;
  const auto address = from_netlink(rtnl_neigh_get_dst(neighbour));
  const nl_addr* lower = rtnl_neigh_get_lladdr(neighbour);
  KernelNeighbour result;
  if (!address || lower == nullptr || nl_addr_get_len(lower) != result.mac.size()) return std::nullopt;
  result.interface = static_cast<unsigned>(rtnl_neigh_get_ifindex(neighbour));
  result.address = *address;
  result.stale = (state & NUD_STALE) != 0;
  std::copy_n(static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(lower)), result.mac.size(), result.mac.begin());
  return result;
}

std::optional<KernelAddress> read_address(rtnl_addr* address) {
  const auto local = from_netlink(rtnl_addr_get_local(address));
  if (!local) return std::nullopt;
  const bool egress = (rtnl_addr_get_flags(address) & IFA_F_NOPREFIXROUTE) != 0 && local->family == Family::v6 &&
                      rtnl_addr_get_prefixlen(address) == 128;
  return KernelAddress{static_cast<unsigned>(rtnl_addr_get_ifindex(address)), *local, egress};
}

template <typename Value, typename Object>
std::vector<Value> read_all(const NlCache& cache, std::optional<Value> (*read)(Object*)) {
  std::vector<Value> values;
  for (nl_object* object = nl_cache_get_first(cache.get()); object != nullptr; object = nl_cache_get_next(object)) {
    if (auto value = read(reinterpret_cast<Object*>(object))) values.push_back(*value);
  }
  return values;
}

}  // namespace

void Netlink::Free::operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }

Netlink::Netlink() : socket_(nl_socket_alloc()) {
  if (!socket_) throw EnvironmentError("no memory for a netlink socket");
  check(nl_connect(socket_.get(), NETLINK_ROUTE), 0, "no netlink socket");
  nl_socket_set_buffer_size(socket_.get(), 1 << 20, 0);
}

void Netlink::add_address(unsigned interface, const IpAddress& address, std::uint8_t length) {
  const auto object = interface_address(interface, address, length);
  if (address.family == Family::v6) rtnl_addr_set_flags(object.get(), IFA_F_NODAD);
  check(rtnl_addr_add(socket_.get(), object.get(), 0), NLE_EXIST, "address " + to_string(address));
}

void Netlink::tell_address(unsigned interface, const IpAddress& address, std::uint8_t length) {
  const auto object = interface_address(interface, address, length);
  if (address.family == Family::v6) rtnl_addr_set_flags(object.get(), IFA_F_NODAD);
  check(rtnl_addr_add(socket_.get(), object.get(), NLM_F_REPLACE), 0, "address " + to_string(address));
}

void Netlink::remove_address(unsigned interface, const IpAddress& address, std::uint8_t length) {
  const auto object = interface_address(interface, address, length);
  check(rtnl_addr_delete(socket_.get(), object.get(), 0), NLE_NOADDR, "address " + to_string(address));
}

void Netlink::add_egress_address(unsigned interface, const IpAddress& address) {
  const auto object = egress_address(interface, address);
  check(rtnl_addr_add(socket_.get(), object.get(), 0), NLE_EXIST, "egress address " + to_string(address));
}

void Netlink::remove_egress_address(unsigned interface, const IpAddress& address) {
  const auto object = interface_address(interface, address, 128);
  check(rtnl_addr_delete(socket_.get(), object.get(), 0), NLE_NOADDR, "egress address " + to_string(address));
}

void Netlink::remove_all_addresses(unsigned interface) {
  nl_cache* read = nullptr;
  check(rtnl_addr_alloc_cache(socket_.get(), &read), 0, "cannot read addresses");
  const NlCache cache(read);
  for (nl_object* object = nl_cache_get_first(cache.get()); object != nullptr; object = nl_cache_get_next(object)) {
    auto* address = reinterpret_cast<rtnl_addr*>(object);
    if (rtnl_addr_get_ifindex(address) != static_cast<int>(interface)) continue;
    // Not there any more: secondary ones go with the first of their network.
    check(rtnl_addr_delete(socket_.get(), address, 0), NLE_NOADDR, "cannot remove an address");
  }
}

void Netlink::add_route(unsigned interface, const Prefix& to, const IpAddress& gateway, std::uint32_t metric) {
  const NlRoute route = route_to(interface, to_netlink(to.address, to.length), gateway);
  int result = -NLE_EXIST;
  for (std::uint32_t higher = 0; result == -NLE_EXIST && higher < metrics_to_try; ++higher) {
    rtnl_route_set_priority(route.get(), metric + higher);
    result = rtnl_route_add(socket_.get(), route.get(), NLM_F_EXCL);
  }
  check(result, 0, "route to " + to_string(to) + " by " + to_string(gateway));
}

void Netlink::add_route(unsigned interface, const Prefix& to, std::uint32_t metric) {
  const NlRoute route = route_on_link(interface, to, metric);
  check(rtnl_route_add(socket_.get(), route.get(), NLM_F_EXCL), NLE_EXIST, "route to " + to_string(to));
}

void Netlink::remove_route(unsigned interface, const Prefix& to, std::uint32_t metric) {
  const NlRoute route = route_on_link(interface, to, metric);
  check(rtnl_route_delete(socket_.get(), route.get(), 0), NLE_OBJ_NOTFOUND, "route to " + to_string(to));
}

void Netlink::add_local_route(unsigned interface, const Prefix& prefix) {
  const NlRoute route = local_route(interface, prefix);
  check(rtnl_route_add(socket_.get(), route.get(), NLM_F_EXCL), NLE_EXIST, "egress addresses " + to_string(prefix));
}

void Netlink::remove_local_route(unsigned interface, const Prefix& prefix) {
  const NlRoute route = local_route(interface, prefix);
  check(rtnl_route_delete(socket_.get(), route.get(), 0), NLE_OBJ_NOTFOUND, "egress addresses " + to_string(prefix));
}

void Netlink::tell_operational(unsigned interface, bool operational) {
  const NlLink link(rtnl_link_alloc());
  rtnl_link_set_ifindex(link.get(), static_cast<int>(interface));
  const NlLink change(rtnl_link_alloc());
  rtnl_link_set_operstate(change.get(), operational ? IF_OPER_UP : IF_OPER_DORMANT);
  check(rtnl_link_change(socket_.get(), link.get(), change.get(), 0), 0, "link state");
}

void Netlink::ask_neighbour(unsigned interface, const IpAddress& address) {
  NlNeighbour neighbour(rtnl_neigh_alloc());
  rtnl_neigh_set_ifindex(neighbour.get(), static_cast<int>(interface));
  rtnl_neigh_set_dst(neighbour.get(), to_netlink(address).get());
  rtnl_neigh_set_state(neighbour.get(), NUD_NONE);
  rtnl_neigh_set_flags(neighbour.get(), NTF_USE);
  check(rtnl_neigh_add(socket_.get(), neighbour.get(), NLM_F_CREATE), 0, "neighbour " + to_string(address));
}

std::vector<KernelRoute> Netlink::routes() {
  nl_cache* cache = nullptr;
  check(rtnl_route_alloc_cache(socket_.get(), AF_UNSPEC, 0, &cache), 0, "cannot read routes");
  return read_all<KernelRoute, rtnl_route>(NlCache(cache), read_route);
}

std::vector<KernelNeighbour> Netlink::neighbours() {
  nl_cache* cache = nullptr;
  check(rtnl_neigh_alloc_cache(socket_.get(), &cache), 0, "cannot read neighbours");
  return read_all<KernelNeighbour, rtnl_neigh>(NlCache(cache), read_neighbour);
}

std::vector<KernelAddress> Netlink::addresses() {
  nl_cache* cache = nullptr;
  check(rtnl_addr_alloc_cache(socket_.get(), &cache), 0, "cannot read addresses");
  return read_all<KernelAddress, rtnl_addr>(NlCache(cache), read_address);
}

}  // namespace sallyport::dataplane
