#include "classifier/network_policies.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "classifier/prefix_claims.h"
#include "classifier/selectors.h"

namespace sallyport::classifier {

namespace {

// As the loader writes them: "example.com", "*.example.com", ".example.com".
[[nodiscard]] Domain domain_of(std::string_view written) noexcept {
  if (written.starts_with("*.")) return {Domain::Kind::below, written.substr(2)};
  if (written.starts_with('.')) return {Domain::Kind::apex, written.substr(1)};
  return {Domain::Kind::exact, written};
}

}  // namespace

class NetworkPolicies::Compiler {
 public:
  Compiler(NetworkPolicies& into, const config::PolicyModel& model, Sources& sources)
      : into_(into), model_(model), sources_(sources) {
    for (std::size_t i = 1; i < sources.groups().size(); ++i)
      groups_of_namespace_[sources.groups()[i].namespace_name].push_back(static_cast<std::uint32_t>(i));
  }

  CompiledPolicy compile(const config::NetworkPolicy& policy, Identities& identities) {
    CompiledPolicy compiled;
    compiled.id = identities.intern(policy.namespace_name + "/" + policy.name);
    for (const config::NetworkPolicyRule& rule : policy.egress) compiled.rules.push_back(compile(rule, policy));
    return compiled;
  }

  void select() {
    std::vector<std::vector<std::uint32_t>> selecting(sources_.groups().size());
    for (std::size_t i = 0; i < model_.network_policies.size(); ++i) {
      const config::NetworkPolicy& policy = model_.network_policies[i];
      for (const std::uint32_t group : groups_in(policy.namespace_name))
        if (matches(policy.pod_selector, *sources_.groups()[group].labels)) {
          selecting[group].push_back(static_cast<std::uint32_t>(i));
          into_.policies_[i].selects = true;
        }
    }
    std::map<std::vector<std::uint32_t>, std::uint32_t> places{{{}, 0}};
    into_.selections_.emplace_back();
    for (std::vector<std::uint32_t>& policies : selecting) {
      const auto [known, is_new] = places.emplace(policies, static_cast<std::uint32_t>(into_.selections_.size()));
      if (is_new) into_.selections_.push_back(std::move(policies));
      into_.selection_of_group_.push_back(known->second);
    }
  }

 private:
  Rule compile(const config::NetworkPolicyRule& rule, const config::NetworkPolicy& policy) {
    Rule compiled;
    for (const config::PortRule& port : rule.ports) {
      Ports ports{port.protocol};
      if (port.port) ports.first = ports.last = *port.port;
      if (port.port && port.end_port) ports.last = *port.end_port;
      compiled.ports.push_back(ports);
    }
    compiled.any_destination = rule.to.empty();
    std::vector<Claim> blocks;
    std::vector<std::uint32_t> sets;
    for (const config::Peer& peer : rule.to) {
      if (const auto* block = std::get_if<config::IpBlockPeer>(&peer.is)) add_block(block->block, blocks);
      if (const auto* set = std::get_if<config::NetworkSetPeer>(&peer.is)) add_sets(*set, policy, sets);
      if (const auto* pods = std::get_if<config::PodPeer>(&peer.is)) add_pods(*pods, policy, compiled.pods);
      if (const auto* named = std::get_if<config::DomainsPeer>(&peer.is))
        for (const std::string& domain : named->domains) compiled.domains.push_back(domain_of(domain));
    }
    if (!blocks.empty()) {
      compiled.blocks = static_cast<std::uint32_t>(into_.tries_.size());
      into_.tries_.push_back(PrefixTrie::from_prefixes(resolve_claims(blocks)));
    }
    if (!sets.empty()) compiled.sets = union_of(std::move(sets));
    return compiled;
  }

  // Each block is a rank of its own, so its excepts take nothing from the others.
  static void add_block(const config::CidrBlock& block, std::vector<Claim>& blocks) {
    const std::uint32_t rank = blocks.empty() ? 0 : blocks.back().rank + 1;
    blocks.push_back({block.cidr, rank, false});
    for (const Prefix& except : block.except) blocks.push_back({except, rank, true});
  }

  void add_sets(const config::NetworkSetPeer& peer, const config::NetworkPolicy& policy,
                std::vector<std::uint32_t>& sets) const {
    for (std::size_t i = 0; i < model_.network_sets.size(); ++i) {
      const config::NetworkSet& set = model_.network_sets[i];
      const bool in_reach = set.namespace_name.empty() || set.namespace_name == policy.namespace_name;
      if (in_reach && matches(peer.selector, set.labels)) sets.push_back(static_cast<std::uint32_t>(i));
    }
  }

  void add_pods(const config::PodPeer& peer, const config::NetworkPolicy& policy, std::vector<std::uint64_t>& pods) {
    pods.resize((sources_.groups().size() + 63) / 64);
    const auto add = [&](std::uint32_t group) {
      if (!peer.pod_selector || matches(*peer.pod_selector, *sources_.groups()[group].labels))
        pods[group / 64] |= std::uint64_t{1} << group % 64;
    };
    if (!peer.namespace_selector) {
      for (const std::uint32_t group : groups_in(policy.namespace_name)) add(group);
      return;
    }
    for (const auto& [name, groups] : groups_of_namespace_)
      if (matches(*peer.namespace_selector, sources_.namespace_labels(name)))
        for (const std::uint32_t group : groups) add(group);
  }

  std::uint32_t union_of(std::vector<std::uint32_t> sets) {
    std::sort(sets.begin(), sets.end());
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    const auto [known, is_new] = unions_.emplace(sets, static_cast<std::uint32_t>(into_.tries_.size()));
    if (!is_new) return known->second;
    std::vector<Prefix> prefixes;
    for (const std::uint32_t set : sets)
      for (const config::LocatedPrefix& net : model_.network_sets[set].nets) prefixes.push_back(net.prefix);
    into_.tries_.push_back(make_address_set(prefixes));
    return known->second;
  }

  const std::vector<std::uint32_t>& groups_in(const std::string& namespace_name) const {
    static const std::vector<std::uint32_t> nobody;
    const auto found = groups_of_namespace_.find(namespace_name);
    return found == groups_of_namespace_.end() ? nobody : found->second;
  }

  NetworkPolicies& into_;
  const config::PolicyModel& model_;
  Sources& sources_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> groups_of_namespace_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> unions_;  // of network_sets -> place in tries_
};

NetworkPolicies::NetworkPolicies(const config::PolicyModel& model, Sources& sources, Identities& identities)
    : sources_(sources) {
  Compiler compiler(*this, model, sources);
  for (const config::NetworkPolicy& policy : model.network_policies)
    policies_.push_back(compiler.compile(policy, identities));
  compiler.select();
}

bool NetworkPolicies::matches_port(const Rule& rule, const FlowQuery& query) noexcept {
  return rule.ports.empty() || std::any_of(rule.ports.begin(), rule.ports.end(), [&](const Ports& ports) {
           return ports.protocol == query.protocol && ports.first <= query.destination_port &&
                  query.destination_port <= ports.last;
         });
}

bool NetworkPolicies::has_address(const Rule& rule, const IpAddress& destination) const noexcept {
  if (rule.any_destination) return true;
  if (rule.blocks != none && tries_[rule.blocks].lookup(destination) != PrefixTrie::none) return true;
  if (rule.sets != none && tries_[rule.sets].lookup(destination) != PrefixTrie::none) return true;
  if (rule.pods.empty()) return false;
  const std::uint32_t group = sources_.record(destination).group;
  return (rule.pods[group / 64] >> group % 64 & 1U) != 0;
}

const Domain* NetworkPolicies::find_domain(const Rule& rule, const IpAddress& destination,
                                           const BoundNames* bound) noexcept {
  if (rule.domains.empty() || bound == nullptr || !bound->knows(destination)) return nullptr;
  const auto found = std::find_if(rule.domains.begin(), rule.domains.end(),
                                  [&](const Domain& domain) { return bound->binds(domain, destination); });
  return found == rule.domains.end() ? nullptr : &*found;
}

NetworkPolicies::Answer NetworkPolicies::decide(std::uint32_t group, const FlowQuery& query,
                                                const BoundNames* bound) const noexcept {
  const std::vector<std::uint32_t>& policies = selecting(group);
  if (policies.empty()) return {};
  for (const std::uint32_t place : policies)
    for (const Rule& rule : policies_[place].rules) {
      if (!matches_port(rule, query)) continue;
      if (has_address(rule, query.destination)) return {Verdict::allowed, policies_[place].id, {}};
      if (const Domain* domain = find_domain(rule, query.destination, bound); domain != nullptr)
        return {Verdict::allowed, policies_[place].id, *domain};
    }
  return {Verdict::denied, policies_[policies.front()].id, {}};
}

const std::vector<std::uint32_t>& NetworkPolicies::selecting(std::uint32_t group) const noexcept {
  return selections_[selection_of_group_[group]];
}

NetworkPolicies::RuleMatch NetworkPolicies::try_rule(std::uint32_t policy, std::size_t rule, const FlowQuery& query,
                                                     const BoundNames* bound) const noexcept {
  const Rule& tried = policies_[policy].rules[rule];
  RuleMatch match{matches_port(tried, query), has_address(tried, query.destination), {}, !tried.domains.empty()};
  const Domain* domain = match.destination ? nullptr : find_domain(tried, query.destination, bound);
  if (domain != nullptr) {
    match.destination = true;
    match.domain = *domain;
  }
  return match;
}

}  // namespace sallyport::classifier
