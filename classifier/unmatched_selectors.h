// Namespaces and labels that nobody has: a typing error there takes a policy or an egress from whom it was meant for.
#pragma once

#include "classifier/egress_choice.h"
#include "classifier/network_policies.h"
#include "classifier/sources.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// Network policies and egresses that select no workload, and workloads of a namespace that is nowhere written beside
// others that are. Says what was probably meant. Nothing where the policy names no source at all yet.
void warn_of_unmatched_selectors(const config::PolicyModel& model, const Sources& sources,
                                 const NetworkPolicies& network_policies, const EgressChoices& egresses,
                                 config::Diagnostics& diagnostics);

}  // namespace sallyport::classifier
