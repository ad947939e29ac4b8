// On which twins the kernel is told what of [ha] and the egress addresses.
#pragma once

#include <memory>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/io/address_owner.h"
#include "dataplane/io/twin_pump.h"

namespace sallyport::dataplane {

// Egress addresses on every outside twin, announced by the pump; the senders' next hop on the first inside one. Lanes
// and pump outlive what is answered.
[[nodiscard]] AddressOwner::Places kernel_places(const config::HaConfig& ha,
                                                 const std::vector<std::unique_ptr<TwinLane>>& lanes, TwinPump& pump);

}  // namespace sallyport::dataplane
