// Selectors as Calico writes them, "role == 'web' && env in {'prod', 'test'}", as Kubernetes selectors.
//
// Kubernetes knows no "or", so one selector becomes several alternatives: whatever any of them selects. A negation
// moves inwards until it stands before single terms, each of which has its opposite.
#pragma once

#include <string_view>
#include <vector>

#include "config/document/parsed.h"
#include "config/policy_model.h"

namespace sallyport::config {

struct CalicoSelector {
  bool global = false;                 // "global()": what is in no namespace
  std::vector<Selector> alternatives;  // none: selects nothing
};

// An empty text selects everything, as all() does. Fails where the text is wrong, or compares with a part of a value
// ("contains", "starts with", "ends with"), or would become too many alternatives.
[[nodiscard]] Parsed<CalicoSelector> parse_calico_selector(std::string_view text);

}  // namespace sallyport::config
