// Receive: what came from a wire becomes packets of flows: parsed, put together of its fragments, taken out of its
// tunnel.
#pragma once

#include <array>
#include <span>

#include "dataplane/core.h"
#include "dataplane/stages/look_ahead.h"

namespace sallyport::dataplane {

using InFlights = std::array<InFlight, burst_max>;

// Takes the burst. Answers how many packets are in flight now; the others are held or have ended, each under its name.
[[nodiscard]] std::size_t receive(Core& core, PortIndex port, std::span<Packet> burst, InFlights& in_flight) noexcept;

}  // namespace sallyport::dataplane
