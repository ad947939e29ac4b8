// Tunnel: out of the cluster's overlay on the way in, into it on the way back.
//
//   in:  Ethernet | outer IP | UDP | VXLAN | [Ethernet | IP ..]     what is in brackets goes on, as if it had come
//   alone;
//                                                                   Packet::tunnel says who sent it
//   out: [Ethernet | IP ..] is made anew in front of an answer, for the peer that the flow remembers
//
// DSCP and ECN follow RFC 2983 (uniform) and RFC 6040. Outer packets are never fragmented: the inner MTU is the port's
// less what goes in front, and what is larger is cut or answered inside.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

enum class Unwrapped : std::uint8_t {
  plain,  // no tunnel's packet
  inner,  // `parsed` is of the inner packet now, which may be a fragment
  ended,
};
// `parsed` is of the packet as it came, in one piece. `slot`: its place in the burst.
[[nodiscard]] Unwrapped unwrap(Core& core, Packet& packet, Parsed& parsed, std::size_t slot) noexcept;

// The tunnel of a new flow's client. False: no room to remember it.
[[nodiscard]] bool find_tunnel(Core& core, const Flow& flow, const Packet& packet, Direction direction) noexcept;
// A packet of the client of a living flow. It may come from another place in its network now (the client has moved, and
// the flow's answers with it); from another network or from none it is somebody else's: false.
[[nodiscard]] bool comes_home(Core& core, Flow& flow, const Packet& packet) noexcept;

// What is remembered of it for another process, and what that makes of it, once the flow is in the tables: answers go
// on into the tunnel before the client has sent anything.
void save_tunnel(const Core& core, const Flow& flow, SavedFlow& saved) noexcept;
void take_tunnel_back(Core& core, Flow& flow, const SavedFlow& saved) noexcept;

// The peer behind which the flow's client is; null: none.
[[nodiscard]] inline const TunnelPeer* peer_of(const Core& core, const Flow& flow) noexcept {
  if (!flow.has(Flow::treated)) return nullptr;
  const std::uint32_t number = core.flows.extras(flow).tunnel;
  return number != 0 && number != TunnelBook::unknown ? &core.tunnel_peers[number] : nullptr;
}
// That of a packet in hand. Never of one that was held: its burst is over.
[[nodiscard]] inline const TunnelPeer* peer_of(const Core& core, const Packet& packet) noexcept {
  return packet.tunnel != 0 ? &core.arrived_from[packet.tunnel - 1U] : nullptr;
}

// Bytes of an IP packet that leave by the port, into the tunnel if there is one.
[[nodiscard]] std::uint16_t mtu_of(const Core& core, PortIndex out, const TunnelPeer* into) noexcept;
// Puts all headers of the tunnel in front of the IP packet, or ARP, at `l3_offset`: Packet::data is the outer IP header
// then. False: there is no room in front of it.
[[nodiscard]] bool wrap(const Core& core, Packet& packet, std::uint16_t l3_offset, const TunnelPeer& into) noexcept;

}  // namespace sallyport::dataplane
