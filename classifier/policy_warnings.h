// What is written but does nothing: worth telling the operator, no reason to refuse the file.
#pragma once

#include "classifier/egress_networks.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// Egress networks that capture nothing, routes that stand on such networks only, domain sets that no route uses.
void warn_of_unused(const config::PolicyModel& model, const EgressNetworks& networks, config::Diagnostics& diagnostics);

}  // namespace sallyport::classifier
