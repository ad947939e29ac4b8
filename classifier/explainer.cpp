#include "classifier/explainer.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "config/address.h"

namespace sallyport::classifier {

namespace {

// The longest of the prefixes that holds the address, if any.
const config::LocatedPrefix* longest(const std::vector<config::LocatedPrefix>& prefixes, const IpAddress& address) {
  const config::LocatedPrefix* found = nullptr;
  for (const config::LocatedPrefix& candidate : prefixes)
    if (candidate.prefix.contains(address) && (found == nullptr || candidate.prefix.length > found->prefix.length))
      found = &candidate;
  return found;
}

// "except 10.1.0.0/16 of 10.0.0.0/8", where that is why no block of the rule has the address.
std::string excepted(const config::NetworkPolicyRule& rule, const IpAddress& address) {
  for (const config::Peer& peer : rule.to) {
    const auto* block = std::get_if<config::IpBlockPeer>(&peer.is);
    if (block == nullptr || !block->block.cidr.contains(address)) continue;
    for (const Prefix& except : block->block.except)
      if (except.contains(address))
        return fmt::format("except {} of {}", to_string(except), to_string(block->block.cidr));
  }
  return {};
}

std::string written(const Domain& domain) {
  constexpr std::array<std::string_view, 3> before = {"", "*.", "."};
  return fmt::format("{}{}", before.at(static_cast<std::size_t>(domain.kind)), domain.text);
}

}  // namespace

Explainer::Explainer(const Policy& policy, const Policy::Impl& impl, const FlowQuery& query, const BoundNames* bound)
    : policy_(policy),
      impl_(impl),
      model_(*impl.model),
      query_(query),
      bound_(bound),
      source_(policy.find_source(query.source)) {}

void Explainer::add(std::string what, std::string result) {
  explanation_.steps.push_back({std::move(what), std::move(result), {}, 0});
}

void Explainer::add(std::string what, std::string result, const config::Location& at) {
  std::string file = at.file < model_.files.size() && at.line != 0 ? model_.files[at.file] : std::string();
  explanation_.steps.push_back({std::move(what), std::move(result), std::move(file), at.line});
}

Explanation Explainer::explain(const std::optional<Shown>& shown) && {
  explanation_.source = source_;
  pending_ = policy_.decide(source_, query_, bound_);
  explanation_.decision = pending_;
  explanation_.egress = policy_.choose_egress(source_, query_);
  // The first packet chooses the address: where there is none, the flow comes to show nothing.
  const std::optional<Shown> seen = lacks_address(explanation_.egress, query_.source) ? std::nullopt : shown;
  if (pending_.action == Action::needs_name && seen)
    explanation_.decision = policy_.decide_shown(pending_, *seen, *policy_.make_scratch());

  tell_source();
  tell_network_policies();
  if (pending_.layer == Layer::network_policy) return std::move(explanation_);
  tell_networks();
  tell_routes(seen);
  bind_name(seen);
  if (explanation_.decision.action != Action::deny) tell_egress();
  return std::move(explanation_);
}

void Explainer::tell_source() {
  const SourceRecord& record = impl_.sources.record(source_.index);
  const std::string address = to_string(query_.source);
  if (record.workload_place != SourceRecord::none) {
    const config::Workload& owner = model_.workloads[record.workload_place];
    const config::LocatedPrefix* prefix = longest(owner.addresses, query_.source);
    add("source",
        fmt::format("{} is workload {}/{}, by {}", address, owner.namespace_name, owner.name,
                    to_string(prefix->prefix)),
        prefix->at);
  } else if (record.namespace_place != SourceRecord::none) {
    const config::Namespace& owner = model_.namespaces[record.namespace_place];
    const config::LocatedPrefix* prefix = longest(owner.addresses, query_.source);
    add("source",
        fmt::format("{} is of namespace {}, by {}, and no workload names it", address, owner.name,
                    to_string(prefix->prefix)),
        prefix->at);
  } else {
    add("source", fmt::format("{} is nobody's: no workload or namespace names it", address));
  }
  for (std::size_t i = 0; i < model_.workloads.size(); ++i) {
    const config::Workload& other = model_.workloads[i];
    const config::LocatedPrefix* prefix = longest(other.addresses, query_.source);
    if (i != record.workload_place && prefix != nullptr)
      add("source",
          fmt::format("not workload {}/{}: its {} is shorter", other.namespace_name, other.name,
                      to_string(prefix->prefix)),
          prefix->at);
  }
}

void Explainer::tell_network_policies() {
  const std::uint32_t group = impl_.sources.record(source_.index).group;
  const std::vector<std::uint32_t>& selecting = impl_.network_policies.selecting(group);
  if (selecting.empty()) {
    add("network_policy", "no network policy selects this source: not isolated, allowed");
    return;
  }
  for (const std::uint32_t policy : selecting) tell_rules(policy);
  if (pending_.layer == Layer::network_policy)
    add("network_policy", "isolated, and no rule of a policy that selects it allows this: denied",
        model_.network_policies[selecting.front()].at);
}

void Explainer::tell_rules(std::uint32_t place) {
  const config::NetworkPolicy& policy = model_.network_policies[place];
  const std::string name = policy.namespace_name + "/" + policy.name;
  if (policy.egress.empty()) add("network_policy", fmt::format("{} selects it and has no rule", name), policy.at);
  for (std::size_t i = 0; i < policy.egress.size(); ++i) {
    const NetworkPolicies::RuleMatch match = impl_.network_policies.try_rule(place, i, query_, bound_);
    if (match.port && !match.destination && match.by_name && bound_ == nullptr) explanation_.by_dns = true;
    add("network_policy", fmt::format("rule {} of {} {}", i + 1, name, rule_result(match, policy.egress[i])),
        policy.egress[i].at);
  }
}

std::string Explainer::rule_result(const NetworkPolicies::RuleMatch& match,
                                   const config::NetworkPolicyRule& rule) const {
  const std::string destination = to_string(query_.destination);
  if (match.port && !match.domain.text.empty())
    return fmt::format("allows this: {} is bound to {}", written(match.domain), destination);
  if (match.port && match.destination) return "allows this";
  if (match.port && match.by_name && bound_ == nullptr)
    return fmt::format("allows this only where DNS has bound one of its domains to {}: not known here", destination);
  if (match.port && match.by_name)
    return fmt::format("does not match: none of its domains is bound to {}", destination);
  if (const std::string except = excepted(rule, query_.destination); match.port && !except.empty())
    return fmt::format("does not match: {} is in {}", destination, except);
  if (match.port) return "does not match: other destinations";
  if (match.destination) return "does not match: other ports or protocols";
  return "does not match: other destinations, other ports or protocols";
}

void Explainer::bind_name(const std::optional<Shown>& shown) {
  const config::Binding wanted = model_.defaults.server_name_binding;
  const bool may_show = query_.protocol == Protocol::tcp || query_.protocol == Protocol::udp;
  if (wanted == config::Binding::off || explanation_.decision.action == Action::deny || !may_show) return;
  const std::string destination = to_string(query_.destination);
  const std::string_view word = wanted == config::Binding::deny ? "deny" : "audit";
  if (!shown || bound_ == nullptr) {
    add("name_binding",
        fmt::format("[defaults] server_name_binding = \"{}\": a server name that it shows must be bound "
                    "to {} by DNS, which is not known here",
                    word, destination));
    return;
  }
  const Policy::NameBinding binding = policy_.check_name_binding(shown->name, query_.destination, *bound_);
  if (binding == Policy::NameBinding::right) return;
  add("name_binding", fmt::format("\"{}\" is not bound to {}: [defaults] server_name_binding = \"{}\"", shown->name,
                                  destination, word));
  if (binding == Policy::NameBinding::audited) {
    explanation_.decision.audited = true;
    return;
  }
  Decision denied;
  denied.audited = explanation_.decision.audited;
  denied.audit = explanation_.decision.audit;
  denied.reason = Reason::name_not_bound;
  denied.layer = Layer::egress_network;
  denied.network = explanation_.decision.network;
  explanation_.decision = denied;
}

Explanation Policy::explain(const FlowQuery& query, const std::optional<Shown>& shown, const BoundNames* bound) const {
  return Explainer(*this, *impl_, query, bound).explain(shown);
}

}  // namespace sallyport::classifier
