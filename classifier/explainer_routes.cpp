// What the routes of the capturing network say, and what a missing name would change.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

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

std::string written(std::string_view what, const config::StringMatch& match) {
  constexpr std::array<std::string_view, 3> types = {"Exact", "PathPrefix", "RegularExpression"};
  return fmt::format("{} {} \"{}\"", what, types.at(static_cast<std::size_t>(match.type)), match.value);
}

// Everything that one match wants: "path PathPrefix "/v2", method GET".
std::string written(const config::HttpMatch& match) {
  std::vector<std::string> wants;
  if (match.path) wants.push_back(written("path", *match.path));
  if (match.method) wants.push_back("method " + *match.method);
  if (match.grpc_service) wants.push_back("service " + *match.grpc_service);
  if (match.grpc_method) wants.push_back("method " + *match.grpc_method);
  for (const config::NamedMatch& header : match.headers)
    wants.push_back(written("header " + header.name, header.match));
  for (const config::NamedMatch& query : match.query_params)
    wants.push_back(written("query parameter " + query.name, query.match));
  return wants.empty() ? "any" : fmt::format("{}", fmt::join(wants, ", "));
}

// Up to three of the matches of a route.
std::string wanted_by(const config::Route& route) {
  constexpr std::size_t shown_max = 3;
  std::string all;
  for (std::size_t i = 0; i < std::min(route.matches.size(), shown_max); ++i)
    all += (i == 0 ? "" : "; or ") + written(route.matches[i]);
  if (route.matches.size() > shown_max) all += fmt::format("; and {} more", route.matches.size() - shown_max);
  return all;
}

std::string_view verdict(Action action) { return action == Action::allow ? "allowed" : "denied"; }

}  // namespace

void Explainer::tell_routes(const std::optional<Shown>& shown) {
  const std::uint32_t group = impl_.sources.record(source_.index).group;
  const std::uint32_t network = impl_.egress_networks.capture(group, query_.destination);
  if (network == EgressNetworks::none) return;
  const Routes::Plan& plan = impl_.routes.plan(impl_.routes.plan_of(network, query_.protocol, query_.destination_port));
  tell_standing(plan, impl_.routes.standing_on(network, query_.protocol, query_.destination_port));
  if (plan.needs_name()) {
    if (shown) {
      tell_shown(plan, *shown);
    } else {
      tell_outcomes(plan);
      if (!lacks_address(explanation_.egress, query_.source) && !may_pass(plan)) deny_all(plan);
    }
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
  std::vector<std::uint32_t> asked = asked_routes(plan);
  const std::uint32_t winner = plan.otherwise.route;
  if (winner != RouteWinner::none)
    add("route",
        fmt::format("{} {}{}", titled(model_.routes[winner]), verb(model_.routes[winner].action),
                    asked.empty() ? " this" : fmt::format(" what no {} takes", kind_of(asked))),
        model_.routes[winner].at);
  for (const std::uint32_t route : standing)
    if (route != winner && std::find(asked.begin(), asked.end(), route) == asked.end())
      add("route", fmt::format("not {}: {}", titled(model_.routes[route]), why_it_lost(route, winner, asked)),
          model_.routes[route].at);
}

std::vector<std::uint32_t> Explainer::asked_routes(const Routes::Plan& plan) const {
  std::vector<std::uint32_t> asked;
  for (const std::uint32_t table : {plan.tls_table, plan.http_table, plan.grpc_table}) {
    if (table == Routes::Plan::no_table) continue;
    const std::vector<std::uint32_t>& routes = impl_.hosts->routes(table);
    asked.insert(asked.end(), routes.begin(), routes.end());
  }
  return asked;
}

// The kind of the routes that decide.
std::string_view Explainer::kind_of(const std::vector<std::uint32_t>& asked) const {
  config::RouteKind kind = config::RouteKind::tls;
  for (const std::uint32_t route : asked)
    if (model_.routes[route].action != config::RouteAction::audit) kind = std::max(kind, model_.routes[route].kind);
  return kind_name(kind);
}

std::string Explainer::why_it_lost(std::uint32_t route, std::uint32_t winner,
                                   const std::vector<std::uint32_t>& asked) const {
  if (model_.routes[route].action == config::RouteAction::audit) return "an audit route decides nothing";
  if (winner == RouteWinner::none)
    return asked.empty() ? "it does not match" : fmt::format("{}s take precedence on this port", kind_of(asked));
  const bool winner_denies = model_.routes[winner].action == config::RouteAction::deny;
  if (winner_denies && model_.routes[route].action != config::RouteAction::deny) return "deny beats allow";
  return "it stands later in the file";
}

void Explainer::tell_shown(const Routes::Plan& plan, const Shown& shown) {
  using Shows = Shown::Protocol;
  const auto normal = shown_name(shown);
  const HostName* name = normal ? &*normal : nullptr;
  if (explanation_.decision.reason == Reason::ech_refused) {
    add("host_name",
        fmt::format("\"{}\" is the public name of an ECH service: refused by [defaults] ech = \"deny\"", name->view()));
    return;
  }
  const bool request = shown.protocol == Shows::http || shown.protocol == Shows::http2;
  const bool hello = shown.protocol == Shows::tls || shown.protocol == Shows::quic;
  if (!(hello && plan.tls_table != Routes::Plan::no_table) && !(request && plan.needs_request())) {
    add("host_name", plan.needs_request() ? plan.tls_table != Routes::Plan::no_table
                                                ? "neither TLS nor plaintext HTTP: no name was shown"
                                                : "not plaintext HTTP: no name was shown"
                                          : "neither TLS nor QUIC: no name was shown");
    tell_other_protocol(plan);
    return;
  }
  add("host_name", name != nullptr      ? fmt::format("the name is \"{}\"", name->view())
                   : shown.name.empty() ? "no name was shown"
                                        : "what was shown is no valid DNS name: no name");
  if (request) {
    tell_request(plan, shown, name);
    return;
  }
  const auto scratch = policy_.make_scratch();
  const std::vector<std::uint32_t> matching = impl_.hosts->match_all(plan.tls_table, name, *scratch);
  const std::uint32_t winner = impl_.hosts->match(plan.tls_table, name, *scratch).route;
  for (const std::uint32_t route : impl_.hosts->routes(plan.tls_table)) {
    const bool matches = std::find(matching.begin(), matching.end(), route) != matching.end();
    tell_taker(route, winner, how_it_takes(route, name, *scratch),
               matches ? "" : fmt::format("it takes {}", names_of(model_.routes[route])));
  }
}

// The routes that the flow had nothing to show to.
void Explainer::tell_other_protocol(const Routes::Plan& plan) {
  for (const std::uint32_t place : asked_routes(plan)) {
    const config::Route& route = model_.routes[place];
    const std::string_view what = route.kind == config::RouteKind::tls    ? "TLS or QUIC"
                                  : route.kind == config::RouteKind::http ? "plaintext HTTP"
                                                                          : "gRPC in the clear";
    add("host_name", fmt::format("not {}: it takes {} that shows {}", titled(route), what, names_of(route)), route.at);
  }
}

Explainer::How Explainer::how_it_takes(std::uint32_t route, const HostName* name, MatchScratch& scratch) const {
  const HostRoutes::Match by = impl_.hosts->best_match(route, name, scratch);
  if (by.hostname != nullptr) return {fmt::format(" by {}", written(*by.hostname)), by.hostname->at};
  if (by.set != nullptr) {
    const auto set = std::find_if(model_.domain_sets.begin(), model_.domain_sets.end(),
                                  [&](const config::DomainSet& one) { return one.name == *by.set; });
    return {fmt::format(" by the domain set \"{}\"", *by.set),
            set == model_.domain_sets.end() ? model_.routes[route].at : set->at};
  }
  return {"", model_.routes[route].at};
}

// `why_not` empty: it takes the name, and the request where there is one.
void Explainer::tell_taker(std::uint32_t route, std::uint32_t winner, const How& how, const std::string& why_not) {
  const config::Route& tried = model_.routes[route];
  if (route == winner)
    add("host_name", fmt::format("{} {} it{}", titled(tried), verb(tried.action), how.text), how.at);
  else if (!why_not.empty())
    add("host_name", fmt::format("not {}: {}", titled(tried), why_not), tried.at);
  else if (tried.action == config::RouteAction::audit)
    add("host_name", fmt::format("{} audits it{}", titled(tried), how.text), how.at);
  else
    add("host_name",
        fmt::format("not {}, which matches{}: a more specific match, a deny or an earlier route decides", titled(tried),
                    how.text),
        how.at);
}

void Explainer::tell_request(const Routes::Plan& plan, const Shown& shown, const HostName* name) {
  const auto scratch = policy_.make_scratch();
  Reading reading = Reading::strict;
  const OtherReadings others = other_readings(shown.request.target, plan.asks_path, *scratch);
  const auto denies = [&](Reading as) {
    return impl_.routes.resolve(plan, shown, name, as, *scratch).action == Action::deny;
  };
  if (others.any()) {
    const std::string_view path = shown.request.target.substr(0, shown.request.target.find('?'));
    std::vector<Reading> read{Reading::strict};
    if (others.lenient) read.push_back(Reading::lenient);
    if (others.literal) read.push_back(Reading::literal);
    std::size_t decides = 0;
    std::string written;
    for (std::size_t i = 0; i < read.size(); ++i) {
      written += fmt::format("{}\"{}\"", i == 0 ? "" : " or as ", read_path(path, read[i]));
      if (decides == 0 && i != 0 && !denies(Reading::strict) && denies(read[i])) decides = i;
    }
    reading = read[decides];
    constexpr std::array places{"first", "second", "third"};
    if (read.size() > 1)
      add("request", fmt::format("servers may read the path as {}: allowed if {} are; the {} decides", written,
                                 read.size() == 2 ? "both" : "all", places[decides]));
    if (others.unclear && explanation_.decision.reason == Reason::hello_malformed)
      add("request",
          "the path goes up by \"..\", beside what servers read in more ways than these: denied where a route "
          "asks for paths");
  }
  const std::uint32_t winner = impl_.routes.resolve(plan, shown, name, reading, *scratch).route;
  const ReadRequest request(shown.request, reading, plan.asks_path, *scratch);
  const bool grpc = is_grpc(shown, request);
  for (const std::uint32_t table : {plan.grpc_table, plan.http_table}) {
    if (table == Routes::Plan::no_table) continue;
    const std::vector<std::uint32_t> matching = impl_.hosts->match_all(table, name, *scratch);
    for (const std::uint32_t route : matching)
      explanation_.by_request =
          explanation_.by_request || table == plan.grpc_table || !model_.routes[route].matches.empty();
    for (const std::uint32_t route : impl_.hosts->routes(table)) {
      std::string why_not;
      if (table == plan.grpc_table && !grpc)
        why_not = "the request is none of gRPC, a POST over HTTP/2 to /SERVICE/METHOD";
      else if (std::find(matching.begin(), matching.end(), route) == matching.end())
        why_not = fmt::format("it takes {}", names_of(model_.routes[route]));
      else if (impl_.requests->closest(route, request, *scratch) == nullptr)
        why_not = fmt::format("it takes the name, and of requests {}", wanted_by(model_.routes[route]));
      tell_taker(route, winner, how_it_takes(route, name, *scratch), why_not);
    }
  }
}

// Is there anything to show that would be allowed?
bool Explainer::may_pass(const Routes::Plan& plan) const {
  if (plan.otherwise.action == Action::allow) return true;
  const std::vector<std::uint32_t> asked = asked_routes(plan);
  return std::any_of(asked.begin(), asked.end(), [&](std::uint32_t place) {
    const config::Route& route = model_.routes[place];
    const bool by_sets = route.hostnames.empty() && !route.hostname_sets.empty();
    const auto is_empty = [&](const std::string& name) {
      return std::any_of(model_.domain_sets.begin(), model_.domain_sets.end(),
                         [&](const config::DomainSet& set) { return set.name == name && set.names.empty(); });
    };
    return route.action == config::RouteAction::allow &&
           !(by_sets && std::all_of(route.hostname_sets.begin(), route.hostname_sets.end(), is_empty));
  });
}

void Explainer::deny_all(const Routes::Plan& plan) {
  add("host_name", "nothing that it can show is allowed");
  Decision& decision = explanation_.decision;
  decision.action = Action::deny;
  decision.reason = plan.blames >= config::RouteKind::tls ? Reason::no_name : plan.otherwise.reason;
  decision.layer = Layer::egress_network;
  decision.rule = impl_.routes.id_of(plan.otherwise.route);
}

void Explainer::tell_outcomes(const Routes::Plan& plan) {
  for (const std::uint32_t place : asked_routes(plan)) {
    const config::Route& route = model_.routes[place];
    const std::string_view what = route.kind == config::RouteKind::tls ? "flow" : "request";
    const std::string_view matching = route.matches.empty() ? "" : ", where one of its matches takes it";
    add("host_name",
        fmt::format("{} {} a {} that shows {}{}", titled(route), verb(route.action), what, names_of(route), matching),
        route.at);
  }
  if (plan.needs_request()) {
    const bool denied = plan.otherwise.action == Action::deny;
    const auto reason = [&](Reason blamed) {
      return to_string(plan.blames >= config::RouteKind::tls ? blamed : plan.otherwise.reason);
    };
    add("host_name", fmt::format("a request that none takes: {} ({})", verdict(plan.otherwise.action),
                                 reason(denied ? Reason::name_not_allowed : plan.otherwise.reason)));
    add("host_name", fmt::format("a flow of another protocol: {} ({})", verdict(plan.otherwise.action),
                                 reason(denied ? Reason::no_name : plan.otherwise.reason)));
    return;
  }
  const auto scratch = policy_.make_scratch();
  Shown hello;
  hello.protocol = Shown::Protocol::tls;
  const Routes::Outcome unnamed = impl_.routes.resolve(plan, hello, nullptr, *scratch);
  const Routes::Outcome other = impl_.routes.resolve(plan, Shown{}, nullptr, *scratch);
  const Reason other_name = plan.blames >= config::RouteKind::tls ? Reason::name_not_allowed : plan.otherwise.reason;
  const bool takes_all = unnamed.reason == Reason::route && unnamed.route != plan.otherwise.route;
  if (!takes_all)
    add("host_name",
        fmt::format("any name that none takes: {} ({})", verdict(plan.otherwise.action), to_string(other_name)));
  add("host_name",
      fmt::format("TLS or QUIC without a name: {} ({})", verdict(unnamed.action), to_string(unnamed.reason)));
  add("host_name", fmt::format("neither TLS nor QUIC: {} ({})", verdict(other.action), to_string(other.reason)));
}

}  // namespace sallyport::classifier
