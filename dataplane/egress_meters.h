// The bandwidths of a policy's egresses: token buckets that all workers share, each direction its own.
//
// Made with a snapshot and constant but for the buckets' levels, which outlive it: an egress that has a bandwidth in
// the next policy, too, goes on with the level it has, so a reload gives nobody a second burst. What was dropped is
// counted beside the level.
#pragma once

#include <array>
#include <atomic>
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
    Way& way = (*of.ways)[direction];
    if (of.bucket.draw(way.level, bytes, now)) return true;
    way.dropped_packets.fetch_add(1, std::memory_order_relaxed);
    way.dropped_bytes.fetch_add(bytes, std::memory_order_relaxed);
    return false;
  }

  // Packets and bytes of IP over the bandwidth of an egress, since it has one; by Direction.
  struct Dropped {
    classifier::Id egress;
    std::array<std::uint64_t, 2> packets{}, bytes{};
  };
  [[nodiscard]] std::vector<Dropped> dropped() const;

 private:
  // Written by all workers.
  struct Way {
    TokenBucket::Level level;
    std::atomic<std::uint64_t> dropped_packets{0}, dropped_bytes{0};
  };
  using Ways = std::array<Way, 2>;
  struct Meter {
    classifier::Id egress;
    TokenBucket bucket;
    std::shared_ptr<Ways> ways;
  };
  std::vector<Meter> meters_;
};

}  // namespace sallyport::dataplane
