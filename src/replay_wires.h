// The two ways in which packets reach the pipeline: from one capture of everything, or from a capture of each wire.
#pragma once

#include <cstdint>
#include <set>

#include "src/capture_reader.h"
#include "src/replay_engine.h"
#include "src/replay_setup.h"

namespace sallyport {

// Link types that a capture has and nobody here reads; their packets end as not_ip.
using UnknownLinkTypes = std::set<std::uint32_t>;

// One capture. Who sent a flow's first packet is inside; what the other side answers is first addressed as a server
// behind the translator would, and ends as no_mapping where the flow has no translation. Tunnels are looked into,
// fragments put together before.
[[nodiscard]] UnknownLinkTypes replay_one_wire(CaptureReader& capture, ReplayEngine& engine, const ReplaySetup& setup);

// Both wires as they were, merged by time; where times are equal the inside comes first.
[[nodiscard]] UnknownLinkTypes replay_two_wires(CaptureReader& inside, CaptureReader& outside, ReplayEngine& engine,
                                                const ReplaySetup& setup);

}  // namespace sallyport
