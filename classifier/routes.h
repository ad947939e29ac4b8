// Layer 2, second half: what a captured flow may do, by the routes on its network and port.
//
// For each network, TCP and UDP ports are cut into spans on which the same routes stand, and each span points to a Plan
// compiled once: either the outcome, or the table of name routes to ask and the outcome where none of them matches.
//
//   TCP   tls_routes leave tcp_routes out. Without tls_routes: the tcp_routes, or the network's traffic_policy.
//   UDP   tls_routes decide QUIC by its name; where none matches, udp_routes say, or the traffic_policy.
//   ICMP  icmp_routes, or the traffic_policy.
//
// An audit route changes no outcome, so one alone leaves nothing out; but it wants to see the name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "classifier/decision.h"
#include "classifier/host_routes.h"
#include "classifier/identities.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class Routes {
 public:
  // `hosts` outlives this and holds no errors. Warns of routes that are left out.
  Routes(const config::PolicyModel& model, HostRoutes& hosts, Identities& identities, config::Diagnostics& diagnostics);

  struct Outcome {
    Action action = Action::deny;
    Reason reason = Reason::network_default;
    bool audited = false;
    std::uint32_t route = RouteWinner::none;  // place in the model

    friend auto operator<=>(const Outcome&, const Outcome&) noexcept = default;
  };
  struct Plan {
    static constexpr std::uint32_t no_table = UINT32_MAX;
    std::uint32_t name_table = no_table;  // else: a name is needed, `otherwise` holds where no route takes it
    bool blames_name = false;             // the denial of `otherwise` is for the name shown, or not shown
    Outcome otherwise;

    friend auto operator<=>(const Plan&, const Plan&) noexcept = default;
  };

  // Place of the plan for a captured flow. `network` is a place in the model.
  [[nodiscard]] std::uint32_t plan_of(std::uint32_t network, Protocol protocol, std::uint16_t port) const noexcept;
  [[nodiscard]] const Plan& plan(std::uint32_t place) const noexcept { return plans_[place]; }
  // The outcome of a plan that needs a name. `speaks`: TLS or QUIC was recognised. `name` absent: none, or no valid
  // one.
  [[nodiscard]] Outcome resolve(const Plan& plan, bool speaks, const HostName* name,
                                MatchScratch& scratch) const noexcept;
  [[nodiscard]] Id id_of(std::uint32_t route) const noexcept { return route == RouteWinner::none ? 0 : ids_[route]; }

  // Routes that name this network and port, of every kind; places in the model, rising. For explanations.
  [[nodiscard]] std::vector<std::uint32_t> standing_on(std::uint32_t network, Protocol protocol,
                                                       std::uint16_t port) const;

 private:
  friend class RouteCompiler;
  struct Span {
    std::uint16_t first = 0;  // up to the next span
    std::uint32_t plan = 0;
  };
  struct NetworkPlans {
    std::uint32_t standard = 0;  // nothing but the traffic_policy
    std::uint32_t icmp = 0;
    std::vector<Span> tcp;  // rising, the first from port 0
    std::vector<Span> udp;
  };

  [[nodiscard]] Outcome outcome_of(const RouteWinner& winner, const Outcome& otherwise) const noexcept;

  const config::PolicyModel& model_;
  const HostRoutes& hosts_;
  std::vector<Id> ids_;  // of routes, by place in the model
  std::vector<Plan> plans_;
  std::vector<NetworkPlans> networks_;
};

// Does the parent_ref name this network?
[[nodiscard]] bool refers_to(const config::ParentRef& parent, const config::EgressNetwork& network) noexcept;

}  // namespace sallyport::classifier
