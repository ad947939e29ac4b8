// Stand by: what a gateway does with packets while another box forwards in its place (standing.h).
#pragma once

#include <span>

#include "dataplane/core.h"

namespace sallyport::dataplane {

// Takes the burst: what is for the gateway itself goes to the kernel, so that its own addresses, routing protocols and
// VRRP live on; all else ends as `standby`.
void stand_by(Core& core, PortIndex port, std::span<Packet> burst) noexcept;

}  // namespace sallyport::dataplane
