#include "src/flow_outcome.h"

#include <algorithm>

#include "classifier/prefix_translation.h"
#include "dataplane/stages/admit.h"

namespace sallyport {
namespace {

using classifier::Action;
using classifier::EgressChoice;
using classifier::Reason;

dataplane::FlowKey key_of(const classifier::FlowQuery& query) noexcept {
  dataplane::FlowKey key;
  key.family = query.source.family;
  key.source = query.source.bytes;
  key.destination = query.destination.bytes;
  return key;
}

// Under which address, or why there is none: the rule that has allowed it stays, as in the record.
void take_egress(FlowOutcome& outcome, const classifier::Policy& policy, const ApplianceView& appliance,
                 const classifier::FlowQuery& query) noexcept {
  outcome.egress = policy.choose_egress(outcome.source, query);
  const EgressChoice& choice = outcome.egress;
  if (choice.kind == EgressChoice::Kind::untranslated) return;
  if (classifier::lacks_address(choice, query.source)) {
    outcome.decision.action = Action::deny;
    outcome.decision.reason = Reason::no_egress_address;
  } else if (choice.prefix != nullptr) {
    outcome.address = choice.prefix->to_outside(query.source);
  } else {
    outcome.address = choice.pool->pick(query.source, appliance.pool_key.value_or(classifier::PoolKey{}));
  }
}

template <typename Named>
Place place_among(const std::vector<Named>& all, std::string_view full_name, const config::PolicyModel& model) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) {
    const std::size_t slash = one.namespace_name.size();
    return full_name.size() == slash + 1 + one.name.size() && full_name.starts_with(one.namespace_name) &&
           full_name[slash] == '/' && full_name.ends_with(one.name);
  });
  if (found == all.end() || found->at.file >= model.files.size()) return {};
  return {model.files[found->at.file], found->at.line};
}

}  // namespace

ApplianceView view_of(const config::ApplianceModel& appliance) {
  ApplianceView view;
  view.known = true;
  view.source_check = appliance.nat.source_check;
  view.pool_key = appliance.nat.pool_key;
  for (const config::PortConfig& port : appliance.ports) {
    if (port.role == config::PortRole::outside) continue;
    for (const config::InterfaceAddress& a : port.addresses) view.inside_networks.push_back({a.address, a.length});
  }
  return view;
}

std::optional<dataplane::Drop> refused_admission(const ApplianceView& appliance, const classifier::Source& source,
                                                 const classifier::FlowQuery& query) noexcept {
  dataplane::Drop why{};
  if (dataplane::martian_addresses(key_of(query), why)) return why;
  if (appliance.source_check && !dataplane::passes_source_check(source, query.source, appliance.inside_networks)) {
    return dataplane::Drop::source_check;
  }
  return std::nullopt;
}

FlowOutcome decide_flow(const classifier::Policy& policy, const ApplianceView& appliance,
                        const classifier::FlowQuery& query, const std::optional<classifier::Shown>& shown,
                        classifier::MatchScratch& scratch) noexcept {
  FlowOutcome outcome;
  outcome.source = policy.find_source(query.source);
  outcome.refused = refused_admission(appliance, outcome.source, query);
  if (outcome.refused) return outcome;
  outcome.decision = policy.decide(outcome.source, query);
  // In the dataplane's order: the first packet has to have an address before anything is shown.
  if (outcome.decision.action != Action::deny) take_egress(outcome, policy, appliance, query);
  if (outcome.decision.action == Action::needs_name && shown) {
    outcome.decision = policy.decide_shown(outcome.decision, *shown, scratch);
  }
  if (outcome.decision.action == Action::deny) outcome.address.reset();
  return outcome;
}

std::string_view action_of(const FlowOutcome& outcome) noexcept {
  if (outcome.refused) return "deny";
  switch (outcome.decision.action) {
    case Action::deny:
      return "deny";
    case Action::allow:
      return "allow";
    case Action::needs_name:
      return "needs_name";
  }
  return "";
}

std::string_view reason_of(const FlowOutcome& outcome) noexcept {
  if (outcome.refused) return to_string(*outcome.refused);
  return outcome.decision.action == Action::needs_name ? "" : classifier::to_string(outcome.decision.reason);
}

Change change_between(const FlowOutcome& before, const FlowOutcome& after) noexcept {
  if (action_of(before) != action_of(after)) return Change::verdict;
  if (action_of(before) == "deny") return Change::none;
  if (before.address.has_value() != after.address.has_value()) return Change::address;
  if (!before.address) return Change::none;
  if (after.egress.pool == nullptr) return before.address == after.address ? Change::none : Change::address;
  return after.egress.pool->contains(*before.address) ? Change::none : Change::address;
}

Place place_of(const FlowOutcome& outcome, const config::PolicyModel& model, const classifier::Identities& identities) {
  const classifier::Decision& decision = outcome.decision;
  if (outcome.refused) return {};
  if (decision.route < model.routes.size()) {
    const config::Location& at = model.routes[decision.route].at;
    return at.file < model.files.size() ? Place{model.files[at.file], at.line} : Place{};
  }
  if (decision.layer == classifier::Layer::network_policy) {
    return place_among(model.network_policies, identities.name(decision.rule), model);
  }
  return decision.network == 0 ? Place{} : place_among(model.egress_networks, identities.name(decision.network), model);
}

Place place_of(const dataplane::FlowRecord& flow, const config::PolicyModel& model,
               const classifier::Identities& identities) {
  if (flow.rule != 0 && flow.layer == classifier::Layer::network_policy) {
    return place_among(model.network_policies, identities.name(flow.rule), model);
  }
  if (flow.rule != 0) return place_among(model.routes, identities.name(flow.rule), model);
  return flow.network == 0 ? Place{} : place_among(model.egress_networks, identities.name(flow.network), model);
}

}  // namespace sallyport
