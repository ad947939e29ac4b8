// What changed between two policies, in words for the log: "egress_network prod/web changed, tls_route a/b added".
#pragma once

#include <string>
#include <vector>

#include "config/policy_model.h"

namespace sallyport::config {

// One line a difference; empty when the two mean the same.
[[nodiscard]] std::vector<std::string> describe_change(const PolicyModel& before, const PolicyModel& after);

}  // namespace sallyport::config
