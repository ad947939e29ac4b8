// Makes the plans of Routes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "classifier/routes.h"

namespace sallyport::classifier {

class RouteCompiler {
 public:
  RouteCompiler(Routes& into, const config::PolicyModel& model, HostRoutes& hosts, config::Diagnostics& diagnostics)
      : into_(into), model_(model), hosts_(hosts), diagnostics_(diagnostics) {}

  void compile();

 private:
  // A parent_ref of a route that names the network.
  struct Standing {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    std::uint32_t route = 0;
  };
  static constexpr std::size_t kinds = static_cast<std::size_t>(config::RouteKind::grpc) + 1;
  // The routes that stand on one port, by kind; places in the model, rising, each once.
  struct OnPort {
    std::array<std::vector<std::uint32_t>, kinds> of_kind;
    [[nodiscard]] std::vector<std::uint32_t>& operator[](config::RouteKind kind) {
      return of_kind[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] const std::vector<std::uint32_t>& operator[](config::RouteKind kind) const {
      return of_kind[static_cast<std::size_t>(kind)];
    }
  };

  void compile_network(std::uint32_t network, const std::vector<Standing>& standing,
                       const std::vector<std::uint32_t>& icmp);
  [[nodiscard]] OnPort routes_on(std::uint16_t port, const std::vector<Standing>& standing) const;
  [[nodiscard]] Routes::Plan tcp_plan(const OnPort& routes, const Routes::Outcome& standard);
  [[nodiscard]] Routes::Plan udp_plan(const OnPort& routes, const Routes::Outcome& standard);
  [[nodiscard]] std::uint32_t table_of(const std::vector<std::uint32_t>& routes);
  // The highest of the kinds that share a TCP port of which a route decides; tcp where none does.
  [[nodiscard]] config::RouteKind deciding_kind(const OnPort& routes) const;
  [[nodiscard]] Routes::Outcome pick(const std::vector<std::uint32_t>& routes, const Routes::Outcome& standard) const;
  [[nodiscard]] bool decides(const std::vector<std::uint32_t>& routes) const;
  [[nodiscard]] std::uint32_t place_of(const Routes::Plan& plan);
  void add_span(std::vector<Routes::Span>& spans, std::uint16_t first, const Routes::Plan& plan);
  void warn_of_conflict(std::uint32_t network, std::uint16_t port, const OnPort& routes);
  void warn_of_open_udp(std::uint32_t network, std::uint16_t port, const OnPort& routes);

  Routes& into_;
  const config::PolicyModel& model_;
  HostRoutes& hosts_;
  config::Diagnostics& diagnostics_;
  std::map<Routes::Plan, std::uint32_t> plan_places_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> warned_;  // (route that is left out or open, the other)
};

}  // namespace sallyport::classifier
