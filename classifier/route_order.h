// Which of several routes that match alike decides: deny before allow, then the one that stands first in the file. An
// audit route decides nothing; it is noted where it would have decided.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/policy_model.h"

namespace sallyport::classifier {

struct RouteWinner {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::uint32_t route = none;  // place in the model
  bool audited = false;
  std::uint32_t audit = none;  // with audited: the audit route that would have decided
};

// `routes`: places in the model, all equally specific.
[[nodiscard]] RouteWinner pick_route(const config::PolicyModel& model, const std::vector<std::uint32_t>& routes);

// "tls_route[2]" for messages: the place of a route among those of its kind and file.
[[nodiscard]] std::string route_key(const config::PolicyModel& model, std::uint32_t route);
[[nodiscard]] std::string_view kind_name(config::RouteKind kind) noexcept;  // "tls_route"
// "namespace/name" of a route, a parent_ref, an egress network, a network policy.
template <typename Named>
[[nodiscard]] std::string full_name(const Named& named) {
  return named.namespace_name + "/" + named.name;
}

}  // namespace sallyport::classifier
