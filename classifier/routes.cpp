#include "classifier/routes.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "classifier/route_compiler.h"

namespace sallyport::classifier {

Routes::Routes(const config::PolicyModel& model, HostRoutes& hosts, const RequestRoutes& requests,
               Identities& identities, config::Diagnostics& diagnostics)
    : model_(model), hosts_(hosts), requests_(requests) {
  ids_.reserve(model.routes.size());
  for (const config::Route& route : model.routes) ids_.push_back(identities.intern(full_name(route)));
  RouteCompiler(*this, model, hosts, diagnostics).compile();
}

std::uint32_t Routes::plan_of(std::uint32_t network, Protocol protocol, std::uint16_t port) const noexcept {
  const NetworkPlans& plans = networks_[network];
  if (protocol == Protocol::icmp) return plans.icmp;
  if (protocol == Protocol::sctp || protocol == Protocol::other) return plans.standard;
  const std::vector<Span>& spans = protocol == Protocol::tcp ? plans.tcp : plans.udp;
  if (spans.size() == 1) return spans.front().plan;
  const auto behind = std::upper_bound(spans.begin(), spans.end(), port,
                                       [](std::uint16_t wanted, const Span& span) { return wanted < span.first; });
  return std::prev(behind)->plan;
}

Routes::Outcome Routes::outcome_of(const RouteWinner& winner, const Outcome& otherwise) const noexcept {
  Outcome outcome = otherwise;
  if (winner.route != RouteWinner::none) {
    const bool allows = model_.routes[winner.route].action == config::RouteAction::allow;
    outcome = {allows ? Action::allow : Action::deny, Reason::route, false, winner.route};
  }
  outcome.audited = outcome.audited || winner.audited;
  if (winner.audited) outcome.audit = winner.audit;
  return outcome;
}

// `expected`: the flow speaks the protocol of the routes that decide.
Routes::Outcome Routes::settle(const Plan& plan, const RouteWinner& winner, bool expected, bool named) const noexcept {
  Outcome outcome = outcome_of(winner, plan.otherwise);
  if (winner.route == RouteWinner::none && plan.blames >= config::RouteKind::tls)
    outcome.reason = expected && named ? Reason::name_not_allowed : Reason::no_name;
  return outcome;
}

Routes::Outcome Routes::resolve(const Plan& plan, const Shown& shown, const HostName* name, Reading reading,
                                MatchScratch& scratch) const noexcept {
  using config::RouteKind;
  using Shows = Shown::Protocol;
  RouteWinner winner;
  bool expected = false;
  const auto ask = [&](std::uint32_t table, RouteKind kind, auto&& match) {
    if (table == Plan::no_table || winner.route != RouteWinner::none) return;
    expected = expected || kind == plan.blames;
    const RouteWinner found = match(table);
    winner = {found.route, winner.audited || found.audited, winner.audited ? winner.audit : found.audit};
  };
  if (shown.protocol == Shows::tls || shown.protocol == Shows::quic) {
    ask(plan.tls_table, RouteKind::tls, [&](std::uint32_t table) { return hosts_.match(table, name, scratch); });
  } else if (shown.protocol != Shows::none) {
    const ReadRequest request(shown.request, reading, plan.asks_path, scratch);
    const auto match = [&](std::uint32_t table) { return requests_.match(hosts_, table, name, request, scratch); };
    if (is_grpc(shown, request)) ask(plan.grpc_table, RouteKind::grpc, match);
    ask(plan.http_table, RouteKind::http, match);
  }
  return settle(plan, winner, expected, name != nullptr);
}

namespace {

// Of all that decides about a long path which is read more than once; 0: it is decided each time.
[[nodiscard]] std::uint64_t key_of(const Routes::Plan& plan, const Shown& shown, const HostName* name,
                                   MatchScratch& scratch) noexcept {
  constexpr std::size_t worth_it = 256;
  const std::string_view target = shown.request.target;
  if (!plan.asks_path || plan.asks_headers || target.size() < worth_it || !is_moot_path(target)) return 0;
  const auto which = reinterpret_cast<std::uintptr_t>(&plan);  // of a policy, whose scratch this is
  const std::string_view parts[] = {{reinterpret_cast<const char*>(&which), sizeof which},
                                    {reinterpret_cast<const char*>(&shown.protocol), sizeof shown.protocol},
                                    name != nullptr ? name->view() : std::string_view{},
                                    std::string_view("\n", 1),
                                    shown.request.method,
                                    std::string_view("\n", 1),
                                    target};
  std::size_t bytes = 0;
  for (const std::string_view part : parts) {
    if (part.size() > MatchScratch::text_bytes_max - bytes) return 0;
    std::copy(part.begin(), part.end(), scratch.text() + bytes);
    bytes += part.size();
  }
  return scratch.key_of_text(bytes);
}

}  // namespace

Routes::Outcome Routes::resolve(const Plan& plan, const Shown& shown, const HostName* name,
                                MatchScratch& scratch) const noexcept {
  const std::uint64_t key = key_of(plan, shown, name, scratch);
  if (key == 0) return resolve_all(plan, shown, name, scratch);
  MatchScratch::Remembered& known = scratch.remembered(key);
  if (known.key != key) {
    const Outcome outcome = resolve_all(plan, shown, name, scratch);
    known = {key, outcome.action, outcome.reason, outcome.audited, outcome.route, outcome.audit};
  }
  return {known.action, known.reason, known.audited, known.route, known.audit};
}

Routes::Outcome Routes::resolve_all(const Plan& plan, const Shown& shown, const HostName* name,
                                    MatchScratch& scratch) const noexcept {
  Outcome outcome = resolve(plan, shown, name, Reading::strict, scratch);
  if (outcome.action == Action::deny) return outcome;
  const OtherReadings others = other_readings(shown.request.target, plan.asks_path, scratch);
  for (const auto& [differs, reading] :
       {std::pair{others.lenient, Reading::lenient}, {others.literal, Reading::literal}}) {
    if (!differs) continue;
    const Outcome other = resolve(plan, shown, name, reading, scratch);
    if (other.action == Action::deny) return other;
    if (!outcome.audited) outcome.audit = other.audit;
    outcome.audited = outcome.audited || other.audited;
  }
  if (others.unclear) {
    outcome = {};
    outcome.reason = Reason::hello_malformed;
  }
  return outcome;
}

bool Routes::asks_path(const Plan& plan) const noexcept {
  // What is of gRPC, its path says.
  if (plan.grpc_table != Plan::no_table) return true;
  return plan.http_table != Plan::no_table && requests_.asks_path(hosts_.routes(plan.http_table));
}

bool is_grpc(const Shown& shown, const ReadRequest& request) noexcept {
  return shown.protocol == Shown::Protocol::http2 && shown.request.method == "POST" && !request.service.empty();
}

bool Routes::asks_headers(const Plan& plan) const noexcept {
  const auto asks = [&](std::uint32_t table) {
    return table != Plan::no_table && requests_.asks_headers(hosts_.routes(table));
  };
  return asks(plan.http_table) || asks(plan.grpc_table);
}

std::optional<HostName> shown_name(const Shown& shown) noexcept {
  switch (shown.protocol) {
    case Shown::Protocol::none:
      return std::nullopt;
    case Shown::Protocol::tls:
    case Shown::Protocol::quic:
      return normalise(shown.name);
    case Shown::Protocol::http:
    case Shown::Protocol::http2:
      return normalise_host(shown.name);
  }
  return std::nullopt;
}

bool refers_to(const config::ParentRef& parent, const config::EgressNetwork& network) noexcept {
  return parent.name == network.name && parent.namespace_name == network.namespace_name;
}

std::vector<std::uint32_t> Routes::standing_on(std::uint32_t network, Protocol protocol, std::uint16_t port) const {
  const auto may_match = [&](config::RouteKind kind) {
    if (protocol == Protocol::icmp) return kind == config::RouteKind::icmp;
    if (protocol == Protocol::udp) return kind == config::RouteKind::udp || kind == config::RouteKind::tls;
    return protocol == Protocol::tcp && kind >= config::RouteKind::tcp;
  };
  const auto reaches = [&](const config::ParentRef& parent) {
    if (!refers_to(parent, model_.egress_networks[network])) return false;
    if (protocol == Protocol::icmp || !parent.port) return protocol == Protocol::icmp && !parent.port;
    return *parent.port <= port && port <= parent.end_port.value_or(*parent.port);
  };
  std::vector<std::uint32_t> standing;
  for (std::size_t i = 0; i < model_.routes.size(); ++i) {
    const config::Route& route = model_.routes[i];
    if (may_match(route.kind) && std::any_of(route.parent_refs.begin(), route.parent_refs.end(), reaches))
      standing.push_back(static_cast<std::uint32_t>(i));
  }
  return standing;
}

}  // namespace sallyport::classifier
