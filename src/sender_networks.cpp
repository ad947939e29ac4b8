#include "src/sender_networks.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "classifier/element_keys.h"
#include "config/address.h"
#include "config/address_union.h"

namespace sallyport {
namespace {

constexpr std::size_t most_told = 20;  // of one kind; a large policy would tell of each pod

// The port whose gateway has what no other route leads to, in the order of the kernel twins' metrics.
const config::PortConfig* default_port(const std::vector<config::PortConfig>& ports, Family family) {
  const auto find = [&](bool inside) {
    return std::find_if(ports.begin(), ports.end(), [&](const config::PortConfig& port) {
      return (port.role == config::PortRole::inside) == inside &&
             std::any_of(port.gateway.begin(), port.gateway.end(),
                         [&](const IpAddress& gateway) { return gateway.family == family; });
    });
  };
  auto found = find(false);
  if (found == ports.end()) found = find(true);
  return found == ports.end() ? nullptr : &*found;
}

// Networks that inside ports are on, and where their routes lead.
struct Inside {
  std::vector<Prefix> networks;
  std::vector<Prefix> reached;

  explicit Inside(const std::vector<config::PortConfig>& ports) {
    for (const config::PortConfig& port : ports) {
      if (port.role == config::PortRole::outside) continue;
      for (const config::InterfaceAddress& own : port.addresses) networks.push_back(network_of(own));
      for (const config::PortRoute& route : port.routes) reached.push_back(route.to);
    }
    reached.insert(reached.end(), networks.begin(), networks.end());
    for (const Family family : {Family::v4, Family::v6}) {
      const config::PortConfig* port = default_port(ports, family);
      if (port != nullptr && port->role != config::PortRole::outside) reached.push_back({IpAddress{family, {}}, 0});
    }
  }

  [[nodiscard]] std::string networks_text() const {
    std::string text;
    for (const Prefix& network : networks) text += (text.empty() ? "" : ", ") + to_string(network);
    return text;
  }
};

void warn_of_nobody(const Inside& inside, config::Diagnostics& diagnostics) {
  const std::string networks = inside.networks_text();
  diagnostics.warning(
      {}, "",
      networks.empty()
          ? "no [[namespace]] or [[workload]] has an address, and no inside port a network: every sender is dropped "
            "(source_check)"
          : fmt::format("no [[namespace]] or [[workload]] has an address: only senders on {} may send, all others are "
                        "dropped (source_check)",
                        networks));
}

// The first of many warnings of one kind, and how many more there would be.
class Warnings {
 public:
  explicit Warnings(config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void add(const config::Location& at, const std::string& key, const std::string& text) {
    if (++count_ <= most_told) diagnostics_.warning(at, key, text);
  }

  // "more senders are on no network": what stands behind the number.
  void tell_of_more(std::string_view what) {
    if (count_ > most_told) diagnostics_.warning({}, "", fmt::format("{} {}", count_ - most_told, what));
  }

 private:
  config::Diagnostics& diagnostics_;
  std::size_t count_ = 0;
};

class Routes {
 public:
  Routes(const Inside& inside, config::Diagnostics& diagnostics) : reached_(inside.reached), missing_(diagnostics) {}

  void check(const config::LocatedPrefix& sender, const std::string& key) {
    if (reached_.covers(sender.prefix)) return;
    missing_.add(sender.at, key,
                 fmt::format("{} is on no network of an inside port, and none of its `routes` leads there: "
                             "answers end as no_route, unless a routing daemon knows the way",
                             to_string(sender.prefix)));
  }

  void tell_of_more() {
    missing_.tell_of_more("more senders are on no network of an inside port, and none of its `routes` leads there");
  }

 private:
  config::AddressUnion reached_;
  Warnings missing_;
};

template <typename Owner>
void check_routes(Routes& routes, std::string_view table, const std::vector<Owner>& owners) {
  const classifier::ElementKeys keys(table, owners);
  for (std::size_t i = 0; i < owners.size(); ++i)
    for (std::size_t j = 0; j < owners[i].addresses.size(); ++j)
      routes.check(owners[i].addresses[j], fmt::format("{}.addresses[{}]", keys[i], j));
}

// Senders that [nat] source_check lets in: on an inside port's network, or somebody's.
config::AddressUnion admitted(const Inside& inside, const config::PolicyModel& policy) {
  std::vector<Prefix> all = inside.networks;
  const auto add = [&](const auto& owners) {
    for (const auto& owner : owners)
      for (const config::LocatedPrefix& net : owner.addresses) all.push_back(net.prefix);
  };
  add(policy.namespaces);
  add(policy.workloads);
  return config::AddressUnion(all);
}

void warn_of_strangers(const Inside& inside, const config::PolicyModel& policy, config::Diagnostics& diagnostics) {
  const config::AddressUnion known = admitted(inside, policy);
  const classifier::ElementKeys keys("egress", policy.egresses);
  Warnings strangers(diagnostics);
  for (std::size_t i = 0; i < policy.egresses.size(); ++i)
    for (std::size_t j = 0; j < policy.egresses[i].sources.size(); ++j) {
      const Prefix& source = policy.egresses[i].sources[j];
      if (known.meets(source)) continue;
      strangers.add(policy.egresses[i].at, fmt::format("{}.sources[{}]", keys[i], j),
                    fmt::format("selects no sender: {} is of no [[namespace]] or [[workload]] and on no network "
                                "of an inside port, so its packets are dropped (source_check)",
                                to_string(source)));
    }
  strangers.tell_of_more("more `sources` of egresses select no sender");
}

template <typename Owner>
bool has_addresses(const std::vector<Owner>& owners) {
  return std::any_of(owners.begin(), owners.end(), [](const Owner& owner) { return !owner.addresses.empty(); });
}

}  // namespace

void warn_of_senders_elsewhere(const config::ApplianceModel& appliance, const config::PolicyModel& policy,
                               config::Diagnostics& diagnostics) {
  const Inside inside(appliance.ports);
  const bool names_senders = has_addresses(policy.namespaces) || has_addresses(policy.workloads);
  if (appliance.nat.source_check && !names_senders) warn_of_nobody(inside, diagnostics);
  if (appliance.nat.source_check) warn_of_strangers(inside, policy, diagnostics);
  if (!appliance.tunnels.empty()) return;
  Routes routes(inside, diagnostics);
  check_routes(routes, "namespace", policy.namespaces);
  check_routes(routes, "workload", policy.workloads);
  routes.tell_of_more();
}

}  // namespace sallyport
