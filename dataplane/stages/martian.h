// Packets whose addresses nobody routes, or whose sender cannot be there.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// For all on the link: VRRP, OSPF, listeners.
[[nodiscard]] bool speaks_to_this_link(const FlowKey& key) noexcept;
// By its addresses (admit.h), or from outside under an egress address of ours.
[[nodiscard]] bool is_martian(const Core& core, const Parsed& parsed, bool from_inside, Drop& why) noexcept;
// Drops it; between machines it is the kernel's where it is meant for all on the link.
void end_martian(Core& core, Packet& packet, const Parsed& parsed, Drop why) noexcept;
// No workload, namespace or inside network covers the sender of this packet from inside.
[[nodiscard]] bool fails_source_check(const Core& core, const Parsed& parsed) noexcept;

}  // namespace sallyport::dataplane
