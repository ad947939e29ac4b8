// Segment: what a TCP segment means to the flow that it belongs to, beyond its state (track.h).
#pragma once

#include "dataplane/core.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

[[nodiscard]] inline bool is_first_syn(const Parsed& parsed) noexcept {
  using wire::Tcp;
  return parsed.kind == PacketKind::tcp && (parsed.tcp_flags & (Tcp::syn | Tcp::ack)) == Tcp::syn;
}

// The first segment of a flow, SYN or not: the client's payload begins here.
void begin_stream(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// nat.md 10: a client's SYN on a closing flow starts anew; so does one with another sequence number on a denied flow,
// and on one that a name decides about: what was judged of one stream says nothing of another.
[[nodiscard]] bool begins_anew(const Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// What was judged is what the server reads only where the two agree on the first byte, so where a name decides that is
// the server's word: before its SYN-ACK the client says nothing but its SYN, and the server nothing of that connection.
// False: the packet has ended.
[[nodiscard]] bool follow_tcp(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed,
                              Direction direction) noexcept;

}  // namespace sallyport::dataplane
