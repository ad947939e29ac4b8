#include "dataplane/stages/shadow.h"

#include "dataplane/stages/learn.h"
#include "dataplane/stages/query.h"

namespace sallyport::dataplane {
namespace {

using classifier::Action;
using classifier::Decision;
using State = ShadowVerdict::State;

[[nodiscard]] bool allowed(const Flow& flow) noexcept { return flow.verdict == Verdict::allowed; }

// From the beginning: the shadow policy may be another than the one that saw the flow open.
[[nodiscard]] Decision ask(const Core& core, const Flow& flow) noexcept {
  const classifier::Policy& shadow = *core.snapshot->shadow;
  const classifier::FlowQuery query = query_of(core.flows.inside_key(flow));
  const BoundNamesNow bound = bound_names(core);
  return shadow.decide(shadow.find_source(query.source), query, &bound);
}

void settle(Core& core, const Flow& flow, const Decision& decision) noexcept {
  ShadowVerdict& verdict = core.shadow[core.flows.number_of(flow)];
  verdict.state = State::settled;
  verdict.action = decision.action;
  verdict.reason = decision.reason;
  verdict.layer = decision.layer;
  verdict.rule = decision.rule;
  verdict.network = decision.network;
  core.counters.shadow_decided.add();
  if (decision.action == Action::allow && !allowed(flow)) core.counters.shadow_allows.add();
  if (decision.action == Action::deny && allowed(flow)) core.counters.shadow_denies.add();
  if (decision.action == Action::needs_name) core.counters.shadow_needs_name.add();
}

}  // namespace

void shadow_opened(Core& core, const Flow& flow, bool by_policy) noexcept {
  if (!core.shadow.enabled()) return;
  core.shadow[core.flows.number_of(flow)] = {};
  if (!by_policy || core.snapshot->shadow == nullptr) return;
  const Decision decision = ask(core, flow);
  const bool undecided = decision.action == Action::needs_name;
  if (flow.verdict == Verdict::waiting || (undecided && allowed(flow))) {
    core.shadow[core.flows.number_of(flow)].state = State::pending;
  } else {
    settle(core, flow, decision);
  }
}

void shadow_shown(Core& core, const Flow& flow, const classifier::Shown& shown) noexcept {
  if (!core.shadow.enabled()) return;
  ShadowVerdict& verdict = core.shadow[core.flows.number_of(flow)];
  if (verdict.state != State::pending) return;
  verdict.state = State::none;
  if (core.snapshot->shadow == nullptr) return;
  Decision decision = ask(core, flow);
  if (decision.action == Action::needs_name) {
    decision =
        core.snapshot->shadow->decide_shown(decision, shown, *(*core.snapshot->shadow_scratches)[core.settings.worker]);
  }
  settle(core, flow, decision);
}

void shadow_dropped(Core& core, const Flow& flow) noexcept {
  if (!core.shadow.enabled()) return;
  ShadowVerdict& verdict = core.shadow[core.flows.number_of(flow)];
  if (verdict.state == State::pending) verdict.state = State::none;
}

void record_shadow(const Core& core, const Flow& flow, FlowRecord& record) noexcept {
  if (!core.shadow.enabled()) return;
  const ShadowVerdict& verdict = core.shadow[core.flows.number_of(flow)];
  if (verdict.state != State::settled || verdict.action == (allowed(flow) ? Action::allow : Action::deny)) return;
  record.shadow_differs = true;
  record.shadow_action = verdict.action;
  record.shadow_reason = verdict.reason;
  record.shadow_layer = verdict.layer;
  record.shadow_rule = verdict.rule;
  record.shadow_network = verdict.network;
}

}  // namespace sallyport::dataplane
