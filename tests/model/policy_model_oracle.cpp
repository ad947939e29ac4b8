#include "policy_model_oracle.h"

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include <boost/multiprecision/cpp_int.hpp>

namespace sallyport::model {

namespace {

using boost::multiprecision::cpp_int;

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

bool Oracle::is_peer(const config::Peer& peer, const std::string& namespace_name, const IpAddress& destination) const {
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
  return false;
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
    if (is_peer(peer, namespace_name, question.destination)) destination_fits = true;
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
    return verdict;
  }
  verdict.network = full(network->namespace_name, network->name);
  decide_captured(*network, question, verdict);
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

void Oracle::decide_captured(const config::EgressNetwork& network, const Question& question, Verdict& verdict) const {
  using config::Protocol;
  using config::RouteKind;
  std::vector<const config::Route*> named;
  if (question.protocol == Protocol::tcp || question.protocol == Protocol::udp)
    named = standing(network, RouteKind::tls, question.port);
  const bool name_decides = std::any_of(named.begin(), named.end(), [](const config::Route* route) {
    return route->action != config::RouteAction::audit;
  });
  verdict.needs_name = !named.empty();
  const auto name = question.speaks ? comparable_name(question.name) : std::nullopt;

  if (verdict.needs_name && model_.defaults.ech_denied && question.ech && name) {
    const auto& refused = model_.defaults.ech_public_names;
    if (std::find(refused.begin(), refused.end(), *name) != refused.end()) {
      verdict.action = "deny";
      verdict.reason = "ech_refused";
      return;
    }
  }

  // By name first, then by the kinds without names.
  const config::Route* decides = nullptr;
  if (verdict.needs_name && question.speaks) {
    std::vector<Taker> takers;
    for (const config::Route* route : named) add_takers(*route, name.value_or(""), takers);
    decides = winner(takers, verdict.audited);
  }
  if (decides == nullptr) {
    std::vector<const config::Route*> plain;
    if (question.protocol == Protocol::tcp && !name_decides) plain = standing(network, RouteKind::tcp, question.port);
    if (question.protocol == Protocol::udp) plain = standing(network, RouteKind::udp, question.port);
    if (question.protocol == Protocol::icmp) plain = standing(network, RouteKind::icmp, 0);
    std::vector<Taker> takers;
    for (const config::Route* route : plain)
      takers.push_back({route, {route->action == config::RouteAction::deny ? 0 : 1, place(*route)}});
    decides = winner(takers, verdict.audited);
  }
  if (decides != nullptr) {
    verdict.action = verb(decides->action == config::RouteAction::allow);
    verdict.reason = "route";
    verdict.rule = full(decides->namespace_name, decides->name);
    return;
  }
  const bool allow = network.traffic_policy == config::TrafficPolicy::allow;
  verdict.action = verb(allow);
  verdict.reason = allow || !name_decides ? "network_default" : name ? "name_not_allowed" : "no_name";
}

Egress Oracle::translate(const std::string& name, const std::vector<IpAddress>& addresses,
                         const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& exclude,
                         Family family) const {
  std::set<IpAddress> candidates(addresses.begin(), addresses.end());
  for (const AddressRange& range : ranges)
    for (IpAddress address = range.first;;) {
      candidates.insert(address);
      if (address == range.last) break;
      for (unsigned i = address_bytes(address.family); i-- > 0 && ++address.bytes[i] == 0;) {
      }
    }
  Egress egress{"translated", name, {}};
  for (const IpAddress& address : candidates) {
    const bool excluded =
        std::any_of(exclude.begin(), exclude.end(), [&](const AddressRange& range) { return range.contains(address); });
    if (address.family == family && !excluded) egress.addresses.push_back(to_string(address));
  }
  if (egress.addresses.empty()) egress.kind = "no_address";
  return egress;
}

Egress Oracle::egress(const Question& question) const {
  const Egress untranslated{"untranslated", "", {}};
  if (in_any(model_.snat.except, question.destination)) return untranslated;

  const Party source = party(question.source);
  const config::Egress* best = nullptr;
  int best_length = -1;
  for (const config::Egress& egress : model_.egresses) {
    bool selects = in_any(egress.sources, question.source);
    if (source.known && egress.applied_to && (egress.applied_to->pod_selector || egress.applied_to->namespace_selector))
      selects =
          selects || ((!egress.applied_to->pod_selector || holds(*egress.applied_to->pod_selector, source.labels)) &&
                      (!egress.applied_to->namespace_selector ||
                       holds(*egress.applied_to->namespace_selector, source.namespace_labels)));
    if (!selects) continue;
    int length = -1;
    for (const Prefix& destination : egress.destinations)
      if (destination.contains(question.destination)) length = std::max(length, int{destination.length});
    if (length < 0) continue;
    if (best != nullptr &&
        (egress.priority < best->priority || (egress.priority == best->priority && length <= best_length)))
      continue;
    best = &egress;
    best_length = length;
  }
  const Family family = question.destination.family;
  if (best != nullptr) {
    if (in_any(best->except, question.destination)) return untranslated;
    for (const config::EgressPool& pool : model_.egress_pools)
      if (pool.name == best->egress_pool) return translate(best->name, {}, pool.ranges, pool.exclude, family);
    return translate(best->name, best->egress_ips, {}, {}, family);
  }
  if (!model_.ip_pools.empty()) {
    bool outgoing = false;
    for (const config::IpPool& pool : model_.ip_pools) {
      if (pool.nat_outgoing && pool.cidr.contains(question.source)) outgoing = true;
      if (pool.cidr.contains(question.destination)) return untranslated;
    }
    if (!outgoing) return untranslated;
  } else if (model_.snat.addresses.empty()) {
    return untranslated;
  }
  return translate("", model_.snat.addresses, {}, {}, family);
}

}  // namespace sallyport::model
