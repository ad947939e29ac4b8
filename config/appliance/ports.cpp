#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "config/appliance/device.h"
#include "config/appliance/readers.h"
#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/martian.h"

namespace sallyport::config {
namespace {

constexpr std::array<Choice<PortRole>, 3> roles{
    {{"inside", PortRole::inside}, {"outside", PortRole::outside}, {"both", PortRole::both}}};

std::optional<std::string> port_name(const Item& item, Diagnostics& diagnostics) {
  auto name = object_name(item, diagnostics);
  if (name && name->size() > bounds::port_name_bytes) {
    report(item, diagnostics, fmt::format("a port's name has at most {} bytes", bounds::port_name_bytes));
    return std::nullopt;
  }
  return name;
}

std::optional<InterfaceAddress> interface_address(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  const auto network = parse_prefix(*written);
  if (!network) {
    report(item, diagnostics,
           fmt::format("{}: expected an address and the length of its network, such as \"10.0.0.1/24\"",
                       in_quotes(*written)));
    return std::nullopt;
  }
  const InterfaceAddress own{*parse_address(written->substr(0, written->find('/'))), network->prefix.length, item.at()};
  const std::string_view martian = martian_in({own.address, own.address});
  if (martian.empty() || martian == "169.254.0.0/16" || martian == "fe80::/10") return own;  // link-local
  report(item, diagnostics,
         fmt::format("{} lies in {}, whose packets are dropped as martians", to_string(own.address), martian));
  return std::nullopt;
}

bool is_link_local(const IpAddress& address) {
  return address.family == Family::v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

// A next hop is a neighbour: in a connected network, or link-local.
std::optional<IpAddress> next_hop(const Item& item, const PortConfig& port, bool networks_known,
                                  Diagnostics& diagnostics) {
  const auto hop = address(item, diagnostics);
  if (!hop || !networks_known) return hop;
  const auto& addresses = port.addresses;
  const auto is_own = [&](const InterfaceAddress& own) { return own.address == *hop; };
  const auto is_near = [&](const InterfaceAddress& own) { return network_of(own).contains(*hop); };
  if (std::any_of(addresses.begin(), addresses.end(), is_own)) {
    report(item, diagnostics, fmt::format("{} is the port's own address", to_string(*hop)));
  } else if (!is_link_local(*hop) && std::none_of(addresses.begin(), addresses.end(), is_near)) {
    report(item, diagnostics, fmt::format("{} is in no network of the port's addresses", to_string(*hop)));
  }
  return hop;
}

std::optional<PortRoute> read_port_route(const Item& item, const PortConfig& port, bool networks_known,
                                         Diagnostics& diagnostics) {
  std::optional<Prefix> to;
  std::optional<IpAddress> via;
  TableReader table(item, diagnostics);
  if (const auto element = table.require("to")) to = prefix(*element, diagnostics);
  if (const auto element = table.require("via")) via = next_hop(*element, port, networks_known, diagnostics);
  if (!to || !via) return std::nullopt;
  if (to->length == 0) {
    report(item, diagnostics, fmt::format("a route to {} is what the port's gateway is", to_string(*to)));
  } else if (to->address.family != via->family) {
    report(item, diagnostics, fmt::format("{} and {} are of different families", to_string(*to), to_string(*via)));
  }
  return PortRoute{*to, *via};
}

void check_mtu(const std::optional<Item>& item, const PortConfig& port, Diagnostics& diagnostics) {
  const auto is_v6 = [](const InterfaceAddress& own) { return own.address.family == Family::v6; };
  const bool has_v6 = std::any_of(port.addresses.begin(), port.addresses.end(), is_v6);
  if (!item || !has_v6 || port.mtu >= smallest_v6_mtu) return;
  report(*item, diagnostics,
         fmt::format("{} is too small for IPv6, which wants {} (RFC 8200)", port.mtu, smallest_v6_mtu));
}

// The service tag is never alone: what is behind it is the network's own VLAN.
void check_service_vlan(const std::optional<Item>& item, const PortConfig& port, Diagnostics& diagnostics) {
  if (!item || port.service_vlan == 0 || port.vlan != 0) return;
  report(*item, diagnostics, "the service tag stands in front of another one (802.1ad); set `vlan` as well");
}

// What may stand once over all ports.
class Once {
 public:
  explicit Once(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void check(const Item& item, const std::string& what, std::string_view remedy = {}) {
    const auto [first, added] = seen_.emplace(what, item.path);
    if (!added) report(item, diagnostics_, fmt::format("{} stands at {} already{}", what, first->second, remedy));
  }

 private:
  Diagnostics& diagnostics_;
  std::map<std::string, std::string> seen_;  // the key path of the first
};

const std::string* text_of(const std::optional<Item>& item) {
  return item ? std::get_if<std::string>(&item->node->is) : nullptr;
}

void check_once(const Item& port, Once& once) {
  const auto name = member(port, "name");
  if (const std::string* text = text_of(name)) once.check(*name, "name " + in_quotes(*text));
  const auto device = member(port, "device");
  const std::string* written = text_of(device);
  const std::string hardware = written == nullptr ? std::string() : hardware_of(*written);
  if (!hardware.empty()) once.check(*device, hardware, "; one port with role = \"both\" serves both sides");
  const auto routes = member(port, "routes");
  if (routes && std::holds_alternative<Array>(routes->node->is)) {
    for (const Item& element : elements(*routes)) {
      const auto to = member(element, "to");
      const std::string* text = text_of(to);
      const auto network = text == nullptr ? std::nullopt : parse_prefix(*text);
      if (network) once.check(*to, "the route to " + to_string(network->prefix));
    }
  }
  const auto addresses = member(port, "addresses");
  if (!addresses || !std::holds_alternative<Array>(addresses->node->is)) return;
  for (const Item& element : elements(*addresses)) {
    const std::string* text = text_of(element);
    const auto own = text == nullptr ? std::nullopt : parse_address(text->substr(0, text->find('/')));
    if (own) once.check(element, "address " + to_string(*own));
  }
}

// At least one port of either side. Says nothing where a role is wrong: it may be the missing one.
void check_sides(const std::vector<Item>& ports, const Item& root, Diagnostics& diagnostics) {
  bool inside = false;
  bool outside = false;
  for (const Item& port : ports) {
    const auto item = member(port, "role");
    const std::string* word = text_of(item);
    const auto role = std::find_if(roles.begin(), roles.end(),
                                   [&](const auto& choice) { return word != nullptr && choice.first == *word; });
    if (role == roles.end()) return;
    inside |= role->second != PortRole::outside;
    outside |= role->second != PortRole::inside;
  }
  if (inside && outside) return;
  const std::string_view missing = !inside && !outside ? "port at all" : inside ? "outside port" : "inside port";
  diagnostics.error(root.at(), "port",
                    fmt::format("no {}; expected at least one inside and one outside, or one that is both", missing));
}

}  // namespace

Prefix network_of(const InterfaceAddress& own) {
  return parse_prefix(fmt::format("{}/{}", to_string(own.address), own.length))->prefix;
}

PortConfig read_port(const Item& item, Diagnostics& diagnostics) {
  PortConfig port;
  port.at = item.at();
  TableReader table(item, diagnostics);
  table.required("name", port.name, port_name);
  table.required("role", port.role, one_of(roles));
  table.required("device", port.device, device_name);
  const std::size_t errors = diagnostics.errors();
  table.each("addresses", port.addresses, interface_address);
  const bool networks_known = diagnostics.errors() == errors;
  table.each("gateway", port.gateway,
             [&](const Item& element, Diagnostics&) { return next_hop(element, port, networks_known, diagnostics); });
  table.each("routes", port.routes, [&](const Item& element, Diagnostics&) {
    return read_port_route(element, port, networks_known, diagnostics);
  });
  table.optional("vlan", port.vlan, integer<std::uint16_t>(0, 4094));
  table.optional("service_vlan", port.service_vlan, integer<std::uint16_t>(0, 4094));
  check_service_vlan(table.find("service_vlan"), port, diagnostics);
  table.optional("mtu", port.mtu, integer<std::uint16_t>(68, 9216));
  check_mtu(table.find("mtu"), port, diagnostics);
  return port;
}

void check_ports(const std::vector<Item>& ports, const Item& root, Diagnostics& diagnostics) {
  Once once(diagnostics);
  for (const Item& port : ports) check_once(port, once);
  check_sides(ports, root, diagnostics);
}

}  // namespace sallyport::config
