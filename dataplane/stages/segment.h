// Segment: what a TCP segment means to the flow that it belongs to, beyond its state (track.h).
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// The first segment of a flow, SYN or not: the client's payload begins here.
void begin_stream(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// nat.md 10: a client's SYN on a closing flow starts anew; so does one with another sequence number on a denied flow.
[[nodiscard]] bool begins_anew(const Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// False: the packet has ended.
[[nodiscard]] bool follow_tcp(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed,
                              Direction direction) noexcept;

}  // namespace sallyport::dataplane
