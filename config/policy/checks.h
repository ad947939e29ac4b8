// What can be said only of a whole policy: who shares a prefix, what overlaps the cluster, what can never match.
#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::config {

// Diagnostics stand at the values in question and carry no key path. The model holds what could be read.
// `files`: names for messages that point at a second place.
void check_policy(const PolicyModel& model, const std::vector<std::string>& files, Diagnostics& diagnostics);

}  // namespace sallyport::config
