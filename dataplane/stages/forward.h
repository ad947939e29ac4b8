// Forward: the last stage. TTL, next hop, MTU, the translation itself, and onto the wire.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// Takes the packet: it is translated and transmitted, waits for a neighbour, or ends under a name.
void forward(Core& core, Packet& packet, const Parsed& parsed, Flow& flow, Direction direction) noexcept;
// An ICMP error about a packet of the flow.
void forward_error(Core& core, Packet& packet, const Parsed& parsed, const Parsed& quoted, Flow& flow,
                   Direction direction) noexcept;
// As it is, to another gateway on the inside.
void pass_on(Core& core, Packet& packet, const Parsed& parsed, const IpAddress& to) noexcept;
// A finished IP packet to its next hop, or into a tunnel (null: none). `weight` received packets end with it.
void route(Core& core, Packet& packet, std::uint16_t l3_offset, const IpAddress& destination, bool outbound,
           const TunnelPeer* into, std::uint16_t weight) noexcept;

// Packets whose neighbour has answered, or has not.
void serve_neighbours(Core& core) noexcept;

}  // namespace sallyport::dataplane
