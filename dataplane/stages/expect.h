// Expect: what the flows that a burst opens will touch of the tables is fetched from memory for all of them at once.
//
// A new flow reads and writes some ten lines, none of which its packet has brought along: its sender, its mapping, the
// places in the indexes, and where it comes to lie. One after the other that would be two thirds of its cost. All this
// is a guess, and nothing but time depends on it.
#pragma once

#include <span>

#include "dataplane/core.h"
#include "dataplane/stages/look_ahead.h"

namespace sallyport::dataplane {

// Those from inside of which look_ahead() saw no flow.
void expect_new_flows(const Core& core, std::span<const InFlight> in_flight) noexcept;

// The same of a flow whose time is up, if it is: its places in the indexes, its sender and its mapping. Its line and
// its facts are at hand.
void expect_end(const Core& core, FlowNumber number) noexcept;

}  // namespace sallyport::dataplane
