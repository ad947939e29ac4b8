// What is written but does nothing, or not what it seems to: worth telling the operator, no reason to refuse the file.
#pragma once

#include "classifier/egress_choice.h"
#include "classifier/egress_networks.h"
#include "classifier/sources.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// Egress networks that capture nothing, routes that are never asked or never decide, lists of names that restrict
// nothing, egresses that are never chosen, sets and pools that nobody uses, selectors of sets that there are not,
// excepts that are opened again.
void warn_of_unused(const config::PolicyModel& model, const Sources& sources, const EgressNetworks& networks,
                    const EgressChoices& egresses, config::Diagnostics& diagnostics);

}  // namespace sallyport::classifier
