// Shadow: a second policy is asked what the real one was asked, once for each new flow, after its name where it needs
// one. What it says is counted, and stands in the flow's record where it differs. Nothing of it is enforced.
#pragma once

#include "classifier/decision.h"
#include "dataplane/core.h"

namespace sallyport::dataplane {

// The first packet: `flow` is allowed, denied or waits for its name; by the real policy, else there is nothing to ask.
void shadow_opened(Core& core, const Flow& flow, bool by_policy) noexcept;
// The flow has shown a name, or that it has none; the real verdict stands.
void shadow_shown(Core& core, const Flow& flow, const classifier::Shown& shown) noexcept;
// Refused for what it is, not by a policy (a broken hello): there is nothing to compare.
void shadow_dropped(Core& core, const Flow& flow) noexcept;
// Into the record, where the shadow would have ended the flow otherwise.
void record_shadow(const Core& core, const Flow& flow, FlowRecord& record) noexcept;

}  // namespace sallyport::dataplane
