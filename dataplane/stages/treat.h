// Treat: what an egress wants of its packets beside an address: not more than its bandwidth, and its DSCP.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// By the flow's egress and the present policy: for a new flow, and again after a reload.
void find_treatment(Core& core, Flow& flow) noexcept;

// A packet of a `treated` flow that is about to be translated and sent. False: it has ended, over the bandwidth.
[[nodiscard]] bool treat(Core& core, Packet& packet, const Parsed& parsed, const Flow& flow,
                         Direction direction) noexcept;

}  // namespace sallyport::dataplane
