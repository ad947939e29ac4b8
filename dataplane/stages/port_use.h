// Use of ports: what is taken and given back, for the gauges and the announcement of nat.md 7.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// A port towards the flow's server alone, of an endpoint-dependent mapping.
void count_server_port(Core& core, const Flow& flow) noexcept;
void uncount_server_port(Core& core, const Flow& flow) noexcept;
// Does such a flow use the port, in host byte order, towards whomever? Now and then true though none does.
[[nodiscard]] bool is_used(const Core& core, const Flow& flow, std::uint16_t port) noexcept;
// A port towards everybody, of an endpoint-independent one.
void count_port(Core& core, const Mapping& mapping) noexcept;
void uncount_port(Core& core, const Mapping& mapping) noexcept;
// A block of ports that an inside address has.
void count_block(Core& core, std::uint32_t nat_address) noexcept;
void uncount_block(Core& core, std::uint32_t nat_address) noexcept;

}  // namespace sallyport::dataplane
