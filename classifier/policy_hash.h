// What two nodes that should run the same policy compare.
#pragma once

#include <string>

#include "config/policy_model.h"

namespace sallyport::classifier {

// SHA-256, hexadecimal, over every value of the model in its order, but for places in files.
[[nodiscard]] std::string policy_hash(const config::PolicyModel& model);

}  // namespace sallyport::classifier
