#include "classifier/policy_warnings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "classifier/element_keys.h"
#include "classifier/opened_excepts.h"
#include "classifier/selectors.h"
#include "classifier/shadowed_routes.h"
#include "config/document/suggestion.h"

namespace sallyport::classifier {

namespace {

using config::RouteAction;
using config::RouteKind;

// Namespaces that some source belongs to; none where the policy names no source at all yet.
std::set<std::string> inhabited(const Sources& sources) {
  std::set<std::string> names;
  for (const SourceGroup& group : sources.groups())
    if (!group.namespace_name.empty()) names.insert(group.namespace_name);
  return names;
}

void warn_of_silent_networks(const config::PolicyModel& model, const Sources& sources, const EgressNetworks& networks,
                             config::Diagnostics& diagnostics) {
  const ElementKeys keys("egress_network", model.egress_networks);
  const std::set<std::string> owners = inhabited(sources);
  for (std::size_t i = 0; i < model.egress_networks.size(); ++i) {
    const config::EgressNetwork& network = model.egress_networks[i];
    if (!networks.captures_anything(static_cast<std::uint32_t>(i)))
      diagnostics.warning(network.at, keys[i] + ".networks",
                          "captures nothing: other egress networks of its namespace take every address of it, being "
                          "smaller or standing before it");
    else if (network.namespace_name != model.global_namespace && !owners.empty() &&
             !owners.contains(network.namespace_name))
      diagnostics.warning(network.at, keys[i] + ".namespace",
                          fmt::format("captures nothing: no workload or address is of namespace \"{}\", which is not "
                                      "the global one, \"{}\"",
                                      network.namespace_name, model.global_namespace));
  }
}

void warn_of_unreachable_routes(const config::PolicyModel& model, const EgressNetworks& networks,
                                config::Diagnostics& diagnostics) {
  const ElementKeys keys(model.routes);
  std::set<std::string> reached;
  for (std::size_t i = 0; i < model.egress_networks.size(); ++i)
    if (networks.captures_anything(static_cast<std::uint32_t>(i))) reached.insert(full_name(model.egress_networks[i]));
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const config::Route& route = model.routes[i];
    const bool is_reached = std::any_of(route.parent_refs.begin(), route.parent_refs.end(),
                                        [&](const auto& parent) { return reached.contains(full_name(parent)); });
    if (!is_reached)
      diagnostics.warning(route.at, keys[i] + ".parent_refs",
                          "never asked: none of the egress networks it names captures anything");
  }
}

// Names are allowed one by one and all others, too. Corner case 103.
void warn_of_names_that_restrict_nothing(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  std::set<std::string> open;
  for (const config::EgressNetwork& network : model.egress_networks)
    if (network.traffic_policy == config::TrafficPolicy::allow) open.insert(full_name(network));
  std::set<std::string> restricted;
  for (const config::Route& route : model.routes)
    if (route.action != RouteAction::allow)
      for (const config::ParentRef& parent : route.parent_refs) restricted.insert(full_name(parent));
  const ElementKeys keys(model.routes);
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const config::Route& route = model.routes[i];
    const bool by_name = !route.hostnames.empty() || !route.hostname_sets.empty() || !route.matches.empty();
    const auto is_open = [&](const config::ParentRef& parent) {
      return open.contains(full_name(parent)) && !restricted.contains(full_name(parent));
    };
    if (!by_name || route.action != RouteAction::allow ||
        !std::all_of(route.parent_refs.begin(), route.parent_refs.end(), is_open))
      continue;
    diagnostics.warning(
        route.at, keys[i],
        fmt::format("restricts nothing: the traffic_policy of {} is \"Allow\", so every other {} "
                    "passes, too{}",
                    full_name(route.parent_refs.front()), route.kind == RouteKind::tls ? "name" : "request",
                    route.kind == RouteKind::tls ? ", over TCP and over UDP" : ""));
  }
}

void warn_of_empty_sets(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  std::set<std::string> empty;
  for (const config::DomainSet& set : model.domain_sets)
    if (set.names.empty()) empty.insert(set.name);
  if (empty.empty()) return;
  const ElementKeys keys(model.routes);
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const config::Route& route = model.routes[i];
    if (route.hostname_sets.empty() || !route.hostnames.empty() ||
        !std::all_of(route.hostname_sets.begin(), route.hostname_sets.end(),
                     [&](const std::string& set) { return empty.contains(set); }))
      continue;
    diagnostics.warning(route.at, keys[i] + ".hostname_sets",
                        fmt::format("never decides: the domain set \"{}\" is empty", route.hostname_sets.front()));
  }
}

void warn_of_unused_sets(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  std::set<std::string> used;
  for (const config::Route& route : model.routes) used.insert(route.hostname_sets.begin(), route.hostname_sets.end());
  const ElementKeys keys("domain_set", model.domain_sets);
  for (std::size_t i = 0; i < model.domain_sets.size(); ++i)
    if (!used.contains(model.domain_sets[i].name))
      diagnostics.warning(model.domain_sets[i].at, keys[i],
                          fmt::format("no route uses the domain set \"{}\"", model.domain_sets[i].name));
}

// A set of another namespace is none of the policy's.
bool may_use(const config::NetworkPolicy& policy, const config::NetworkSet& set) {
  return set.namespace_name.empty() || set.namespace_name == policy.namespace_name;
}

bool selects(const config::NetworkPolicy& policy, const config::NetworkSet& set) {
  if (!may_use(policy, set)) return false;
  return std::any_of(policy.egress.begin(), policy.egress.end(), [&](const config::NetworkPolicyRule& rule) {
    return std::any_of(rule.to.begin(), rule.to.end(), [&](const config::Peer& peer) {
      const auto* sets = std::get_if<config::NetworkSetPeer>(&peer.is);
      return sets != nullptr && matches(sets->selector, set.labels);
    });
  });
}

void warn_of_unused_network_sets(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  const ElementKeys keys("network_set", model.network_sets);
  for (std::size_t i = 0; i < model.network_sets.size(); ++i) {
    const config::NetworkSet& set = model.network_sets[i];
    if (std::any_of(model.network_policies.begin(), model.network_policies.end(),
                    [&](const config::NetworkPolicy& policy) { return selects(policy, set); }))
      continue;
    diagnostics.warning(set.at, keys[i], fmt::format("no network policy selects the network set \"{}\"", set.name));
  }
}

// What a policy's selector of network sets misses, if it selects none: the first label that no set has.
std::string missing_label(const config::PolicyModel& model, const config::NetworkPolicy& policy,
                          const config::Selector& selector) {
  for (const auto& [key, value] : selector.match_labels) {
    std::set<std::string_view> values;
    for (const config::NetworkSet& set : model.network_sets) {
      const auto label = set.labels.find(key);
      if (may_use(policy, set) && label != set.labels.end()) values.insert(label->second);
    }
    if (values.contains(value)) continue;
    const std::vector<std::string_view> known(values.begin(), values.end());
    return fmt::format(": none has {} = \"{}\"{}", key, value, config::suggestion(value, known));
  }
  return {};
}

void warn_of_unmatched_network_sets(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  const ElementKeys keys("network_policy", model.network_policies);
  for (std::size_t i = 0; i < model.network_policies.size(); ++i) {
    const config::NetworkPolicy& policy = model.network_policies[i];
    for (std::size_t j = 0; j < policy.egress.size(); ++j)
      for (std::size_t k = 0; k < policy.egress[j].to.size(); ++k) {
        const config::Peer& peer = policy.egress[j].to[k];
        const auto* sets = std::get_if<config::NetworkSetPeer>(&peer.is);
        if (sets == nullptr || std::any_of(model.network_sets.begin(), model.network_sets.end(), [&](const auto& set) {
              return may_use(policy, set) && matches(sets->selector, set.labels);
            }))
          continue;
        diagnostics.warning(peer.at, fmt::format("{}.egress[{}].to[{}].network_set", keys[i], j, k),
                            fmt::format("selects no network set of namespace \"{}\" or of none, so it allows nothing{}",
                                        policy.namespace_name, missing_label(model, policy, sets->selector)));
      }
  }
}

void warn_of_unused_pools(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  std::set<std::string> used;
  for (const config::Egress& egress : model.egresses) used.insert(egress.egress_pool);
  const ElementKeys keys("egress_pool", model.egress_pools);
  for (std::size_t i = 0; i < model.egress_pools.size(); ++i)
    if (!used.contains(model.egress_pools[i].name))
      diagnostics.warning(model.egress_pools[i].at, keys[i],
                          fmt::format("no egress uses the pool \"{}\"", model.egress_pools[i].name));
}

void warn_of_idle_egresses(const config::PolicyModel& model, const EgressChoices& egresses,
                           config::Diagnostics& diagnostics) {
  const ElementKeys keys("egress", model.egresses);
  for (std::size_t i = 0; i < model.egresses.size(); ++i)
    if (egresses.selects_anything(static_cast<std::uint32_t>(i)) &&
        !egresses.wins_anything(static_cast<std::uint32_t>(i)))
      diagnostics.warning(model.egresses[i].at, keys[i],
                          fmt::format("\"{}\" is never chosen: others come first for every source and destination of "
                                      "it, by priority, longer destinations or the file",
                                      model.egresses[i].name));
}

void warn_of_unlearned_names(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  if (!model.dns.trusted_servers.empty()) return;
  constexpr const char* why = "nothing is ever bound: [dns] trusted_servers is empty";
  for (std::size_t i = 0; i < model.network_policies.size(); ++i) {
    const std::vector<config::NetworkPolicyRule>& rules = model.network_policies[i].egress;
    for (std::size_t j = 0; j < rules.size(); ++j)
      for (std::size_t k = 0; k < rules[j].to.size(); ++k)
        if (std::holds_alternative<config::DomainsPeer>(rules[j].to[k].is))
          diagnostics.warning(rules[j].to[k].at, fmt::format("network_policy[{}].egress[{}].to[{}].domains", i, j, k),
                              why);
  }
  if (model.defaults.server_name_binding != config::Binding::off)
    diagnostics.warning({}, "defaults.server_name_binding", why);
}

}  // namespace

void warn_of_unused(const config::PolicyModel& model, const Sources& sources, const EgressNetworks& networks,
                    const EgressChoices& egresses, config::Diagnostics& diagnostics) {
  warn_of_silent_networks(model, sources, networks, diagnostics);
  warn_of_unreachable_routes(model, networks, diagnostics);
  warn_of_shadowed_routes(model, diagnostics);
  warn_of_names_that_restrict_nothing(model, diagnostics);
  warn_of_empty_sets(model, diagnostics);
  warn_of_unused_sets(model, diagnostics);
  warn_of_unused_network_sets(model, diagnostics);
  warn_of_unmatched_network_sets(model, diagnostics);
  warn_of_unused_pools(model, diagnostics);
  warn_of_idle_egresses(model, egresses, diagnostics);
  warn_of_opened_excepts(model, diagnostics);
  warn_of_unlearned_names(model, diagnostics);
}

}  // namespace sallyport::classifier
