// Express: the straight way of the commonest packet, that of a decided flow with nothing about it that needs thought.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// True: the packet was translated and transmitted, as track and forward would have done it. False: nothing was done,
// take the long way.
[[nodiscard]] bool express(Core& core, Packet& packet, const Parsed& parsed, Flow& flow, Direction direction) noexcept;

}  // namespace sallyport::dataplane
