// Excepts that have no effect, or not all of it, because another entry of the same list opens what they close. An
// except is no deny: it takes addresses from its own entry only.
#pragma once

#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// Warns of those within one egress network, and within the rules of one network policy that are for the same ports; of
// each list the first twenty and how many more there are. Lists of more than 50,000 entries are made by programs: they
// are not looked through, which would take as long as compiling them.
void warn_of_opened_excepts(const config::PolicyModel& model, config::Diagnostics& diagnostics);

}  // namespace sallyport::classifier
