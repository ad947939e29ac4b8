// Does what the policy lets flows leave under fit the ports of the appliance?
#pragma once

#include "config/appliance_model.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport {

// Warns of egress addresses that are on no network of an outside port, to which answers come only where a router sends
// them here, and of those that are a next hop's. The locations are the policy's. Nothing is said where no outside port
// has an address: then nothing is known of its networks.
void warn_of_addresses_elsewhere(const config::ApplianceModel& appliance, const config::PolicyModel& policy,
                                 config::Diagnostics& diagnostics);

}  // namespace sallyport
