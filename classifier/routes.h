// Layer 2, second half: what a captured flow may do, by the routes on its network and port.
//
// For each network, TCP and UDP ports are cut into spans on which the same routes stand, and each span points to a Plan
// compiled once: either the outcome, or the tables of routes to ask when the flow has shown its name or request, and
// the outcome where none of them matches.
//
//   TCP   grpc_routes leave the others out, else http_routes, else tls_routes, else tcp_routes decide; what none of the
//         deciding kind takes, or is of another protocol, goes by the network's traffic_policy.
//   UDP   tls_routes decide QUIC by its name; where none matches, udp_routes say, or the traffic_policy.
//   ICMP  icmp_routes, or the traffic_policy.
//
// An audit route changes no outcome, so one alone leaves nothing out; but it wants to see the name or request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "classifier/decision.h"
#include "classifier/host_routes.h"
#include "classifier/identities.h"
#include "classifier/request_routes.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class Routes {
 public:
  // `hosts` and `requests` outlive this and hold no errors. Warns of routes that are left out.
  Routes(const config::PolicyModel& model, HostRoutes& hosts, const RequestRoutes& requests, Identities& identities,
         config::Diagnostics& diagnostics);

  struct Outcome {
    Action action = Action::deny;
    Reason reason = Reason::network_default;
    bool audited = false;
    std::uint32_t route = RouteWinner::none;  // place in the model
    std::uint32_t audit = RouteWinner::none;  // likewise: the audit route that would have decided

    friend auto operator<=>(const Outcome&, const Outcome&) noexcept = default;
  };
  struct Plan {
    static constexpr std::uint32_t no_table = no_name_table;
    // Tables of HostRoutes; with one, a name is needed, and `otherwise` holds where no route takes it.
    std::uint32_t tls_table = no_table;
    std::uint32_t http_table = no_table;
    std::uint32_t grpc_table = no_table;
    bool asks_path = false, asks_headers = false;  // a route of the tables for requests does
    // With tls, http or grpc: the denial of `otherwise` is for the name shown, or not shown, in this protocol.
    config::RouteKind blames = config::RouteKind::tcp;
    Outcome otherwise;

    [[nodiscard]] bool needs_name() const noexcept { return needs_request() || tls_table != no_table; }
    [[nodiscard]] bool needs_request() const noexcept { return http_table != no_table || grpc_table != no_table; }
    friend auto operator<=>(const Plan&, const Plan&) noexcept = default;
  };

  // Place of the plan for a captured flow. `network` is a place in the model.
  [[nodiscard]] std::uint32_t plan_of(std::uint32_t network, Protocol protocol, std::uint16_t port) const noexcept;
  [[nodiscard]] const Plan& plan(std::uint32_t place) const noexcept { return plans_[place]; }
  // The outcome of a plan that needs a name. `name` absent: none was shown, or no valid one.
  [[nodiscard]] Outcome resolve(const Plan& plan, const Shown& shown, const HostName* name,
                                MatchScratch& scratch) const noexcept;
  // The same for one reading of a request's target alone; for explanations.
  [[nodiscard]] Outcome resolve(const Plan& plan, const Shown& shown, const HostName* name, Reading reading,
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

  // By its tables.
  [[nodiscard]] bool asks_path(const Plan& plan) const noexcept;
  [[nodiscard]] bool asks_headers(const Plan& plan) const noexcept;
  [[nodiscard]] Outcome resolve_all(const Plan& plan, const Shown& shown, const HostName* name,
                                    MatchScratch& scratch) const noexcept;
  [[nodiscard]] Outcome outcome_of(const RouteWinner& winner, const Outcome& otherwise) const noexcept;
  [[nodiscard]] Outcome settle(const Plan& plan, const RouteWinner& winner, bool expected, bool named) const noexcept;

  const config::PolicyModel& model_;
  const HostRoutes& hosts_;
  const RequestRoutes& requests_;
  std::vector<Id> ids_;  // of routes, by place in the model
  std::vector<Plan> plans_;
  std::vector<NetworkPlans> networks_;
};

// What the flow shows as a name, made comparable; nothing where it shows none or no valid one.
[[nodiscard]] std::optional<HostName> shown_name(const Shown& shown) noexcept;
// gRPC: a POST over HTTP/2 whose path is "/service/method", whatever it says of its content.
[[nodiscard]] bool is_grpc(const Shown& shown, const ReadRequest& request) noexcept;
// Does the parent_ref name this network?
[[nodiscard]] bool refers_to(const config::ParentRef& parent, const config::EgressNetwork& network) noexcept;

}  // namespace sallyport::classifier
