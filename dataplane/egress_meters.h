// The bandwidths of a policy's egresses: token buckets that all workers share, each direction its own.
//
// Made with a snapshot and constant but for the buckets' levels, which outlive it: an egress that has a bandwidth in
// the next policy, too, goes on with the level it has, so a reload gives nobody a second burst.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "classifier/policy.h"
#include "dataplane/flow/flow.h"
#include "dataplane/token_bucket.h"

namespace sallyport::dataplane {

class EgressMeters {
 public:
  EgressMeters(const classifier::Policy& policy, const EgressMeters* before);
  // Null where the policy limits no bandwidth.
  [[nodiscard]] static std::shared_ptr<const EgressMeters> of(const classifier::Policy* policy,
                                                              const EgressMeters* before);

  // May so many bytes of IP pass? `meter` is an EgressTreatment's, not 0.
  [[nodiscard]] bool admit(std::uint16_t meter, Direction direction, std::uint32_t bytes,
                           std::uint64_t now) const noexcept {
    const Meter& of = meters_[meter - 1U];
    return of.bucket.draw((*of.levels)[direction], bytes, now);
  }

 private:
  using Levels = std::array<TokenBucket::Level, 2>;
  struct Meter {
    classifier::Id egress;
    TokenBucket bucket;
    std::shared_ptr<Levels> levels;
  };
  std::vector<Meter> meters_;
};

}  // namespace sallyport::dataplane
