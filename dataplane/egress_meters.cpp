#include "dataplane/egress_meters.h"

#include <unordered_map>

namespace sallyport::dataplane {

EgressMeters::EgressMeters(const classifier::Policy& policy, const EgressMeters* before) {
  std::unordered_map<classifier::Id, std::shared_ptr<Ways>> known;
  if (before != nullptr) {
    for (const Meter& meter : before->meters_) known.emplace(meter.egress, meter.ways);
  }
  for (const classifier::EgressBandwidth& each : policy.bandwidths()) {
    const auto found = known.find(each.egress);
    meters_.push_back(
        {each.egress, TokenBucket(each.bandwidth), found != known.end() ? found->second : std::make_shared<Ways>()});
  }
}

std::vector<EgressMeters::Dropped> EgressMeters::dropped() const {
  std::vector<Dropped> all;
  for (const Meter& meter : meters_) {
    Dropped& one = all.emplace_back(Dropped{meter.egress});
    for (std::size_t direction = 0; direction < meter.ways->size(); ++direction) {
      one.packets[direction] = (*meter.ways)[direction].dropped_packets.load(std::memory_order_relaxed);
      one.bytes[direction] = (*meter.ways)[direction].dropped_bytes.load(std::memory_order_relaxed);
    }
  }
  return all;
}

std::shared_ptr<const EgressMeters> EgressMeters::of(const classifier::Policy* policy, const EgressMeters* before) {
  if (policy == nullptr || policy->bandwidths().empty()) return nullptr;
  return std::make_shared<const EgressMeters>(*policy, before);
}

}  // namespace sallyport::dataplane
