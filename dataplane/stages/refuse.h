// Refuse: what the gateway says of its own: resets and ICMP errors. Made packets answer under the addresses that their
// receiver knows: the translation is undone towards the client and kept towards the server.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// To the sender of a packet of a flow that is not to be: TCP RST (RFC 9293 section 3.10.7.1), else ICMP
// administratively prohibited (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1). Silence where the policy's deny_action
// says drop.
void refuse_sender(Core& core, const Packet& packet, const Parsed& parsed) noexcept;
// To the sender of a packet that opened no flow, ended as `why`; and of one of a flow that was denied. Where a way is
// open but no address or port left to take it under: ICMP host unreachable (RFC 6888 REQ-11).
void refuse_unopened(Core& core, Drop why, const Packet& packet, const Parsed& parsed) noexcept;
void refuse_denied(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// To both sides of a flow, from a packet of it that goes in `direction`.
void refuse_both(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed,
                 Direction direction) noexcept;

// Of a flow whose request, in this packet or one that waits, is denied: the client gets a page that says so, and its
// connection is closed in order (or reset, where the policy's http_deny says so); the server gets a reset.
void refuse_request(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;

// ICMP errors to the sender of a packet, rate-limited; never about ICMP errors or to nobody (RFC 1122 section 3.2.2).
// `sender`: the peer of the tunnel that the packet's sender is behind; null: none.
void send_time_exceeded(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* sender) noexcept;
void send_too_big(Core& core, const Packet& packet, const Parsed& parsed, std::uint16_t mtu,
                  const TunnelPeer* sender) noexcept;
void send_host_unreachable(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* sender) noexcept;
void send_port_unreachable(Core& core, const Packet& packet, const Parsed& parsed) noexcept;

}  // namespace sallyport::dataplane
