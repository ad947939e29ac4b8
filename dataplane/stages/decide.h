// Decide: a new flow's three questions (who sends, may it, under which address), and the same again after a reload.
#pragma once

#include "classifier/decision.h"
#include "dataplane/core.h"

namespace sallyport::dataplane {

struct Opened {
  FlowNumber flow = 0;             // in its tables; may be denied
  Drop why = Drop::policy_denied;  // with flow 0, or with a denied one: the end of its first packet
};
// The first packet of a flow, from inside; `hash`: of its inside key.
[[nodiscard]] Opened open_flow(Core& core, const Packet& packet, const Parsed& parsed, std::uint64_t hash) noexcept;
// The first packet of a flow from outside, where [nat] filtering lets others than the servers answer through a mapping.
[[nodiscard]] Opened open_flow_from_outside(Core& core, const Packet& packet, const Parsed& parsed) noexcept;

enum class Refreshed : std::uint8_t {
  goes_on,
  removed,  // the new policy denies it: it is denied and recorded now, and its sides are to be told
  reopen,   // it was denied by the old policy: ended, ask from the beginning
};
// The flow was last seen under another policy or routing. There is a policy.
[[nodiscard]] Refreshed refresh_flow(Core& core, FlowNumber number) noexcept;

void take_decision(Core& core, Flow& flow, const classifier::Decision& decision) noexcept;
// A final decision, for the counters of its rule and of the audit route.
void count_rules(Core& core, const classifier::Decision& decision) noexcept;
// What decide_shown() wants, from what the flow remembers.
[[nodiscard]] classifier::Decision pending_decision(const Core& core, const Flow& flow) noexcept;
// From now on denied, with its record. What it holds is dropped.
void deny_flow(Core& core, FlowNumber number, classifier::Reason reason, Drop held_as) noexcept;

}  // namespace sallyport::dataplane
