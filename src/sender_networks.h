// Senders of the policy and the ports that they should be on: whether they may send, and whether answers find them.
#pragma once

#include "config/appliance_model.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport {

// Warnings, with locations in the policy's files, where it names no sender at all though [nat] source_check wants one
// named, of sources of egresses whom that drops, and of namespaces and workloads that are on no network of an inside
// port and that none of its routes leads to. Behind a tunnel answers need no route.
void warn_of_senders_elsewhere(const config::ApplianceModel& appliance, const config::PolicyModel& policy,
                               config::Diagnostics& diagnostics);

}  // namespace sallyport
