// Look: puts a client's payload together as far as a name needs it, and reads the name.
#pragma once

#include "classifier/decision.h"
#include "dataplane/core.h"

namespace sallyport::dataplane {

enum class Look : std::uint8_t {
  more,      // unfinished
  shown,     // a whole hello: `shown` says what of
  preamble,  // all of it asks for an upgrade or a tunnel: it may pass, and more is to come
  nothing,   // not a protocol that shows a name
  malformed,
  conflict,  // the same bytes twice, different
  too_large,
  duplicate,  // nothing new in it: it is held already, or behind the stream
  repeated,   // nothing new in it: it was let through already
  unopened,   // QUIC: an Initial in it does not open here, and might at the server
  no_room,
};
struct Looked {
  classifier::Shown shown;  // its name points into the packet or the flow's memory; good until the next look
  AppProtocol app = AppProtocol::unknown;
  std::uint32_t quic_version = 0;
  std::uint32_t hello_end = 0;   // TCP, with shown: bytes of the stream up to its end
  std::string_view method, url;  // of HTTP
  // With preamble: the name is that of a tunnel's target. With nothing: behind that target the client said more, before
  // the proxy has answered.
  bool target = false;
  [[nodiscard]] bool asked_early(Look look) const noexcept { return look == Look::nothing && target; }
};

[[nodiscard]] Look look_tcp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed,
                            Looked& looked) noexcept;
[[nodiscard]] Look look_udp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed,
                            Looked& looked) noexcept;
// The preamble in the stream was let through: what follows it is read next.
void pass_preamble(Inspection& inspection) noexcept;
// What the server has acknowledged of what was let through is kept no longer: the stream begins behind it.
void let_go(Core& core, const Flow& flow, Inspection& inspection) noexcept;
// What a SYN carried is cut off and comes again: as if nothing had been read.
void forget_stream(Core& core, Flow& flow) noexcept;
// The flow keeps this state. False: no room.
[[nodiscard]] bool keep_quic(Core& core, Flow& flow, const QuicState& state) noexcept;
// For the flow's record.
void note_shown(Core& core, Flow& flow, const Looked& looked) noexcept;

}  // namespace sallyport::dataplane
