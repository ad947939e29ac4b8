#include "classifier/egress_treatment.h"

#include <algorithm>

namespace sallyport::classifier {

EgressTreatments::EgressTreatments(const config::PolicyModel& model, Identities& identities) {
  for (const config::Egress& egress : model.egresses) {
    EgressTreatment treatment;
    const Id id = identities.intern(egress.name);
    if (egress.dscp) treatment.dscp = *egress.dscp;
    if (egress.bandwidth) {
      bandwidths_.push_back({id, *egress.bandwidth});
      treatment.meter = static_cast<std::uint16_t>(bandwidths_.size());
    }
    if (!treatment.is_none()) entries_.push_back({id, treatment});
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.egress < b.egress; });
}

EgressTreatment EgressTreatments::of(Id egress) const noexcept {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), egress,
                                      [](const Entry& entry, Id wanted) { return entry.egress < wanted; });
  return found != entries_.end() && found->egress == egress ? found->treatment : EgressTreatment{};
}

}  // namespace sallyport::classifier
