// Tunnel host: the gateway's own addresses inside a tunnel. No kernel knows them, so what makes them a next hop is
// answered here: ARP and neighbour solicitations, and ping. The question itself, and whatever else is sent there, ends
// as tunnel_to_gateway.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// ARP or neighbour discovery out of a tunnel: answered where it asks for one of the tunnel's addresses. The packet
// stays the caller's.
void answer_neighbour(Core& core, const Packet& packet, const Parsed& parsed) noexcept;

// Is a packet out of a tunnel for one of its addresses? An echo request is answered then; the packet stays the
// caller's.
[[nodiscard]] bool is_for_tunnel_host(Core& core, const Packet& packet, const Parsed& parsed) noexcept;

}  // namespace sallyport::dataplane
