// The half of the guard (guard.h) that is of QUIC. For that file alone.
#pragma once

#include "dataplane/core.h"
#include "dataplane/stages/inspect.h"

namespace sallyport::dataplane {

void begin_quic_guard(Core& core, FlowNumber number, bool hello) noexcept;
[[nodiscard]] Inspected guard_datagram(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept;
void guard_server_datagram(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
void quic_guard_overdue(Core& core, Flow& flow) noexcept;

}  // namespace sallyport::dataplane
