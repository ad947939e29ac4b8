// ICMP errors: which packet do they speak of, and so, which flow (RFC 5508 section 4, RFC 4443 section 3).
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// The packet quoted by an ICMP error, as far as it is there; offsets are from the error's Packet::data. False: it is
// broken, or a later fragment, which names no flow.
[[nodiscard]] bool parse_quoted(bool verify_ip_checksum, const Packet& packet, const Parsed& parsed,
                                Parsed& quoted) noexcept;

// The flow that an error speaks of, as far as this worker knows it. `from_inside` is where the error came from.
struct QuotedFlow {
  Parsed quoted;
  FlowNumber flow = 0;  // 0: none
  bool broken = false;  // the quotation
};
[[nodiscard]] QuotedFlow quoted_flow(const Core& core, const Packet& packet, const Parsed& parsed,
                                     bool from_inside) noexcept;
// Takes the packet: translated and forwarded, or dropped.
void relay_error(Core& core, Packet& packet, const Parsed& parsed, const QuotedFlow& of, bool from_inside) noexcept;

}  // namespace sallyport::dataplane
