#include "config/policy/checks.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "config/address_union.h"
#include "config/bounds.h"

namespace sallyport::config {
namespace {

// ---- one prefix, two owners -----------------------------------------------------------------------------------------

std::string full_name(const Namespace& owner) { return "namespace " + owner.name; }
std::string full_name(const Workload& owner) { return fmt::format("workload {}/{}", owner.namespace_name, owner.name); }

struct Claim {
  Prefix prefix;
  std::size_t owner;
  Location at;
};

template <typename Owner>
void check_shared_prefixes(const std::vector<Owner>& owners, const std::vector<std::string>& files,
                           Diagnostics& diagnostics) {
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    for (const LocatedPrefix& net : owners[i].addresses) claims.push_back({net.prefix, i, net.at});
  }
  std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) { return a.prefix < b.prefix; });
  for (std::size_t i = 1; i < claims.size(); ++i) {
    const Claim& first = claims[i - 1];
    const Claim& second = claims[i];
    if (first.prefix != second.prefix) continue;
    const std::string where = fmt::format("{}:{}", files[first.at.file], first.at.line);
    if (first.owner == second.owner) {
      diagnostics.warning(second.at, "", fmt::format("{} stands here twice", to_string(second.prefix)));
    } else {
      diagnostics.error(second.at, "",
                        fmt::format("{} of {} belongs to {} already, at {}", to_string(second.prefix),
                                    full_name(owners[second.owner]), full_name(owners[first.owner]), where));
    }
  }
}

void check_shared_pools(const PolicyModel& model, const std::vector<std::string>& files, Diagnostics& diagnostics) {
  std::vector<const IpPool*> pools;
  for (const IpPool& pool : model.ip_pools) pools.push_back(&pool);
  std::stable_sort(pools.begin(), pools.end(), [](const IpPool* a, const IpPool* b) { return a->cidr < b->cidr; });
  for (std::size_t i = 1; i < pools.size(); ++i) {
    if (pools[i - 1]->cidr != pools[i]->cidr) continue;
    const Location& first = pools[i - 1]->at;
    diagnostics.error(
        pools[i]->at, "",
        fmt::format("{} is an ip_pool already, at {}:{}", to_string(pools[i]->cidr), files[first.file], first.line));
  }
}

// ---- egress networks over the cluster -------------------------------------------------------------------------------

void check_cluster_overlap(const CidrBlock& block, const std::vector<Prefix>& cluster, Diagnostics& diagnostics) {
  const AddressUnion holes(block.except);
  for (const Prefix& network : cluster) {
    const bool inside = network.contains(block.cidr);
    if (!inside && !block.cidr.contains(network)) continue;
    if (holes.covers(inside ? block.cidr : network)) continue;
    diagnostics.warning(block.at, "",
                        fmt::format("{} overlaps {} of cluster.networks; traffic inside the cluster is "
                                    "captured, too",
                                    to_string(block.cidr), to_string(network)));
    return;
  }
}

// ---- egresses -------------------------------------------------------------------------------------------------------

// The families something is about.
struct Families {
  bool v4 = false;
  bool v6 = false;

  void add(Family family) noexcept { (family == Family::v4 ? v4 : v6) = true; }
  [[nodiscard]] Families operator&(Families other) const noexcept { return {v4 && other.v4, v6 && other.v6}; }
};

Families families_of(const std::vector<Prefix>& prefixes) {
  Families families;
  for (const Prefix& prefix : prefixes) families.add(prefix.address.family);
  return families;
}

bool is_everything(const std::vector<Prefix>& destinations) {
  return std::any_of(destinations.begin(), destinations.end(), [](const Prefix& p) { return p.length == 0; });
}

class EgressCheck {
 public:
  EgressCheck(const PolicyModel& model, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    for (const EgressPool& pool : model.egress_pools) {
      Families& families = pools_[pool.name];
      for (const AddressRange& range : pool.ranges) families.add(range.first.family);
    }
  }

  // Sources and destinations that are written down want addresses of their families; those that are everything by
  // default do not.
  void check(const Egress& egress) const {
    const bool by_sources = !egress.applied_to && !egress.sources.empty();
    const bool by_destinations = !is_everything(egress.destinations) && !egress.destinations.empty();
    if (!by_sources && !by_destinations) return;
    constexpr Families both{true, true};
    const Families sources = by_sources ? families_of(egress.sources) : both;
    const Families destinations = by_destinations ? families_of(egress.destinations) : both;
    const Families wanted = sources & destinations;
    if (!wanted.v4 && !wanted.v6) {
      diagnostics_.warning(egress.at, "", "matches nothing: sources and destinations are of different families");
      return;
    }
    const Families given = addresses(egress);
    if (!given.v4 && !given.v6) return;  // wrong elsewhere
    if (wanted.v4 && !given.v4) warn(egress, "IPv4");
    if (wanted.v6 && !given.v6) warn(egress, "IPv6");
  }

 private:
  [[nodiscard]] Families addresses(const Egress& egress) const {
    Families given;
    for (const IpAddress& address : egress.egress_ips) given.add(address.family);
    if (egress.egress_prefix) given.add(egress.egress_prefix->address.family);
    const auto pool = pools_.find(egress.egress_pool);
    return pool == pools_.end() ? given : pool->second;
  }

  void warn(const Egress& egress, std::string_view family) const {
    diagnostics_.warning(egress.at, "",
                         fmt::format("has no {} address; {} flows that it selects are dropped", family, family));
  }

  Diagnostics& diagnostics_;
  std::unordered_map<std::string, Families> pools_;
};

void check_bandwidths(const std::vector<Egress>& egresses, Diagnostics& diagnostics) {
  std::size_t bandwidths = 0;
  for (const Egress& egress : egresses) {
    if (!egress.bandwidth || ++bandwidths <= bounds::bandwidths) continue;
    diagnostics.error(egress.at, "", fmt::format("more than {} egresses have a bandwidth", bounds::bandwidths));
    return;
  }
}

bool is_used_up(const EgressPool& pool) {
  const AddressUnion excluded(pool.exclude);
  return std::all_of(pool.ranges.begin(), pool.ranges.end(),
                     [&](const AddressRange& range) { return excluded.covers(range); });
}

}  // namespace

void check_policy(const PolicyModel& model, const std::vector<std::string>& files, Diagnostics& diagnostics) {
  check_shared_prefixes(model.namespaces, files, diagnostics);
  check_shared_prefixes(model.workloads, files, diagnostics);
  check_shared_pools(model, files, diagnostics);
  for (const EgressNetwork& network : model.egress_networks) {
    for (const CidrBlock& block : network.networks) {
      if (network.networks_given) check_cluster_overlap(block, model.cluster_networks, diagnostics);
    }
  }
  for (const EgressPool& pool : model.egress_pools) {
    if (pool.ranges.empty() || !is_used_up(pool)) continue;
    diagnostics.warning(pool.at, "", "every address is excluded; flows of this pool are dropped");
  }
  check_bandwidths(model.egresses, diagnostics);
  const EgressCheck egress_check(model, diagnostics);
  for (const Egress& egress : model.egresses) egress_check.check(egress);
}

}  // namespace sallyport::config
