#include "dataplane/stages/request_verdict.h"

#include <algorithm>

#include "classifier/names/http_text.h"
#include "dataplane/stages/decide.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/shadow.h"

namespace sallyport::dataplane {

using classifier::names::HeaderField;
using classifier::names::RequestHead;

namespace {

// For the flow's record.
void note(Core& core, const Flow& flow, const RequestHead& head, bool http2) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  FlowExtras& extras = core.flows.own_extras(flow);
  facts.app = http2 ? AppProtocol::http2 : AppProtocol::http;
  core.names.give_back(extras.method);
  core.names.give_back(extras.url);
  const SharePlace sender = core.place_of(flow);
  extras.method = core.names.take(head.method, sender);
  extras.url = core.names.take(head.target, sender);
  if (facts.name != 0 && core.names[facts.name] == head.host) return;
  core.names.give_back(facts.name);
  facts.name = core.names.take(head.host, sender);
  if (head.host.empty()) return;
  core.counters.names_seen.add();
  if (facts.name == 0) core.counters.names_not_stored.add();
}

}  // namespace

bool allows(Core& core, Flow& flow, const RequestHead& head, bool http2) noexcept {
  note(core, flow, head, http2);
  classifier::Shown shown;
  shown.protocol = http2 ? classifier::Shown::Protocol::http2 : classifier::Shown::Protocol::http;
  shown.name = head.host;
  shown.request = {head.method, head.target, head.fields};
  const bool first = flow.verdict == Verdict::waiting;
  const auto decision = core.policy()->decide_shown(pending_decision(core, flow), shown, core.match_scratch());
  take_decision(core, flow, decision);
  if (flow.verdict == Verdict::allowed) check_name_binding(core, flow, head.host);
  // A connection counts for the rule of its first request, and for the one that ends it.
  if (first || flow.verdict != Verdict::allowed) count_rules(core, decision);
  if (first) {
    shadow_shown(core, flow, shown);
    if (flow.verdict == Verdict::allowed) core.counters.flows_allowed.add();
  }
  return flow.verdict == Verdict::allowed;
}

bool is_grpc(const RequestHead& head) noexcept {
  return std::any_of(head.fields.begin(), head.fields.end(), [](const HeaderField& field) {
    return field.name == "content-type" && field.value.starts_with("application/grpc");
  });
}

RequestFollow::Awaits awaits_of(const RequestHead& head) noexcept {
  using Awaits = RequestFollow::Awaits;
  if (head.becomes == RequestHead::Switch::none) return Awaits::nothing;
  if (head.becomes == RequestHead::Switch::connect) return Awaits::tunnel;
  const bool http2 = std::any_of(head.fields.begin(), head.fields.end(), [](const HeaderField& field) {
    return classifier::names::same(field.name, "upgrade") && classifier::names::contains(field.value, "h2c");
  });
  return http2 ? Awaits::http2 : Awaits::another;
}

}  // namespace sallyport::dataplane
