#include "policy_model_oracle.h"

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include <boost/multiprecision/cpp_int.hpp>

namespace sallyport::model {

namespace {

using boost::multiprecision::cpp_int;

bool in_block(const config::CidrBlock& block, const IpAddress& address) {
  return block.cidr.contains(address) && !in_any(block.except, address);
}

cpp_int addresses_in(const Prefix& prefix) {
  return cpp_int(1) << (address_bits(prefix.address.family) - prefix.length);
}

// An except inside another one adds nothing to the union.
cpp_int effective_size(const config::CidrBlock& block) {
  cpp_int size = addresses_in(block.cidr);
  const std::set<Prefix> excepts(block.except.begin(), block.except.end());
  for (const Prefix& except : excepts) {
    const bool covered = std::any_of(excepts.begin(), excepts.end(),
                                     [&](const Prefix& other) { return other != except && other.contains(except); });
    if (!covered) size -= addresses_in(except);
  }
  return size;
}

std::string full(const std::string& namespace_name, const std::string& name) { return namespace_name + "/" + name; }

const char* verb(bool allow) { return allow ? "allow" : "deny"; }

}  // namespace

bool holds(const config::Selector& selector, const config::Labels& labels) {
  for (const auto& [key, value] : selector.match_labels)
    if (!labels.contains(key) || labels.at(key) != value) return false;
  for (const config::SelectorTerm& term : selector.match_expressions) {
    const bool has = labels.contains(term.key);
    const bool in = has && std::count(term.values.begin(), term.values.end(), labels.at(term.key)) != 0;
    using Operator = config::SelectorTerm::Operator;
    if (term.op == Operator::in && !in) return false;
    if (term.op == Operator::not_in && in) return false;
    if (term.op == Operator::exists && !has) return false;
    if (term.op == Operator::does_not_exist && has) return false;
  }
  return true;
}

bool in_any(const std::vector<Prefix>& prefixes, const IpAddress& address) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& prefix) { return prefix.contains(address); });
}

config::Labels Oracle::labels_of_namespace(const std::string& name) const {
  config::Labels labels;
  for (const config::Namespace& written : model_.namespaces)
    if (written.name == name) labels = written.labels;
  labels["kubernetes.io/metadata.name"] = name;
  return labels;
}

Oracle::Party Oracle::party(const IpAddress& address) const {
  Party party;
  int longest = -1;
  for (const config::Workload& workload : model_.workloads)
    for (const config::LocatedPrefix& candidate : workload.addresses)
      if (candidate.prefix.contains(address) && candidate.prefix.length > longest) {
        longest = candidate.prefix.length;
        party = {true, workload.namespace_name, workload.name, workload.labels, {}};
      }
  if (!party.known)
    for (const config::Namespace& name_space : model_.namespaces)
      for (const config::LocatedPrefix& candidate : name_space.addresses)
        if (candidate.prefix.contains(address) && candidate.prefix.length > longest) {
          longest = candidate.prefix.length;
          party = {true, name_space.name, "", {}, {}};
        }
  if (party.known) party.namespace_labels = labels_of_namespace(party.namespace_name);
  return party;
}

Owner Oracle::owner(const IpAddress& address) const {
  const Party found = party(address);
  return {found.namespace_name, found.workload};
}

bool Oracle::is_peer(const config::Peer& peer, const std::string& namespace_name, const Question& question) const {
  const IpAddress& destination = question.destination;
  if (const auto* block = std::get_if<config::IpBlockPeer>(&peer.is)) return in_block(block->block, destination);
  if (const auto* sets = std::get_if<config::NetworkSetPeer>(&peer.is)) {
    for (const config::NetworkSet& set : model_.network_sets) {
      if (!set.namespace_name.empty() && set.namespace_name != namespace_name) continue;
      if (!holds(sets->selector, set.labels)) continue;
      for (const config::LocatedPrefix& net : set.nets)
        if (net.prefix.contains(destination)) return true;
    }
    return false;
  }
  if (const auto* pods = std::get_if<config::PodPeer>(&peer.is)) {
    const Party there = party(destination);
    if (!there.known) return false;
    if (pods->pod_selector && !holds(*pods->pod_selector, there.labels)) return false;
    return pods->namespace_selector ? holds(*pods->namespace_selector, there.namespace_labels)
                                    : there.namespace_name == namespace_name;
  }
  const auto& domains = std::get<config::DomainsPeer>(peer.is).domains;
  return std::any_of(domains.begin(), domains.end(),
                     [&](const std::string& domain) { return is_bound(domain, question); });
}

bool Oracle::allows(const config::NetworkPolicyRule& rule, const std::string& namespace_name,
                    const Question& question) const {
  bool port_fits = rule.ports.empty();
  for (const config::PortRule& port : rule.ports) {
    if (port.protocol != question.protocol) continue;
    const int first = port.port ? *port.port : 0;
    const int last = port.end_port ? *port.end_port : port.port ? *port.port : 65535;
    if (question.port >= first && question.port <= last) port_fits = true;
  }
  bool destination_fits = rule.to.empty();
  for (const config::Peer& peer : rule.to)
    if (is_peer(peer, namespace_name, question)) destination_fits = true;
  return port_fits && destination_fits;
}

const config::NetworkPolicy* Oracle::refusing_policy(const Party& source, const Question& question) const {
  const config::NetworkPolicy* first = nullptr;
  for (const config::NetworkPolicy& policy : model_.network_policies) {
    if (!source.known || policy.namespace_name != source.namespace_name) continue;
    if (!holds(policy.pod_selector, source.labels)) continue;
    if (first == nullptr) first = &policy;
    for (const config::NetworkPolicyRule& rule : policy.egress)
      if (allows(rule, policy.namespace_name, question)) return nullptr;
  }
  return first;
}

const config::EgressNetwork* Oracle::capture_in(const std::string& namespace_name, const IpAddress& destination) const {
  const config::EgressNetwork* best = nullptr;
  cpp_int smallest;
  for (const config::EgressNetwork& network : model_.egress_networks) {
    if (network.namespace_name != namespace_name) continue;
    for (const config::CidrBlock& block : network.networks) {
      if (!in_block(block, destination)) continue;
      const cpp_int size = effective_size(block);
      if (best != nullptr && size >= smallest) continue;
      best = &network;
      smallest = size;
    }
  }
  return best;
}

const config::EgressNetwork* Oracle::capture(const Party& source, const IpAddress& destination) const {
  if (source.known) {
    if (const config::EgressNetwork* own = capture_in(source.namespace_name, destination)) return own;
    const bool has_own =
        std::any_of(model_.egress_networks.begin(), model_.egress_networks.end(),
                    [&](const auto& network) { return network.namespace_name == source.namespace_name; });
    if (has_own && model_.defaults.global_scope_exclusive) return nullptr;
  }
  return capture_in(model_.global_namespace, destination);
}

Verdict Oracle::decide(const Question& question) const {
  Verdict verdict;
  const Party source = party(question.source);
  if (const config::NetworkPolicy* policy = refusing_policy(source, question)) {
    verdict.action = "deny";
    verdict.reason = "network_policy";
    verdict.rule = full(policy->namespace_name, policy->name);
    return verdict;
  }
  const config::EgressNetwork* network = capture(source, question.destination);
  if (network == nullptr) {
    verdict.action = verb(model_.defaults.uncaptured == config::TrafficPolicy::allow);
    verdict.reason = "uncaptured";
  } else {
    verdict.network = full(network->namespace_name, network->name);
    decide_captured(*network, question, verdict);
  }
  check_binding(question, verdict);
  return verdict;
}

std::vector<const config::Route*> Oracle::standing(const config::EgressNetwork& network, config::RouteKind kind,
                                                   std::uint16_t port) const {
  std::vector<const config::Route*> routes;
  for (const config::Route& route : model_.routes) {
    if (route.kind != kind) continue;
    for (const config::ParentRef& parent : route.parent_refs) {
      if (parent.name != network.name || parent.namespace_name != network.namespace_name) continue;
      const bool on_port = kind == config::RouteKind::icmp ||
                           (port >= *parent.port && port <= (parent.end_port ? *parent.end_port : *parent.port));
      if (!on_port) continue;
      routes.push_back(&route);
      break;
    }
  }
  return routes;
}

const config::Route* Oracle::winner(std::vector<Taker> takers, bool& audited) {
  std::sort(takers.begin(), takers.end(), [](const Taker& a, const Taker& b) { return a.rank < b.rank; });
  for (const Taker& taker : takers) {
    if (taker.route->action != config::RouteAction::audit) return taker.route;
    audited = true;
  }
  return nullptr;
}

namespace {

bool some_decides(const std::vector<const config::Route*>& routes) {
  return std::any_of(routes.begin(), routes.end(),
                     [](const config::Route* route) { return route->action != config::RouteAction::audit; });
}

// The name that the flow shows, without a port behind it.
std::optional<std::string> name_shown(const Question& question) {
  std::string name = question.name;
  const bool request = question.speaks == Question::Speaks::http || question.speaks == Question::Speaks::http2;
  if (request) {
    std::size_t end = name.size();
    while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9') --end;
    if (end > 0 && name[end - 1] == ':') name.resize(end - 1);
  }
  return comparable_name(name);
}

}  // namespace

void Oracle::check_binding(const Question& question, Verdict& verdict) const {
  using config::Binding;
  const Binding binding = model_.defaults.server_name_binding;
  const bool may_show = question.protocol == config::Protocol::tcp || question.protocol == config::Protocol::udp;
  if (binding == Binding::off || verdict.action != "allow" || !may_show) return;
  if (binding == Binding::deny) verdict.needs_name = true;
  const auto name = question.speaks == Question::Speaks::nothing ? std::nullopt : name_shown(question);
  if (!name || is_bound(*name, question)) return;
  if (binding == Binding::audit) {
    verdict.audited = true;
    return;
  }
  verdict.action = "deny";
  verdict.reason = "name_not_bound";
  verdict.rule = "";
}

bool Oracle::refuses_ech(const Question& question) const {
  const auto name = name_shown(question);
  const auto& refused = model_.defaults.ech_public_names;
  return model_.defaults.ech_denied && question.ech && question.speaks == Question::Speaks::hello && name &&
         std::find(refused.begin(), refused.end(), *name) != refused.end();
}

std::vector<Oracle::Taker> Oracle::takers_of_hello(const std::vector<const config::Route*>& routes,
                                                   const Question& question) const {
  std::vector<Taker> takers;
  for (const config::Route* route : routes) add_takers(*route, name_shown(question).value_or(""), takers);
  return takers;
}

std::vector<Oracle::Taker> Oracle::takers_of_request(const std::vector<const config::Route*>& routes,
                                                     const Question& question, Reader reader) const {
  std::vector<Taker> takers;
  for (const config::Route* route : routes) {
    std::vector<Taker> by_name;
    add_takers(*route, name_shown(question).value_or(""), by_name);
    std::vector<config::HttpMatch> matches = route->matches;
    if (matches.empty()) matches.emplace_back();
    for (const Taker& taker : by_name)
      for (const config::HttpMatch& match : matches) {
        if (!request_matches(match, route->kind, question, reader)) continue;
        // How closely by name, then by request; the last two are deny and place.
        std::vector<std::int64_t> rank(taker.rank.begin(), taker.rank.end() - 2);
        const std::vector<std::int64_t> close = closeness(match, route->kind);
        rank.insert(rank.end(), close.begin(), close.end());
        rank.insert(rank.end(), taker.rank.end() - 2, taker.rank.end());
        takers.push_back({route, rank});
      }
  }
  return takers;
}

std::vector<Oracle::Taker> Oracle::takers_of_anything(const std::vector<const config::Route*>& routes) const {
  std::vector<Taker> takers;
  for (const config::Route* route : routes)
    takers.push_back({route, {route->action == config::RouteAction::deny ? 0 : 1, place(*route)}});
  return takers;
}

void Oracle::conclude(const config::EgressNetwork& network, Groups groups, const char* not_taken,
                      Verdict& verdict) const {
  for (std::vector<Taker>& takers : groups) {
    const config::Route* decides = winner(std::move(takers), verdict.audited);
    if (decides == nullptr) continue;
    verdict.action = verb(decides->action == config::RouteAction::allow);
    verdict.reason = "route";
    verdict.rule = full(decides->namespace_name, decides->name);
    return;
  }
  const bool allow = network.traffic_policy == config::TrafficPolicy::allow;
  verdict.action = verb(allow);
  verdict.reason = allow ? "network_default" : not_taken;
}

void Oracle::decide_captured(const config::EgressNetwork& network, const Question& question, Verdict& verdict) const {
  using config::Protocol;
  using config::RouteKind;
  if (question.protocol == Protocol::tcp) {
    decide_tcp(network, question, verdict);
  } else if (question.protocol == Protocol::udp) {
    const auto named = standing(network, RouteKind::tls, question.port);
    verdict.needs_name = !named.empty();
    const bool speaks = question.speaks == Question::Speaks::hello;
    if (verdict.needs_name && refuses_ech(question)) {
      verdict.action = "deny";
      verdict.reason = "ech_refused";
      return;
    }
    Groups groups;
    if (speaks) groups.push_back(takers_of_hello(named, question));
    groups.push_back(takers_of_anything(standing(network, RouteKind::udp, question.port)));
    const bool named_well = speaks && name_shown(question).has_value();
    conclude(network, groups,
             !some_decides(named) ? "network_default"
             : named_well         ? "name_not_allowed"
                                  : "no_name",
             verdict);
  } else if (question.protocol == Protocol::icmp) {
    conclude(network, {takers_of_anything(standing(network, RouteKind::icmp, 0))}, "network_default", verdict);
  } else {
    conclude(network, {}, "network_default", verdict);
  }
}

namespace {

bool some_ask_path(const std::vector<const config::Route*>& routes) {
  return std::any_of(routes.begin(), routes.end(), [](const config::Route* route) {
    return std::any_of(route->matches.begin(), route->matches.end(), [&](const config::HttpMatch& match) {
      constexpr std::int64_t none = 4;
      return closeness(match, route->kind).front() != none;
    });
  });
}

}  // namespace

// The kinds that share a TCP port, from the highest down, to the first of which a route decides.
void Oracle::decide_tcp(const config::EgressNetwork& network, const Question& question, Verdict& verdict) const {
  using config::RouteKind;
  using Speaks = Question::Speaks;
  if (refuses_ech(question)) {
    // Only where a hello is looked at: some tls_route stands there and is not left out.
    const bool above = some_decides(standing(network, RouteKind::grpc, question.port)) ||
                       some_decides(standing(network, RouteKind::http, question.port));
    const bool looked_at = !standing(network, RouteKind::grpc, question.port).empty() ||
                           !standing(network, RouteKind::http, question.port).empty() ||
                           (!above && !standing(network, RouteKind::tls, question.port).empty());
    if (looked_at) {
      verdict.needs_name = true;
      verdict.action = "deny";
      verdict.reason = "ech_refused";
      return;
    }
  }
  // Under all readings of a request; the worst verdict counts.
  const Verdict before = verdict;
  std::vector<Verdict> verdicts;
  bool asks_path = false;
  for (const Reader reader : {Reader::strict, Reader::lenient, Reader::literal}) {
    Verdict one = before;
    Groups groups;
    std::string not_taken = "network_default";
    for (const RouteKind kind : {RouteKind::grpc, RouteKind::http, RouteKind::tls}) {
      const auto routes = standing(network, kind, question.port);
      if (routes.empty()) continue;
      one.needs_name = true;
      asks_path = asks_path || kind == RouteKind::grpc || (kind == RouteKind::http && some_ask_path(routes));
      const bool request = question.speaks == Speaks::http || question.speaks == Speaks::http2;
      const bool spoken = kind == RouteKind::grpc   ? is_grpc(question, reader)
                          : kind == RouteKind::http ? request
                                                    : question.speaks == Speaks::hello;
      if (spoken)
        groups.push_back(kind == RouteKind::tls ? takers_of_hello(routes, question)
                                                : takers_of_request(routes, question, reader));
      if (!some_decides(routes)) continue;
      not_taken = spoken && name_shown(question) ? "name_not_allowed" : "no_name";
      break;
    }
    if (not_taken == "network_default")
      groups.push_back(takers_of_anything(standing(network, RouteKind::tcp, question.port)));
    conclude(network, groups, not_taken.c_str(), one);
    verdicts.push_back(one);
  }
  if (!has_two_readings(question)) verdicts[1] = verdicts[0];
  verdict = verdicts[0];
  for (const Verdict& other : verdicts) {
    if (verdict.action == "deny") break;
    const bool audited = verdict.audited || other.audited;
    if (other.action == "deny") {
      verdict = other;
    } else {
      verdict.audited = audited;
    }
  }
  const bool request = question.speaks == Speaks::http || question.speaks == Speaks::http2;
  if (verdict.action == "deny" || !request || !asks_path || !is_unclear(question)) return;
  verdict = before;
  verdict.needs_name = true;
  verdict.action = "deny";
  verdict.reason = "hello_malformed";
}

}  // namespace sallyport::model
