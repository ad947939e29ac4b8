// What the routes of the capturing network say, and what a missing name would change.
#include <algorithm>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "classifier/explainer.h"

namespace sallyport::classifier {

namespace {

std::string titled(const config::Route& route) { return fmt::format("{} {}", kind_name(route.kind), full_name(route)); }

std::string_view verb(config::RouteAction action) {
  switch (action) {
    case config::RouteAction::allow:
      return "allows";
    case config::RouteAction::deny:
      return "denies";
    case config::RouteAction::audit:
      return "audits";
  }
  return "";
}

std::string written(const config::HostPattern& pattern) {
  switch (pattern.kind) {
    case config::HostPattern::Kind::exact:
      return "\"" + pattern.text + "\"";
    case config::HostPattern::Kind::wildcard:
      return "\"*." + pattern.text + "\"";
    case config::HostPattern::Kind::apex:
      return "\"." + pattern.text + "\"";
    case config::HostPattern::Kind::regex:
      return "regex \"" + pattern.text + "\"";
  }
  return "";
}

// Up to three of the names that a route takes.
std::string names_of(const config::Route& route) {
  if (route.hostnames.empty() && route.hostname_sets.empty()) return "any or no name";
  constexpr std::size_t shown_max = 3;
  std::string names;
  std::size_t shown = 0;
  const auto add = [&](const std::string& name) {
    if (++shown <= shown_max) names += (names.empty() ? "" : ", ") + name;
  };
  for (const config::HostPattern& pattern : route.hostnames) add(written(pattern));
  for (const std::string& set : route.hostname_sets) add("the domain set \"" + set + "\"");
  if (shown > shown_max) names += fmt::format(" and {} more", shown - shown_max);
  return names;
}

std::string_view verdict(Action action) { return action == Action::allow ? "allowed" : "denied"; }

}  // namespace

void Explainer::tell_routes(const std::optional<Shown>& shown) {
  const std::uint32_t group = impl_.sources.record(source_.index).group;
  const std::uint32_t network = impl_.egress_networks.capture(group, query_.destination);
  if (network == EgressNetworks::none) return;
  const Routes::Plan& plan = impl_.routes.plan(impl_.routes.plan_of(network, query_.protocol, query_.destination_port));
  tell_standing(plan, impl_.routes.standing_on(network, query_.protocol, query_.destination_port));
  if (plan.name_table != Routes::Plan::no_table) {
    if (shown)
      tell_shown(plan, *shown);
    else
      tell_outcomes(plan);
  }
  if (explanation_.decision.rule == 0 && explanation_.decision.action != Action::needs_name &&
      explanation_.decision.reason != Reason::ech_refused)
    add("route",
        fmt::format("no route decides: traffic_policy of {}, {}", full_name(model_.egress_networks[network]),
                    verdict(explanation_.decision.action)),
        model_.egress_networks[network].at);
}

void Explainer::tell_standing(const Routes::Plan& plan, const std::vector<std::uint32_t>& standing) {
  if (standing.empty()) {
    add("route", "no route stands on this network and port");
    return;
  }
  const bool names_decide = plan.name_table != Routes::Plan::no_table;
  const std::uint32_t winner = plan.otherwise.route;
  if (winner != RouteWinner::none)
    add("route",
        fmt::format("{} {}{}", titled(model_.routes[winner]), verb(model_.routes[winner].action),
                    names_decide ? " what no tls_route takes" : " this"),
        model_.routes[winner].at);
  for (const std::uint32_t route : standing)
    if (route != winner && !(names_decide && model_.routes[route].kind == config::RouteKind::tls))
      add("route", fmt::format("not {}: {}", titled(model_.routes[route]), why_it_lost(route, winner, names_decide)),
          model_.routes[route].at);
}

std::string Explainer::why_it_lost(std::uint32_t route, std::uint32_t winner, bool names_decide) const {
  if (model_.routes[route].action == config::RouteAction::audit) return "an audit route decides nothing";
  if (winner == RouteWinner::none)
    return names_decide ? "tls_routes take precedence on this port" : "it does not match";
  const bool winner_denies = model_.routes[winner].action == config::RouteAction::deny;
  if (winner_denies && model_.routes[route].action != config::RouteAction::deny) return "deny beats allow";
  return "it stands later in the file";
}

void Explainer::tell_shown(const Routes::Plan& plan, const Shown& shown) {
  const auto normal = normalise(shown.name);
  const HostName* name = normal ? &*normal : nullptr;
  if (explanation_.decision.reason == Reason::ech_refused) {
    add("host_name",
        fmt::format("\"{}\" is the public name of an ECH service: refused by [defaults] ech = \"deny\"", name->view()));
    return;
  }
  if (shown.protocol == Shown::Protocol::none) {
    add("host_name", "neither TLS nor QUIC: no name was shown");
    return;
  }
  add("host_name", name != nullptr      ? fmt::format("the name is \"{}\"", name->view())
                   : shown.name.empty() ? "no name was shown"
                                        : "what was shown is no valid DNS name: no name");
  const auto scratch = policy_.make_scratch();
  const std::vector<std::uint32_t> matching = impl_.hosts->match_all(plan.name_table, name, *scratch);
  const std::uint32_t winner = impl_.hosts->match(plan.name_table, name, *scratch).route;
  for (const std::uint32_t route : impl_.hosts->routes(plan.name_table)) {
    const config::Route& tried = model_.routes[route];
    const bool matches = std::find(matching.begin(), matching.end(), route) != matching.end();
    const HostRoutes::Match by = impl_.hosts->best_match(route, name, *scratch);
    const config::Location at = by.hostname != nullptr ? by.hostname->at : tried.at;
    const std::string how = by.hostname != nullptr ? fmt::format(" by {}", written(*by.hostname))
                            : by.set != nullptr    ? fmt::format(" by the domain set \"{}\"", *by.set)
                                                   : "";
    if (route == winner)
      add("host_name", fmt::format("{} {} it{}", titled(tried), verb(tried.action), how), at);
    else if (!matches)
      add("host_name", fmt::format("not {}: it takes {}", titled(tried), names_of(tried)), tried.at);
    else if (tried.action == config::RouteAction::audit)
      add("host_name", fmt::format("{} audits it{}", titled(tried), how), at);
    else
      add("host_name",
          fmt::format("not {}, which matches{}: a more specific match, a deny or an earlier route decides",
                      titled(tried), how),
          at);
  }
}

void Explainer::tell_outcomes(const Routes::Plan& plan) {
  for (const std::uint32_t place : impl_.hosts->routes(plan.name_table)) {
    const config::Route& route = model_.routes[place];
    add("host_name", fmt::format("{} {} a flow that shows {}", titled(route), verb(route.action), names_of(route)),
        route.at);
  }
  const auto scratch = policy_.make_scratch();
  const Routes::Outcome unnamed = impl_.routes.resolve(plan, true, nullptr, *scratch);
  const Routes::Outcome other = impl_.routes.resolve(plan, false, nullptr, *scratch);
  const Reason other_name = plan.blames_name ? Reason::name_not_allowed : plan.otherwise.reason;
  const bool takes_all = unnamed.reason == Reason::route && unnamed.route != plan.otherwise.route;
  if (!takes_all)
    add("host_name",
        fmt::format("any name that none takes: {} ({})", verdict(plan.otherwise.action), to_string(other_name)));
  add("host_name",
      fmt::format("TLS or QUIC without a name: {} ({})", verdict(unnamed.action), to_string(unnamed.reason)));
  add("host_name", fmt::format("neither TLS nor QUIC: {} ({})", verdict(other.action), to_string(other.reason)));
}

}  // namespace sallyport::classifier
