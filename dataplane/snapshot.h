// What all workers share: published by one pointer, never changed, freed when every worker has moved on.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "classifier/policy.h"
#include "dataplane/egress_meters.h"
#include "dataplane/routing.h"
#include "dataplane/standing.h"
#include "dataplane/tunnels.h"

namespace sallyport::dataplane {

using MatchScratches = std::vector<std::unique_ptr<classifier::MatchScratch, void (*)(classifier::MatchScratch*)>>;

class NameBindings;

struct Snapshot {
  std::shared_ptr<const classifier::Policy> policy;  // null until a valid policy was loaded: nothing is forwarded
  std::shared_ptr<const Routing> routing;            // never null
  std::uint32_t generation = 0;                      // of the policy, from 1; changes with every policy published
  std::shared_ptr<MatchScratches> scratches;         // of the policy, one a worker; each used by its worker alone
  // Asked beside the policy and never obeyed; null: there is none.
  std::shared_ptr<const classifier::Policy> shadow = nullptr;
  std::shared_ptr<MatchScratches> shadow_scratches = nullptr;  // as above
  // What DNS has said; written by the workers, each in its own part. Null: no policy ever trusted a DNS server.
  std::shared_ptr<NameBindings> names = nullptr;
  std::shared_ptr<const EgressMeters> meters = nullptr;        // of the policy; null: it limits no bandwidth
  std::shared_ptr<const Tunnels> tunnels = nullptr;            // the appliance's; null: there are none
  const Standing* standing = nullptr;                          // the gateway's; null: nobody stands in for it
  std::shared_ptr<const NameBindings> names_before = nullptr;  // asked too, while its contents move to larger `names`
};

// The bindings that a policy wants: those that are there, unless they are too small, or there are none.
[[nodiscard]] std::shared_ptr<NameBindings> fitting_names(const classifier::Policy* policy,
                                                          const std::shared_ptr<NameBindings>& present,
                                                          std::uint32_t workers, std::uint64_t seed);

// Made off the workers. A new routing under the same policy shares the policy's parts with the snapshot before; a new
// policy goes on with the bandwidths and tunnels of `before`, which the workers have now (null: none was published
// yet). `seed`: of the policy's scratches.
[[nodiscard]] inline Snapshot make_snapshot(std::shared_ptr<const classifier::Policy> policy,
                                            std::shared_ptr<const Routing> routing, std::uint32_t generation,
                                            std::uint32_t workers, std::shared_ptr<NameBindings> names = nullptr,
                                            const Snapshot* before = nullptr, std::uint64_t seed = 0) {
  auto meters = EgressMeters::of(policy.get(), before != nullptr ? before->meters.get() : nullptr);
  Snapshot snapshot{.policy = std::move(policy),
                    .routing = std::move(routing),
                    .generation = generation,
                    .scratches = std::make_shared<MatchScratches>(),
                    .names = std::move(names),
                    .meters = std::move(meters),
                    .tunnels = before != nullptr ? before->tunnels : nullptr,
                    .standing = before != nullptr ? before->standing : nullptr,
                    .names_before = nullptr};
  for (std::uint32_t i = 0; snapshot.policy && i < workers; ++i) {
    snapshot.scratches->push_back(snapshot.policy->make_scratch(seed));
  }
  return snapshot;
}

// The same with another shadow policy, or without one.
[[nodiscard]] inline Snapshot with_shadow(Snapshot snapshot, std::shared_ptr<const classifier::Policy> shadow,
                                          std::uint32_t workers, std::uint64_t seed = 0) {
  snapshot.shadow = std::move(shadow);
  snapshot.shadow_scratches = std::make_shared<MatchScratches>();
  for (std::uint32_t i = 0; snapshot.shadow && i < workers; ++i) {
    snapshot.shadow_scratches->push_back(snapshot.shadow->make_scratch(seed));
  }
  return snapshot;
}

}  // namespace sallyport::dataplane
