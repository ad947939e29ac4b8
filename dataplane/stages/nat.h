// Nat: the egress address and port of a new flow (nat.md 1 to 4), and the rewriting of packets by them.
#pragma once

#include "classifier/policy.h"
#include "dataplane/core.h"
#include "dataplane/flow/saved_flow.h"

namespace sallyport::dataplane {

struct Nat {
  enum class Result : std::uint8_t { ok, no_address, no_free_port, source_limit, protocol_taken };
  Result result = Result::ok;
};

// Fills the flow's translation. Not `ok`: the flow holds nothing.
[[nodiscard]] Nat choose_nat(Core& core, const classifier::Source& source, const classifier::FlowQuery& query,
                             Flow& flow) noexcept;
// The same by a mapping that stands already, for a flow that the other side begins. False: the policy sends the
// client's packets to that server out under another address, or untranslated; the flow holds nothing then.
[[nodiscard]] bool use_mapping(Core& core, const classifier::Source& source, const classifier::FlowQuery& query,
                               std::uint32_t mapping, Flow& flow) noexcept;
// The translation that a flow had in another process. False: the port is not this worker's, or no longer free; the flow
// holds nothing then.
[[nodiscard]] bool take_translation(Core& core, Flow& flow, const SavedFlow& saved) noexcept;
// A flow of the table, in both indexes, holds its mapping and counts for its sender.
void hold_ties(Core& core, const Flow& flow) noexcept;
// Is the flow somebody's to whom its client has said nothing, or resets alone? He holds no mapping open (RFC 4787
// REQ-6, RFC 7857 section 7).
[[nodiscard]] inline bool is_uninvited(const Core& core, const Flow& flow) noexcept {
  return core.mappings.resting() && flow.is_tcp() && core.flows.facts(flow).uninvited;
}
// The client has answered him.
void invite(Core& core, const Flow& flow) noexcept;
// Of a flow that was never linked.
void release_nat(Core& core, Flow& flow) noexcept;
// Of a flow that ends.
void end_nat(Core& core, const Flow& flow) noexcept;
// Ports that have rested long enough are free again.
void wake_ports(Core& core) noexcept;
// All that rest: the gateway ends.
void end_rest(Core& core) noexcept;

// The packet's addresses, port and checksums, to what the other side sees. The TTL is forward's.
void translate(Core& core, const Flow& flow, Packet& packet, const Parsed& parsed, Direction direction) noexcept;

// An ICMP error from either side, about a packet of this flow: outer address and quoted packet (RFC 5508 section 4).
// `quoted` is the offset of the quoted IP header. False: the quotation is too short to translate.
[[nodiscard]] bool translate_error(Core& core, const Flow& flow, Packet& packet, const Parsed& parsed,
                                   const Parsed& quoted, Direction direction) noexcept;

// Under this policy, of a flow that is translated: its egress address is one still, and is given out in the same way
// where several workers share the answers.
[[nodiscard]] bool answers_come_here(const Core& core, const Flow& flow, const classifier::Policy& policy) noexcept;

}  // namespace sallyport::dataplane
