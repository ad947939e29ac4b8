// Answers as a server would have sent them.
//
// In a capture of one wire the server answers the client itself; behind a translator it answers the egress address and
// port. These rewrite the former into the latter, so that the pipeline can translate it back. Checksums are updated
// incrementally (RFC 1624): what was wrong stays wrong.
#pragma once

#include "dataplane/packet.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/parse.h"

namespace sallyport {

// A packet to the client: its destination address and port (ICMP echo: its identifier).
void address_answer(dataplane::Packet& packet, const dataplane::Parsed& parsed,
                    const dataplane::Translation& to) noexcept;

// An ICMP error to the client, about a packet that the client sent: the destination and, in the quoted packet, the
// source. `quoted`: as of parse_quoted().
void address_error(dataplane::Packet& packet, const dataplane::Parsed& parsed, const dataplane::Parsed& quoted,
                   const dataplane::Translation& to) noexcept;

}  // namespace sallyport
