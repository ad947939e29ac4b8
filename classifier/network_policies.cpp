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
  Compiler(NetworkPolicies& into, const config::PolicyModel& model, const Sources& sources)
      : into_(into), model_(model), sources_(sources) {
    for (std::size_t i = 1; i < sources.groups().size(); ++i) add_group(static_cast<std::uint32_t>(i));
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
  // A namespace that somebody is of.
  struct Home {
    const config::Labels* labels = nullptr;
    std::vector<std::uint32_t> groups;
  };
  using Homes = std::vector<std::uint32_t>;  // places in homes_

  void add_group(std::uint32_t place) {
    const SourceGroup& group = sources_.groups()[place];
    const auto [known, is_new] = home_places_.emplace(group.namespace_name, static_cast<std::uint32_t>(homes_.size()));
    if (is_new) {
      homes_.push_back({group.namespace_labels, {}});
      all_homes_.push_back(known->second);
      for (const auto& [key, value] : *group.namespace_labels) homes_with_[{key, value}].push_back(known->second);
    }
    homes_[known->second].groups.push_back(place);
  }

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
    std::vector<std::uint32_t> groups;
    for (const config::Peer& peer : rule.to) {
      if (const auto* block = std::get_if<config::IpBlockPeer>(&peer.is)) add_block(block->block, blocks);
      if (const auto* set = std::get_if<config::NetworkSetPeer>(&peer.is)) add_sets(*set, policy, sets);
      if (const auto* pods = std::get_if<config::PodPeer>(&peer.is)) add_pods(*pods, policy, groups);
      if (const auto* named = std::get_if<config::DomainsPeer>(&peer.is))
        for (const std::string& domain : named->domains) compiled.domains.push_back(domain_of(domain));
    }
    if (!blocks.empty()) {
      compiled.blocks = static_cast<std::uint32_t>(into_.tries_.size());
      into_.tries_.push_back(PrefixTrie::from_prefixes(resolve_claims(blocks)));
    }
    if (!sets.empty()) compiled.sets = union_of(std::move(sets));
    compiled.pods = GroupSet(groups);
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

  void add_pods(const config::PodPeer& peer, const config::NetworkPolicy& policy,
                std::vector<std::uint32_t>& groups) const {
    const auto add_of = [&](const std::vector<std::uint32_t>& of_namespace) {
      for (const std::uint32_t group : of_namespace)
        if (!peer.pod_selector || matches(*peer.pod_selector, *sources_.groups()[group].labels))
          groups.push_back(group);
    };
    if (!peer.namespace_selector) {
      add_of(groups_in(policy.namespace_name));
      return;
    }
    for (const std::uint32_t place : candidates(*peer.namespace_selector))
      if (matches(*peer.namespace_selector, *homes_[place].labels)) add_of(homes_[place].groups);
  }

  // Whoever has one of the labels that the selector demands; others need not be asked.
  [[nodiscard]] const Homes& candidates(const config::Selector& selector) const {
    static const Homes nobody;
    const Homes* fewest = &all_homes_;
    const auto consider = [&](const std::string& key, const std::string& value) {
      const auto having = homes_with_.find({key, value});
      const Homes& found = having == homes_with_.end() ? nobody : having->second;
      if (found.size() < fewest->size()) fewest = &found;
    };
    for (const auto& [key, value] : selector.match_labels) consider(key, value);
    for (const config::SelectorTerm& term : selector.match_expressions)
      if (term.op == config::SelectorTerm::Operator::in && term.values.size() == 1)
        consider(term.key, term.values.front());
    return *fewest;
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
    const auto found = home_places_.find(namespace_name);
    return found == home_places_.end() ? nobody : homes_[found->second].groups;
  }

  NetworkPolicies& into_;
  const config::PolicyModel& model_;
  const Sources& sources_;
  std::vector<Home> homes_;
  Homes all_homes_;
  std::unordered_map<std::string, std::uint32_t> home_places_;
  std::map<std::pair<std::string, std::string>, Homes> homes_with_;  // a label
  std::map<std::vector<std::uint32_t>, std::uint32_t> unions_;       // of network_sets -> place in tries_
};

NetworkPolicies::GroupSet::GroupSet(const std::vector<std::uint32_t>& groups) {
  if (groups.empty()) return;
  const auto [first, last] = std::minmax_element(groups.begin(), groups.end());
  first_word_ = *first / 64;
  words_.resize(*last / 64 - first_word_ + 1);
  for (const std::uint32_t group : groups) words_[group / 64 - first_word_] |= std::uint64_t{1} << group % 64;
}

NetworkPolicies::NetworkPolicies(const config::PolicyModel& model, const Sources& sources, Identities& identities)
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
  return !rule.pods.empty() && rule.pods.contains(sources_.record(destination).group);
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
