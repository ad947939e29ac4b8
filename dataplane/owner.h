// Which worker a packet belongs to where a port is inside and outside at once ("both", the gateway on a stick).
//
// What comes in there for an egress address is an answer. Anything else is a sender's packet, or an answer to a flow
// that left untranslated, and its addresses alone cannot tell: who is known to the policy is a guess, right for most.
// So the guess decides which worker looks first; a worker that knows no flow of the packet asks the other possible one
// before the sender's opens a new flow:
//
//   10.1.2.3 -> 10.9.9.9, first packet:   sender's (no flow) -> answer's (no flow) -> sender's: opened
//   10.9.9.9 -> 10.1.2.3, its answer:     sender's (no flow) -> answer's: found; or there at once, by a good guess
//
// Never more than two steps, and none for packets whose flow is where they came first.
#pragma once

#include <cstdint>

#include "classifier/policy.h"
#include "dataplane/packet.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {

struct PossibleOwners {
  std::uint32_t sender = 0;  // of the flow, if the packet is its client's
  std::uint32_t answer = 0;  // of the flow, untranslated, if the packet is its server's
};
// ICMP errors by the packet that they quote; an unreadable quotation by their own addresses.
[[nodiscard]] PossibleOwners possible_owners(const Packet& packet, const Parsed& parsed,
                                             std::uint32_t workers) noexcept;

// Of the answers to a flow with ports that leaves under this address; the port in network byte order.
[[nodiscard]] std::uint32_t answer_owner(const IpAddress& nat_address, std::uint16_t nat_port, std::uint32_t workers,
                                         std::uint32_t piece_ports, const classifier::Policy& policy) noexcept;

}  // namespace sallyport::dataplane
