// Inspect: reads the name that a flow shows, and holds its payload until the verdict.
//
// A waiting flow's payload is held, packet by packet, while its ClientHello or Initials are put together; no byte of it
// is forwarded before the verdict is allow. A flow that is allowed anyway is only observed, for its record. The common
// case, a hello that is whole in the first segment, is read where it lies and never held.
#pragma once

#include "classifier/decision.h"
#include "dataplane/core.h"

namespace sallyport::dataplane {

enum class Inspected : std::uint8_t {
  pass,   // forward the packet
  held,   // it was taken: it waits
  ended,  // it was taken: dropped under its name
};
// A packet of a waiting flow, from its client, that carries payload or ends the flow. May decide the flow: then what
// was held has been sent on or dropped, and both sides told.
[[nodiscard]] Inspected inspect(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept;
// Payload of the server while the client has shown nothing: no name was shown.
[[nodiscard]] Inspected inspect_server_first(Core& core, FlowNumber number, Packet& packet,
                                             const Parsed& parsed) noexcept;
// Payload of an allowed flow's client that no verdict waits for.
void observe(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept;

// The hello was begun and not finished in time: denied.
void hello_overdue(Core& core, FlowNumber number) noexcept;
[[nodiscard]] std::int32_t hello_left_ms(const Core& core, const Flow& flow) noexcept;
// A waiting flow that ends without having shown a name: what its record says.
void close_undecided(Core& core, Flow& flow) noexcept;
// The new policy lets a waiting flow go without a name: what it holds goes on.
void release_held(Core& core, FlowNumber number) noexcept;

}  // namespace sallyport::dataplane
