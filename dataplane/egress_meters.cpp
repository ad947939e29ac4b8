#include "dataplane/egress_meters.h"

#include <unordered_map>

namespace sallyport::dataplane {

EgressMeters::EgressMeters(const classifier::Policy& policy, const EgressMeters* before) {
  std::unordered_map<classifier::Id, std::shared_ptr<Levels>> known;
  if (before != nullptr) {
    for (const Meter& meter : before->meters_) known.emplace(meter.egress, meter.levels);
  }
  for (const classifier::EgressBandwidth& each : policy.bandwidths()) {
    const auto found = known.find(each.egress);
    meters_.push_back(
        {each.egress, TokenBucket(each.bandwidth), found != known.end() ? found->second : std::make_shared<Levels>()});
  }
}

std::shared_ptr<const EgressMeters> EgressMeters::of(const classifier::Policy* policy, const EgressMeters* before) {
  if (policy == nullptr || policy->bandwidths().empty()) return nullptr;
  return std::make_shared<const EgressMeters>(*policy, before);
}

}  // namespace sallyport::dataplane
