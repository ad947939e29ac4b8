// Hand over: a packet that came to one worker and belongs to another (owner.h).
#pragma once

#include <cstdint>

#include "dataplane/core.h"

namespace sallyport::dataplane {

// Takes the packet: it comes in at `owner` as if received there, a datagram put together here in pieces again. It is
// counted there, and no longer here.
void hand_over(Core& core, Packet& packet, const Parsed& parsed, std::uint32_t owner) noexcept;

// A packet that may be a sender's, of which this worker knows no flow. True: it was taken, for another worker to look.
[[nodiscard]] bool ask_elsewhere(Core& core, Packet& packet, const Parsed& parsed) noexcept;

// For the kernel: it gets a datagram in pieces as it came.
void hand_to_kernel(Core& core, Packet& packet, const Parsed& parsed) noexcept;

}  // namespace sallyport::dataplane
