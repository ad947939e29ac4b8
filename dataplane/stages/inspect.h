// Inspect: reads the name that a flow shows, and holds its payload until the verdict.
//
// A waiting flow's payload is held, packet by packet, while its ClientHello or Initials are put together; no byte of it
// is forwarded before the verdict is allow. What asks for TLS on a connection that began in the clear, or for a tunnel
// (classifier/names/upgrade.h), passes unit by unit, and the hello behind it is waited for (turns.h says how long). A
// flow that is allowed anyway is only observed, for its record. What the verdict was given for is guarded after it
// (guard.h).
#pragma once

#include "classifier/decision.h"
#include "dataplane/core.h"
#include "dataplane/stages/look.h"

namespace sallyport::dataplane {

enum class Inspected : std::uint8_t {
  pass,   // forward the packet
  held,   // it was taken: it waits
  ended,  // it was taken: dropped under its name
};
// A packet of a waiting flow, from its client, that carries payload or ends the flow. May decide the flow: then what
// was held has been sent on or dropped, and both sides told.
[[nodiscard]] Inspected inspect(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept;
// The same once it was looked at.
[[nodiscard]] Inspected inspect_looked(Core& core, FlowNumber number, Packet& packet, Parsed& parsed, Look look,
                                       const Looked& looked) noexcept;
// Payload of the server of a waiting flow: its part of an upgrade that is known; else no name was shown. `expected` is
// the sequence number that follows what the server has said before.
[[nodiscard]] Inspected inspect_answer(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed,
                                       std::uint32_t expected) noexcept;
// Payload of an allowed flow that no verdict waits for, of its client and its server.
void observe(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept;
void observe_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                    std::uint32_t expected) noexcept;

// A dialogue in front of a hello, or a hello itself, was begun and not finished in time: denied.
void hello_overdue(Core& core, FlowNumber number) noexcept;
// The same of a flow that is only observed: what it took is given back.
void stop_observing(Core& core, Flow& flow) noexcept;
// Does it hold anything back?
[[nodiscard]] bool holds_back(const Core& core, const Flow& flow) noexcept;
// A waiting flow that ends without having shown a name: what its record says.
void close_undecided(Core& core, Flow& flow) noexcept;
// The new policy lets a waiting flow go without a name: what it holds goes on.
void release_held(Core& core, FlowNumber number) noexcept;
// Waits for more. `held` or `ended`.
[[nodiscard]] Inspected wait_for_more(Core& core, FlowNumber number, Packet& packet) noexcept;
// Denied for what it shows: both sides are told, seen from the client's latest packet; all that waits is dropped.
void refuse_flow(Core& core, FlowNumber number, classifier::Reason reason, const Packet& packet,
                 const Parsed& parsed) noexcept;
// The packet ends here.
[[nodiscard]] inline Inspected end(Core& core, Packet& packet, Drop why) noexcept {
  core.drop(packet, why);
  return Inspected::ended;
}
// Its flow is denied for it.
[[nodiscard]] inline Inspected refuse(Core& core, FlowNumber number, classifier::Reason reason, Packet& packet,
                                      const Parsed& parsed) noexcept {
  refuse_flow(core, number, reason, packet, parsed);
  return end(core, packet, Drop::hello_denied);
}
[[nodiscard]] classifier::Reason reason_of(Look look) noexcept;

}  // namespace sallyport::dataplane
