#include "classifier/shadowed_routes.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "classifier/element_keys.h"
#include "classifier/route_order.h"
#include "config/describe_text.h"

namespace sallyport::classifier {

namespace {

using config::HostPattern;
using config::RouteAction;
using config::RouteKind;

// Something that takes flows on some ports of a network: a route without host names, or one of a route's.
struct Taker {
  std::uint32_t network = 0;
  std::string_view what;  // its kind and host name: takers of equal text compete
  bool below = true;      // takes names below the text
  bool itself = true;     // takes the text itself
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;
  std::uint32_t route = 0;
  std::uint32_t hostname = 0;  // place in the route; no_hostname: the route has none
  bool denies = false;

  static constexpr std::uint32_t no_hostname = UINT32_MAX;
};

// Ports that somebody takes already.
class Ports {
 public:
  // False: all of them were taken before.
  bool take(std::uint16_t first, std::uint16_t last) {
    bool fresh = false;
    for (std::size_t port = first; port <= last; ++port) {
      fresh = fresh || !taken_[port];
      taken_.set(port);
    }
    return fresh;
  }

 private:
  std::bitset<65536> taken_;
};

class Shadows {
 public:
  explicit Shadows(const config::PolicyModel& model) : model_(model) {
    for (std::uint32_t i = 0; i < model.egress_networks.size(); ++i)
      networks_.emplace(full_name(model.egress_networks[i]), i);
    for (std::uint32_t i = 0; i < model.routes.size(); ++i)
      if (model.routes[i].action != RouteAction::audit) add_route(i);
  }

  void warn(config::Diagnostics& diagnostics) {
    std::stable_sort(takers_.begin(), takers_.end(), [](const Taker& a, const Taker& b) {
      return std::tie(a.network, a.what, b.denies, a.route, a.hostname) <
             std::tie(b.network, b.what, a.denies, b.route, b.hostname);
    });
    for (auto first = takers_.begin(); first != takers_.end();) {
      auto last = first;
      while (last != takers_.end() && last->network == first->network && last->what == first->what) ++last;
      compete(first, last);
      first = last;
    }
    const ElementKeys keys(model_.routes);
    for (const auto& [place, shadow] : shadows_) tell(place, shadow, keys, diagnostics);
  }

 private:
  using Place = std::pair<std::uint32_t, std::uint32_t>;  // of a route, and of a host name in it
  struct Shadow {
    bool decides = false;  // somewhere
    std::uint32_t by = 0;  // a route that comes first where it does not
  };
  using TakerIterator = std::vector<Taker>::const_iterator;

  // Of requests, each host name competes once for each match.
  void add_route(std::uint32_t place) {
    const config::Route& route = model_.routes[place];
    if (route.kind <= RouteKind::tls) return add_names(place, "");
    if (route.matches.empty()) return add_names(place, fmt::format(" of {}", kind_name(route.kind)));
    for (const config::HttpMatch& match : route.matches)
      add_names(place, fmt::format(" of {} {}", kind_name(route.kind), config::describe({match})));
  }

  // `match`: what is asked of a request besides.
  void add_names(std::uint32_t place, const std::string& match) {
    const config::Route& route = model_.routes[place];
    if (route.hostnames.empty() && route.hostname_sets.empty()) {
      add_taker(place, {.what = names_.emplace_back(std::string(kind_name(route.kind)) + match),
                        .hostname = Taker::no_hostname});
      return;
    }
    for (std::uint32_t i = 0; i < route.hostnames.size(); ++i) {
      const HostPattern& pattern = route.hostnames[i];
      const bool suffix = pattern.kind == HostPattern::Kind::wildcard || pattern.kind == HostPattern::Kind::apex;
      // A letter no host name holds parts exact names, suffixes and regular expressions.
      const char* const sort = suffix ? " below " : pattern.kind == HostPattern::Kind::exact ? " is " : " like ";
      add_taker(place, {.what = names_.emplace_back(sort + pattern.text + match),
                        .below = pattern.kind != HostPattern::Kind::exact,
                        .itself = pattern.kind != HostPattern::Kind::wildcard,
                        .hostname = i});
    }
  }

  void add_taker(std::uint32_t place, Taker taker) {
    const config::Route& route = model_.routes[place];
    taker.route = place;
    taker.denies = route.action == RouteAction::deny;
    for (const config::ParentRef& parent : route.parent_refs) {
      const auto network = networks_.find(full_name(parent));
      if (network == networks_.end()) continue;
      taker.network = network->second;
      taker.first_port = parent.port.value_or(0);
      taker.last_port = parent.end_port.value_or(taker.first_port);
      takers_.push_back(taker);
    }
  }

  static bool overlap(const Taker& a, const Taker& b) {
    return a.first_port <= b.last_port && b.first_port <= a.last_port;
  }

  // Takers of one network and text, in the order in which they are asked.
  void compete(TakerIterator first, TakerIterator last) {
    if (last - first == 1) {
      shadows_[{first->route, first->hostname}].decides = true;
      return;
    }
    const auto below = std::make_unique<Ports>();
    const auto itself = std::make_unique<Ports>();
    for (auto taker = first; taker != last; ++taker) {
      const bool fresh_below = taker->below && below->take(taker->first_port, taker->last_port);
      const bool fresh_itself = taker->itself && itself->take(taker->first_port, taker->last_port);
      Shadow& shadow = shadows_[{taker->route, taker->hostname}];
      if (fresh_below || fresh_itself)
        shadow.decides = true;
      else
        shadow.by = std::find_if(first, taker, [&](const Taker& earlier) { return overlap(earlier, *taker); })->route;
    }
  }

  void tell(const Place& place, const Shadow& shadow, const ElementKeys& keys, config::Diagnostics& diagnostics) const {
    if (shadow.decides) return;
    const auto& [route, hostname] = place;
    const config::Route& first = model_.routes[shadow.by];
    const bool same_file = first.at.file == model_.routes[route].at.file;
    const std::string place_of_first = same_file
                                           ? fmt::format("line {}", first.at.line)
                                           : fmt::format("at {}:{}", model_.files.at(first.at.file), first.at.line);
    const std::string why = shadow.by == route ? "it stands here already"
                                               : fmt::format("{} {} comes first, {}", kind_name(first.kind),
                                                             full_name(first), place_of_first);
    if (hostname == Taker::no_hostname) {
      diagnostics.warning(model_.routes[route].at, keys[route], fmt::format("never decides: {}", why));
      return;
    }
    diagnostics.warning(model_.routes[route].hostnames[hostname].at,
                        fmt::format("{}.hostnames[{}]", keys[route], hostname), fmt::format("never decides: {}", why));
  }

  const config::PolicyModel& model_;
  std::unordered_map<std::string, std::uint32_t> networks_;
  std::deque<std::string> names_;  // what takers point to
  std::vector<Taker> takers_;
  std::map<Place, Shadow> shadows_;
};

}  // namespace

void warn_of_shadowed_routes(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  Shadows(model).warn(diagnostics);
}

}  // namespace sallyport::classifier
