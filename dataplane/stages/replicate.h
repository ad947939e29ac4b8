// Replicate: what another gateway, which stands by for this one, has to hear of its flows; and what a gateway that
// stands by makes of what it hears.
//
// A flow is told of once it could go on elsewhere (survive.h) and its handshake is over, and again whenever somebody
// reads the whole table, as its timer and its sequence numbers move on. On the other side it is taken back as after
// a restart. A standby opens nothing of its own, so what it hears is the truth: flows in the way give way, and
// none of what it does is recorded.
#pragma once

#include <cstddef>
#include <span>

#include "dataplane/core.h"
#include "dataplane/flow/saved_flow.h"

namespace sallyport::dataplane {

// A flow of the table has ended; it is still there.
void note_ended(Core& core, const Flow& flow) noexcept;

// What has changed since the last call, in this order; how many. Fewer than there is room for: that was all for now.
[[nodiscard]] std::size_t take_ended(Core& core, std::span<EndedFlow> out) noexcept;
[[nodiscard]] std::size_t take_settled(Core& core, std::span<SavedFlow> out) noexcept;
// As save_flows(), and from then on their ends are told.
[[nodiscard]] std::size_t share_flows(Core& core, std::size_t& from, std::span<SavedFlow> out) noexcept;

// Told by the other gateway. An active one takes only what is not in the way of its own.
TakenBack follow(Core& core, const SavedFlow& saved) noexcept;
void follow(Core& core, const EndedFlow& ended) noexcept;

}  // namespace sallyport::dataplane
