// What all workers share: published by one pointer, never changed, freed when every worker has moved on.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "classifier/policy.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

using MatchScratches = std::vector<std::unique_ptr<classifier::MatchScratch, void (*)(classifier::MatchScratch*)>>;

struct Snapshot {
  std::shared_ptr<const classifier::Policy> policy;  // null until a valid policy was loaded: nothing is forwarded
  std::shared_ptr<const Routing> routing;            // never null
  std::uint32_t generation = 0;                      // of the policy, from 1; changes with every policy published
  std::shared_ptr<MatchScratches> scratches;         // of the policy, one a worker; each used by its worker alone
  // Asked beside the policy and never obeyed; null: there is none.
  std::shared_ptr<const classifier::Policy> shadow = nullptr;
  std::shared_ptr<MatchScratches> shadow_scratches = nullptr;  // as above
};

// Made off the workers. A new routing under the same policy shares the policy's parts with the snapshot before.
[[nodiscard]] inline Snapshot make_snapshot(std::shared_ptr<const classifier::Policy> policy,
                                            std::shared_ptr<const Routing> routing, std::uint32_t generation,
                                            std::uint32_t workers) {
  Snapshot snapshot{std::move(policy), std::move(routing), generation, std::make_shared<MatchScratches>()};
  for (std::uint32_t i = 0; snapshot.policy && i < workers; ++i) {
    snapshot.scratches->push_back(snapshot.policy->make_scratch());
  }
  return snapshot;
}

// The same with another shadow policy, or without one.
[[nodiscard]] inline Snapshot with_shadow(Snapshot snapshot, std::shared_ptr<const classifier::Policy> shadow,
                                          std::uint32_t workers) {
  snapshot.shadow = std::move(shadow);
  snapshot.shadow_scratches = std::make_shared<MatchScratches>();
  for (std::uint32_t i = 0; snapshot.shadow && i < workers; ++i) {
    snapshot.shadow_scratches->push_back(snapshot.shadow->make_scratch());
  }
  return snapshot;
}

}  // namespace sallyport::dataplane
