#include "classifier/policy_warnings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include <fmt/format.h>

#include "classifier/route_order.h"

namespace sallyport::classifier {

namespace {

void warn_of_silent_networks(const config::PolicyModel& model, const EgressNetworks& networks,
                             config::Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < model.egress_networks.size(); ++i)
    if (!networks.captures_anything(static_cast<std::uint32_t>(i)))
      diagnostics.warning(model.egress_networks[i].at, fmt::format("egress_network[{}].networks", i),
                          "captures nothing: other egress networks of its namespace take every address of it, being "
                          "smaller or standing before it");
}

void warn_of_unreachable_routes(const config::PolicyModel& model, const EgressNetworks& networks,
                                config::Diagnostics& diagnostics) {
  std::set<std::string> reached;
  for (std::size_t i = 0; i < model.egress_networks.size(); ++i)
    if (networks.captures_anything(static_cast<std::uint32_t>(i)))
      reached.insert(model.egress_networks[i].namespace_name + "/" + model.egress_networks[i].name);
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const config::Route& route = model.routes[i];
    const bool is_reached = std::any_of(
        route.parent_refs.begin(), route.parent_refs.end(),
        [&](const config::ParentRef& parent) { return reached.contains(parent.namespace_name + "/" + parent.name); });
    if (!is_reached)
      diagnostics.warning(route.at, route_key(model, static_cast<std::uint32_t>(i)) + ".parent_refs",
                          "never asked: none of the egress networks it names captures anything");
  }
}

void warn_of_unused_sets(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  std::set<std::string> used;
  for (const config::Route& route : model.routes) used.insert(route.hostname_sets.begin(), route.hostname_sets.end());
  for (std::size_t i = 0; i < model.domain_sets.size(); ++i)
    if (!used.contains(model.domain_sets[i].name))
      diagnostics.warning(model.domain_sets[i].at, fmt::format("domain_set[{}]", i),
                          fmt::format("no route uses the domain set \"{}\"", model.domain_sets[i].name));
}

}  // namespace

void warn_of_unused(const config::PolicyModel& model, const EgressNetworks& networks,
                    config::Diagnostics& diagnostics) {
  warn_of_silent_networks(model, networks, diagnostics);
  warn_of_unreachable_routes(model, networks, diagnostics);
  warn_of_unused_sets(model, diagnostics);
}

}  // namespace sallyport::classifier
