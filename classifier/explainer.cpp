#include "classifier/explainer.h"

#include <cstddef>
#include <utility>

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

}  // namespace

Explainer::Explainer(const Policy& policy, const Policy::Impl& impl, const FlowQuery& query)
    : policy_(policy), impl_(impl), model_(*impl.model), query_(query), source_(policy.find_source(query.source)) {}

void Explainer::add(std::string what, std::string result) {
  explanation_.steps.push_back({std::move(what), std::move(result), {}, 0});
}

void Explainer::add(std::string what, std::string result, const config::Location& at) {
  std::string file = at.file < model_.files.size() && at.line != 0 ? model_.files[at.file] : std::string();
  explanation_.steps.push_back({std::move(what), std::move(result), std::move(file), at.line});
}

Explanation Explainer::explain(const std::optional<Shown>& shown) && {
  explanation_.source = source_;
  pending_ = policy_.decide(source_, query_);
  explanation_.decision = pending_;
  if (pending_.action == Action::needs_name && shown)
    explanation_.decision = policy_.decide_shown(pending_, *shown, *policy_.make_scratch());
  explanation_.egress = policy_.choose_egress(source_, query_);

  tell_source();
  tell_network_policies();
  if (pending_.layer == Layer::network_policy) return std::move(explanation_);
  tell_networks();
  tell_routes(shown);
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
    add("network_policy", "isolated, and no rule of a policy that selects it allows this: denied");
}

void Explainer::tell_rules(std::uint32_t place) {
  const config::NetworkPolicy& policy = model_.network_policies[place];
  const std::string name = policy.namespace_name + "/" + policy.name;
  if (policy.egress.empty()) add("network_policy", fmt::format("{} selects it and has no rule", name), policy.at);
  for (std::size_t i = 0; i < policy.egress.size(); ++i) {
    const NetworkPolicies::RuleMatch match = impl_.network_policies.try_rule(place, i, query_);
    const char* result = match.port && match.destination ? "allows this"
                         : match.port                    ? "does not match: other destinations"
                         : match.destination             ? "does not match: other ports or protocols"
                                             : "does not match: other destinations, other ports or protocols";
    add("network_policy", fmt::format("rule {} of {} {}", i + 1, name, result), policy.egress[i].at);
  }
}

Explanation Policy::explain(const FlowQuery& query, const std::optional<Shown>& shown) const {
  return Explainer(*this, *impl_, query).explain(shown);
}

}  // namespace sallyport::classifier
