#include "classifier/route_order.h"

#include <algorithm>

namespace sallyport::classifier {

RouteWinner pick_route(const config::PolicyModel& model, const std::vector<std::uint32_t>& routes) {
  using Action = config::RouteAction;
  std::vector<std::uint32_t> sorted = routes;
  std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
    const bool a_denies = model.routes[a].action == Action::deny;
    const bool b_denies = model.routes[b].action == Action::deny;
    return a_denies != b_denies ? a_denies : a < b;
  });
  RouteWinner winner;
  for (const std::uint32_t route : sorted) {
    if (model.routes[route].action != Action::audit) {
      winner.route = route;
      break;
    }
    if (!winner.audited) winner.audit = route;
    winner.audited = true;
  }
  return winner;
}

std::string route_key(const config::PolicyModel& model, std::uint32_t route) {
  const config::Route& here = model.routes[route];
  const auto before = std::count_if(
      model.routes.begin(), model.routes.begin() + route,
      [&](const config::Route& other) { return other.kind == here.kind && other.at.file == here.at.file; });
  return std::string(kind_name(here.kind)) + "[" + std::to_string(before) + "]";
}

std::string_view kind_name(config::RouteKind kind) noexcept {
  switch (kind) {
    case config::RouteKind::icmp:
      return "icmp_route";
    case config::RouteKind::udp:
      return "udp_route";
    case config::RouteKind::tcp:
      return "tcp_route";
    case config::RouteKind::tls:
      return "tls_route";
    case config::RouteKind::http:
      return "http_route";
    case config::RouteKind::grpc:
      return "grpc_route";
  }
  return "";
}

}  // namespace sallyport::classifier
