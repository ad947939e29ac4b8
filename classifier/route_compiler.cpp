#include "classifier/route_compiler.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

namespace sallyport::classifier {

using config::RouteAction;
using config::RouteKind;

namespace {

// "a tls_route", "an http_route"
std::string with_article(RouteKind kind) {
  return (kind == RouteKind::http ? "an " : "a ") + std::string(kind_name(kind));
}

}  // namespace

void RouteCompiler::compile() {
  std::unordered_map<std::string, std::uint32_t> network_places;
  for (std::size_t i = 0; i < model_.egress_networks.size(); ++i)
    network_places.emplace(full_name(model_.egress_networks[i]), static_cast<std::uint32_t>(i));

  std::vector<std::vector<Standing>> standing(model_.egress_networks.size());
  std::vector<std::vector<std::uint32_t>> icmp(model_.egress_networks.size());
  for (std::size_t i = 0; i < model_.routes.size(); ++i) {
    const config::Route& route = model_.routes[i];
    const auto place = static_cast<std::uint32_t>(i);
    for (const config::ParentRef& parent : route.parent_refs) {
      const auto network = network_places.find(full_name(parent));
      if (network == network_places.end()) continue;
      if (route.kind == RouteKind::icmp)
        icmp[network->second].push_back(place);
      else if (parent.port)
        standing[network->second].push_back({*parent.port, parent.end_port.value_or(*parent.port), place});
    }
  }
  for (std::size_t i = 0; i < model_.egress_networks.size(); ++i)
    compile_network(static_cast<std::uint32_t>(i), standing[i], icmp[i]);
}

void RouteCompiler::compile_network(std::uint32_t network, const std::vector<Standing>& standing,
                                    const std::vector<std::uint32_t>& icmp) {
  const bool allows = model_.egress_networks[network].traffic_policy == config::TrafficPolicy::allow;
  const Routes::Outcome standard{allows ? Action::allow : Action::deny};
  Routes::NetworkPlans plans;
  plans.standard = place_of(Routes::Plan{.otherwise = standard});
  plans.icmp = place_of(Routes::Plan{.otherwise = pick(icmp, standard)});

  std::set<std::uint16_t> starts{0};
  for (const Standing& one : standing) {
    starts.insert(one.first);
    if (one.last != UINT16_MAX) starts.insert(static_cast<std::uint16_t>(one.last + 1));
  }
  for (const std::uint16_t port : starts) {
    const OnPort routes = routes_on(port, standing);
    warn_of_conflict(network, port, routes);
    warn_of_open_udp(network, port, routes);
    add_span(plans.tcp, port, tcp_plan(routes, standard));
    add_span(plans.udp, port, udp_plan(routes, standard));
  }
  into_.networks_.push_back(std::move(plans));
}

RouteCompiler::OnPort RouteCompiler::routes_on(std::uint16_t port, const std::vector<Standing>& standing) const {
  OnPort routes;
  for (const Standing& one : standing) {
    if (port < one.first || one.last < port) continue;
    std::vector<std::uint32_t>& same_kind = routes[model_.routes[one.route].kind];
    if (same_kind.empty() || same_kind.back() != one.route) same_kind.push_back(one.route);
  }
  return routes;
}

bool RouteCompiler::decides(const std::vector<std::uint32_t>& routes) const {
  return std::any_of(routes.begin(), routes.end(),
                     [&](std::uint32_t route) { return model_.routes[route].action != RouteAction::audit; });
}

Routes::Outcome RouteCompiler::pick(const std::vector<std::uint32_t>& routes, const Routes::Outcome& standard) const {
  return into_.outcome_of(pick_route(model_, routes), standard);
}

std::uint32_t RouteCompiler::table_of(const std::vector<std::uint32_t>& routes) {
  return routes.empty() ? Routes::Plan::no_table : hosts_.table_of(routes);
}

RouteKind RouteCompiler::deciding_kind(const OnPort& routes) const {
  for (const RouteKind kind : {RouteKind::grpc, RouteKind::http, RouteKind::tls})
    if (decides(routes[kind])) return kind;
  return RouteKind::tcp;
}

Routes::Plan RouteCompiler::tcp_plan(const OnPort& routes, const Routes::Outcome& standard) {
  const RouteKind deciding = deciding_kind(routes);
  const auto asked = [&](RouteKind kind) { return kind < deciding ? Routes::Plan::no_table : table_of(routes[kind]); };
  const bool by_name = deciding > RouteKind::tcp;
  Routes::Plan plan;
  plan.tls_table = asked(RouteKind::tls);
  plan.http_table = asked(RouteKind::http);
  plan.grpc_table = asked(RouteKind::grpc);
  plan.asks_path = into_.asks_path(plan);
  plan.asks_headers = into_.asks_headers(plan);
  plan.otherwise = by_name ? standard : pick(routes[RouteKind::tcp], standard);
  if (by_name && standard.action == Action::deny) plan.blames = deciding;
  return plan;
}

Routes::Plan RouteCompiler::udp_plan(const OnPort& routes, const Routes::Outcome& standard) {
  const std::vector<std::uint32_t>& named = routes[RouteKind::tls];
  Routes::Plan plan{.tls_table = table_of(named), .otherwise = pick(routes[RouteKind::udp], standard)};
  const bool default_denies = plan.otherwise.action == Action::deny && plan.otherwise.reason == Reason::network_default;
  if (default_denies && decides(named)) plan.blames = RouteKind::tls;
  return plan;
}

std::uint32_t RouteCompiler::place_of(const Routes::Plan& plan) {
  const auto [known, is_new] = plan_places_.emplace(plan, static_cast<std::uint32_t>(into_.plans_.size()));
  if (is_new) into_.plans_.push_back(plan);
  return known->second;
}

void RouteCompiler::add_span(std::vector<Routes::Span>& spans, std::uint16_t first, const Routes::Plan& plan) {
  const std::uint32_t place = place_of(plan);
  if (spans.empty() || spans.back().plan != place) spans.push_back({first, place});
}

void RouteCompiler::warn_of_conflict(std::uint32_t network, std::uint16_t port, const OnPort& routes) {
  const RouteKind deciding = deciding_kind(routes);
  if (deciding == RouteKind::tcp) return;
  const std::uint32_t upper = routes[deciding].front();
  for (const RouteKind kind : {RouteKind::tcp, RouteKind::tls, RouteKind::http}) {
    if (kind >= deciding) break;
    for (const std::uint32_t lower : routes[kind]) {
      if (!warned_.emplace(lower, upper).second) continue;
      diagnostics_.warning(
          model_.routes[lower].at, route_key(model_, lower),
          fmt::format(
              "left out on port {} of egress_network {}: {} {} stands there, and {} takes precedence over {} {}{}",
              port, full_name(model_.egress_networks[network]), kind_name(deciding), full_name(model_.routes[upper]),
              with_article(deciding), kind_name(kind), full_name(model_.routes[lower]),
              kind == RouteKind::tls ? "; over UDP it still decides QUIC" : ""));
    }
  }
}

void RouteCompiler::warn_of_open_udp(std::uint32_t network, std::uint16_t port, const OnPort& routes) {
  if (!decides(routes[RouteKind::tls])) return;
  const std::uint32_t named = routes[RouteKind::tls].front();
  for (const std::uint32_t open : routes[RouteKind::udp]) {
    if (model_.routes[open].action != RouteAction::allow || !warned_.emplace(open, named).second) continue;
    diagnostics_.warning(
        model_.routes[open].at, route_key(model_, open),
        fmt::format("UDP/{} of egress_network {} is open to any name: udp_route {} allows what tls_route {} does "
                    "not take, QUIC included",
                    port, full_name(model_.egress_networks[network]), full_name(model_.routes[open]),
                    full_name(model_.routes[named])));
  }
}

}  // namespace sallyport::classifier
