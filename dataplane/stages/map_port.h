// Map: the outside port of a new flow (nat.md 1, 4, 6; RFC 4787 REQ-1, RFC 6056 section 3.3.1, RFC 7857 section 3).
#pragma once

#include <cstdint>

#include "dataplane/core.h"

namespace sallyport::dataplane {

enum class Mapped : std::uint8_t {
  ok,
  no_free_port,    // towards this server, or at all
  source_limit,    // [nat] ports_per_source_max
  protocol_taken,  // without ports, by another inside host
};
// One outside port towards all servers?
[[nodiscard]] bool maps_endpoints(const Core& core, IpProtocol protocol) noexcept;
// An inside endpoint that leaves by an egress address. Port in network byte order.
struct Sought {
  std::uint32_t nat_address;  // number in the AddressBook
  std::uint16_t inside_port;
  IpProtocol protocol;
};
// The port that a new mapping will most likely get, network byte order; `random`: a copy of what it will be drawn from.
[[nodiscard]] std::uint16_t likely_port(const Core& core, const Sought& sought, Random& random) noexcept;
// The flow has its egress address; `ok`: its port and mapping are its own from now on. Else it holds neither.
[[nodiscard]] Mapped map_port(Core& core, Flow& flow) noexcept;
// Likewise by a mapping that stands already.
[[nodiscard]] bool join_mapping(Core& core, Flow& flow, std::uint32_t mapping) noexcept;
// Likewise the port that the flow has already, from another process. False: it is not to be had.
[[nodiscard]] bool retake_port(Core& core, Flow& flow) noexcept;
// What the flow had of its source's ports it has no more.
void leave_ports(Core& core, const Flow& flow) noexcept;
// The same of a mapping that has rested; and what one that is going to, without flows before, takes of them.
void leave_rested_port(Core& core, const Endpoint& inside, std::uint32_t nat_address, std::uint16_t nat_port) noexcept;
[[nodiscard]] bool enter_rested_port(Core& core, const Endpoint& inside, std::uint32_t nat_address,
                                     std::uint16_t nat_port) noexcept;

}  // namespace sallyport::dataplane
