// Requests as HTTPRoute and GRPCRoute match them.
#pragma once

#include <optional>

#include "config/import/object_report.h"
#include "config/import/yaml_document.h"
#include "config/policy_model.h"

namespace sallyport::config {

// One of a rule's matches. Absent, and reported, where it cannot be kept: leaving out a part would match more.
[[nodiscard]] std::optional<HttpMatch> read_request_match(RouteKind kind, const YamlNode& node,
                                                          const ObjectReport& report);

}  // namespace sallyport::config
