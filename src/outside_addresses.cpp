#include "src/outside_addresses.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "classifier/element_keys.h"
#include "config/address.h"
#include "config/address_union.h"

namespace sallyport {
namespace {

class Outside {
 public:
  Outside(const config::ApplianceModel& appliance, config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    for (const config::PortConfig& port : appliance.ports) {
      if (port.role == config::PortRole::inside) continue;
      for (const config::InterfaceAddress& own : port.addresses) {
        const auto network = parse_prefix(fmt::format("{}/{}", to_string(own.address), own.length));
        if (network) networks_.push_back(network->prefix);
      }
      next_hops_.insert(next_hops_.end(), port.gateway.begin(), port.gateway.end());
    }
    reach_ = config::AddressUnion(networks_);
  }

  [[nodiscard]] bool known() const noexcept { return !networks_.empty(); }

  void check(const AddressRange& range, const config::Location& at, const std::string& key) {
    const auto hop = std::find_if(next_hops_.begin(), next_hops_.end(),
                                  [&](const IpAddress& address) { return range.contains(address); });
    if (hop != next_hops_.end()) {
      diagnostics_.warning(
          at, key, fmt::format("{} is the next hop of an outside port, no address to leave under", to_string(*hop)));
    }
    if (reach_.covers(range)) return;
    diagnostics_.warning(at, key,
                         fmt::format("{} is not on {}: answers come back only if a router sends them here", text(range),
                                     networks_of(range.first.family)));
  }

 private:
  static std::string text(const AddressRange& range) {
    if (range.first == range.last) return to_string(range.first);
    return fmt::format("{}-{}", to_string(range.first), to_string(range.last));
  }

  [[nodiscard]] std::string networks_of(Family family) const {
    std::string list;
    for (const Prefix& network : networks_) {
      if (network.address.family != family) continue;
      list += (list.empty() ? "" : ", ") + to_string(network);
    }
    if (!list.empty()) return "a network of an outside port, " + list;
    return fmt::format("a network of an outside port, none of which has an {} address",
                       family == Family::v4 ? "IPv4" : "IPv6");
  }

  config::Diagnostics& diagnostics_;
  std::vector<Prefix> networks_;
  std::vector<IpAddress> next_hops_;
  config::AddressUnion reach_{std::vector<AddressRange>()};
};

}  // namespace

void warn_of_addresses_elsewhere(const config::ApplianceModel& appliance, const config::PolicyModel& policy,
                                 config::Diagnostics& diagnostics) {
  Outside outside(appliance, diagnostics);
  if (!outside.known()) return;
  for (std::size_t i = 0; i < policy.snat.addresses.size(); ++i) {
    const IpAddress& address = policy.snat.addresses[i];
    outside.check({address, address}, policy.snat.at, fmt::format("snat.addresses[{}]", i));
  }
  const classifier::ElementKeys egress_keys("egress", policy.egresses);
  std::set<std::string_view> used;
  for (std::size_t i = 0; i < policy.egresses.size(); ++i) {
    const config::Egress& egress = policy.egresses[i];
    used.insert(egress.egress_pool);
    for (const IpAddress& address : egress.egress_ips) outside.check({address, address}, egress.at, egress_keys[i]);
  }
  const classifier::ElementKeys pool_keys("egress_pool", policy.egress_pools);
  for (std::size_t i = 0; i < policy.egress_pools.size(); ++i) {
    const config::EgressPool& pool = policy.egress_pools[i];
    if (!used.contains(pool.name)) continue;
    for (std::size_t j = 0; j < pool.ranges.size(); ++j)
      outside.check(pool.ranges[j], pool.at, fmt::format("{}.ranges[{}]", pool_keys[i], j));
  }
}

}  // namespace sallyport
