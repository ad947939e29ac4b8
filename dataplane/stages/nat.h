// Nat: the egress address and port of a new flow (nat.md 1 to 4), and the rewriting of packets by them.
#pragma once

#include "classifier/policy.h"
#include "dataplane/core.h"

namespace sallyport::dataplane {

struct Nat {
  enum class Result : std::uint8_t { ok, no_address, no_free_port };
  Result result = Result::ok;
};

// Fills the flow's translation. Not `ok`: the flow holds nothing.
[[nodiscard]] Nat choose_nat(Core& core, const classifier::Source& source, const classifier::FlowQuery& query,
                             Flow& flow) noexcept;
// Of a flow that was never linked.
void release_nat(Core& core, Flow& flow) noexcept;

// The packet's addresses, port and checksums, to what the other side sees. The TTL is forward's.
void translate(const Core& core, const Flow& flow, Packet& packet, const Parsed& parsed, Direction direction) noexcept;

// An ICMP error from either side, about a packet of this flow: outer address and quoted packet (RFC 5508 section 4).
// `quoted` is the offset of the quoted IP header. False: the quotation is too short to translate.
[[nodiscard]] bool translate_error(const Core& core, const Flow& flow, Packet& packet, const Parsed& parsed,
                                   const Parsed& quoted, Direction direction) noexcept;

}  // namespace sallyport::dataplane
