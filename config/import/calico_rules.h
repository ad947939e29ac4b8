// One egress rule of a Calico policy.
#pragma once

#include <optional>
#include <string>

#include "config/import/fields.h"
#include "config/import/rule_space.h"

namespace sallyport::config {

struct Import;

// A rule that allows, or one that denies: exactly one of the two is there.
struct CalicoRule {
  std::optional<Allowed> allows;
  std::optional<Denied> denies;
};

// The rule as it holds for pods of this namespace. Absent, and reported: nothing of it can be kept, or it
// neither allows nor denies. What of an allowing rule cannot be kept takes the rule with it; what of a denying one
// cannot be kept makes it deny more.
[[nodiscard]] std::optional<CalicoRule> read_calico_rule(const YamlNode& node, const std::string& policy_namespace,
                                                         bool global_policy, const Import& known,
                                                         const ObjectReport& report);

}  // namespace sallyport::config
