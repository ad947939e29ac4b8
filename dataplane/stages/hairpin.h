// Hairpin: from inside to one of our egress addresses (RFC 4787 REQ-9, RFC 5382 REQ-8, RFC 5508 REQ-7; nat.md 23).
//
//   A 10.1.2.3:5000 -> E2:6000          flow of A, to a server that happens to be ours: E:5000 -> E2:6000
//     comes in again as from outside    flow of B, whose mapping E2:6000 is: E:5000 -> 10.1.2.4:6000
//
// So both sides have a flow of their own, each sees the other under its outside address, the policy is asked on both
// about what is on the wire, and [nat] filtering applies. The second half may be another worker's.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// May a flow to this egress address of ours begin? Not where this worker can tell that nobody is behind it.
[[nodiscard]] bool may_hairpin(const Core& core, const FlowKey& inside) noexcept;

// Takes a packet of the flow's client, to be translated. The hop is counted when it goes on to its receiver.
void hairpin(Core& core, Packet& packet, const Parsed& parsed, const Flow& flow) noexcept;
// Takes a packet that is translated already, or made here, and whose receiver is an egress address of ours.
void come_in_again(Core& core, Packet& packet, const Parsed& parsed) noexcept;

}  // namespace sallyport::dataplane
