// Kubernetes label selectors: all terms must hold. NotIn and DoesNotExist hold where the key is absent.
#pragma once

#include "config/policy_model.h"

namespace sallyport::classifier {

[[nodiscard]] bool matches(const config::Selector& selector, const config::Labels& labels);

}  // namespace sallyport::classifier
