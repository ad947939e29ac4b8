// Hear: who looks at what a side of a flow says: nobody any more, for most packets of most flows.
#pragma once

#include "dataplane/core.h"
#include "dataplane/stages/inspect.h"

namespace sallyport::dataplane {

// From the client; on `pass` it is to be forwarded.
[[nodiscard]] Inspected hear_client(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept;
// From the server. `expected` is what next_from_server() said before the segment was tracked.
[[nodiscard]] Inspected hear_server(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed,
                                    std::uint32_t expected) noexcept;
// The sequence number of what the server says next; of no meaning where nobody listens.
[[nodiscard]] std::uint32_t next_from_server(const Core& core, const Flow& flow, const Packet& packet,
                                             const Parsed& parsed) noexcept;

}  // namespace sallyport::dataplane
