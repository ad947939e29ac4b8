// What all workers share: published by one pointer, never changed, freed when every worker has moved on.
#pragma once

#include <cstdint>
#include <memory>

#include "classifier/policy.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

struct Snapshot {
  std::shared_ptr<const classifier::Policy> policy;  // null until a valid policy was loaded: nothing is forwarded
  std::shared_ptr<const Routing> routing;            // never null
  std::uint32_t generation = 0;                      // of the policy, from 1; changes with every policy published
};

}  // namespace sallyport::dataplane
