// [[tunnel]]: the cluster's overlay on an inside port.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/appliance/readers.h"
#include "config/document/in_quotes.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

constexpr std::array<Choice<TunnelType>, 4> types{{{"vxlan", TunnelType::vxlan},
                                                   {"geneve", TunnelType::geneve},
                                                   {"gre", TunnelType::gre},
                                                   {"ipip", TunnelType::ipip}}};
constexpr std::uint16_t vxlan_port = 4789;   // RFC 7348
constexpr std::uint16_t geneve_port = 6081;  // RFC 8926
constexpr std::int64_t largest_vni = (1 << 24) - 1;
constexpr std::int64_t largest_key = (1LL << 32) - 1;  // RFC 2890

bool over_udp(TunnelType type) { return type == TunnelType::vxlan || type == TunnelType::geneve; }

// What a key means to its type; a key that means nothing to it is an error.
void read_keys_of_type(TableReader& table, const Item& item, TunnelConfig& into) {
  Diagnostics& diagnostics = table.diagnostics();
  const auto vni = table.find("vni");
  const auto port = table.find("port");
  const bool udp = over_udp(into.type);
  if (vni && into.type == TunnelType::ipip) report(*vni, diagnostics, "IP in IP has no network identifier");
  if (udp && (!vni || is_empty_array(*vni))) {
    report(vni.value_or(item), diagnostics, "expected vni, the network identifiers that are taken");
  }
  if (vni && into.type != TunnelType::ipip) {
    table.each("vni", into.vni, integer<std::uint32_t>(0, udp ? largest_vni : largest_key));
  }
  if (port && !udp) report(*port, diagnostics, "only vxlan and geneve have a UDP port");
  into.port = into.type == TunnelType::vxlan ? vxlan_port : into.type == TunnelType::geneve ? geneve_port : 0;
  if (udp) table.optional("port", into.port, integer<std::uint16_t>(1, 65535));
}

void check_local(const TunnelConfig& tunnel, TableReader& table, const std::vector<PortConfig>& ports) {
  Diagnostics& diagnostics = table.diagnostics();
  const std::string name = in_quotes(tunnel.port_name);
  const auto port =
      std::find_if(ports.begin(), ports.end(), [&](const PortConfig& each) { return each.name == tunnel.port_name; });
  if (port == ports.end()) {
    report(*table.find("port_name"), diagnostics, fmt::format("no port is called {}", name));
    return;
  }
  if (port->role == PortRole::outside) {
    report(*table.find("port_name"), diagnostics, fmt::format("{} is an outside port", name));
  }
  const auto is_local = [&](const InterfaceAddress& own) { return own.address == tunnel.local; };
  if (std::none_of(port->addresses.begin(), port->addresses.end(), is_local)) {
    report(*table.find("local"), diagnostics,
           fmt::format("{} is none of the addresses of port {}", to_string(tunnel.local), name));
  }
}

// What stands in front of the inner packet, at least (docs/NAT.md).
unsigned overhead_bytes(const TunnelConfig& tunnel) {
  const unsigned outer = tunnel.local.family == Family::v4 ? 20 : 40;
  switch (tunnel.type) {
    case TunnelType::vxlan:
    case TunnelType::geneve:
      return outer + 30;
    case TunnelType::gre:
      return outer + (tunnel.vni.empty() ? 4 : 8);
    case TunnelType::ipip:
      break;
  }
  return outer;
}

// Of a tunnel that may carry IPv6: with addresses of its own, it is their families that it carries.
void check_inner_mtu(const TunnelConfig& tunnel, TableReader& table, const std::vector<PortConfig>& ports) {
  const auto is_v6 = [](const IpAddress& own) { return own.family == Family::v6; };
  const auto has_v6 = [](const PortConfig& port) {
    return std::any_of(port.addresses.begin(), port.addresses.end(),
                       [](const InterfaceAddress& own) { return own.address.family == Family::v6; });
  };
  const bool carries_v6 = tunnel.addresses.empty()
                              ? std::any_of(ports.begin(), ports.end(), has_v6)
                              : std::any_of(tunnel.addresses.begin(), tunnel.addresses.end(), is_v6);
  const auto port =
      std::find_if(ports.begin(), ports.end(), [&](const PortConfig& each) { return each.name == tunnel.port_name; });
  if (!carries_v6 || port == ports.end() || port->mtu >= smallest_v6_mtu + overhead_bytes(tunnel)) return;
  const unsigned left = port->mtu > overhead_bytes(tunnel) ? port->mtu - overhead_bytes(tunnel) : 0;
  report(*table.find("port_name"), table.diagnostics(),
         fmt::format("an inner MTU of {} (port {} has {}) is too small for IPv6, which wants {} (RFC 8200)", left,
                     in_quotes(port->name), port->mtu, smallest_v6_mtu));
}

// Two tunnels could both claim a packet: one network of one end, from one remote.
bool meet(const TunnelConfig& a, const TunnelConfig& b) {
  const bool same_end = a.type == b.type && a.port_name == b.port_name && a.local == b.local && a.port == b.port;
  if (!same_end) return false;
  const bool same_network = (a.vni.empty() && b.vni.empty()) ||
                            std::find_first_of(a.vni.begin(), a.vni.end(), b.vni.begin(), b.vni.end()) != a.vni.end();
  const auto overlap = [](const AddressRange& x, const AddressRange& y) {
    return x.first.family == y.first.family && x.first <= y.last && y.first <= x.last;
  };
  const bool anybody = a.remotes.empty() || b.remotes.empty();
  return same_network && (anybody || std::find_first_of(a.remotes.begin(), a.remotes.end(), b.remotes.begin(),
                                                        b.remotes.end(), overlap) != a.remotes.end());
}

}  // namespace

std::optional<TunnelConfig> read_tunnel(const Item& item, const std::vector<PortConfig>& ports,
                                        Diagnostics& diagnostics) {
  TunnelConfig tunnel;
  tunnel.at = item.at();
  const std::size_t errors = diagnostics.errors();
  TableReader table(item, diagnostics);
  const bool type = table.required("type", tunnel.type, one_of(types));
  const bool port = table.required("port_name", tunnel.port_name, object_name);
  const bool local = table.required("local", tunnel.local, address);
  const auto read_remote = [&](const Item& element, Diagnostics&) {
    auto remote = address_range(element, diagnostics);
    if (remote && local && remote->first.family != tunnel.local.family) {
      report(element, diagnostics, "is not of the family of local");
    }
    return remote;
  };
  table.each("remotes", tunnel.remotes, read_remote);
  if (const auto remotes = table.find("remotes"); remotes && is_empty_array(*remotes)) {
    report(*remotes, diagnostics, "empty: nobody; leave it out for everybody");
  }
  table.each("addresses", tunnel.addresses, address);
  if (type) {
    read_keys_of_type(table, item, tunnel);
  } else {
    (void)table.find("vni");
    (void)table.find("port");
  }
  if (port && local) check_local(tunnel, table, ports);
  if (type && port && local) check_inner_mtu(tunnel, table, ports);
  if (diagnostics.errors() != errors) return std::nullopt;
  return tunnel;
}

void check_tunnels(const std::vector<TunnelConfig>& tunnels, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < tunnels.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!meet(tunnels[i], tunnels[k])) continue;
      diagnostics.error(tunnels[i].at, fmt::format("tunnel[{}]", i),
                        fmt::format("the same packets are those of the tunnel at line {}", tunnels[k].at.line));
    }
  }
}

}  // namespace sallyport::config
