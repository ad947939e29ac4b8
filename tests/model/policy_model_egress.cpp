// Under which address a flow leaves, as the oracle understands it.
#include <algorithm>
#include <set>

#include "policy_model_oracle.h"

namespace sallyport::model {

Egress Oracle::translate(const std::string& name, const std::vector<IpAddress>& addresses,
                         const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& exclude,
                         Family family) const {
  std::set<IpAddress> candidates(addresses.begin(), addresses.end());
  for (const AddressRange& range : ranges)
    for (IpAddress address = range.first;;) {
      candidates.insert(address);
      if (address == range.last) break;
      for (unsigned i = address_bytes(address.family); i-- > 0 && ++address.bytes[i] == 0;) {
      }
    }
  Egress egress{"translated", name, {}};
  for (const IpAddress& address : candidates) {
    const bool excluded =
        std::any_of(exclude.begin(), exclude.end(), [&](const AddressRange& range) { return range.contains(address); });
    if (address.family == family && !excluded) egress.addresses.push_back(to_string(address));
  }
  if (egress.addresses.empty()) egress.kind = "no_address";
  return egress;
}

bool Oracle::gives_out(const IpAddress& address) const {
  const auto& snat = model_.snat.addresses;
  const auto is_in = [&](const std::vector<AddressRange>& ranges) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const AddressRange& range) { return range.contains(address); });
  };
  if (std::find(snat.begin(), snat.end(), address) != snat.end()) return true;
  for (const config::Egress& egress : model_.egresses) {
    if (std::find(egress.egress_ips.begin(), egress.egress_ips.end(), address) != egress.egress_ips.end()) return true;
    if (egress.egress_prefix && egress.egress_prefix->contains(address)) return true;
    for (const config::EgressPool& pool : model_.egress_pools)
      if (pool.name == egress.egress_pool && is_in(pool.ranges) && !is_in(pool.exclude)) return true;
  }
  return false;
}

Egress Oracle::egress(const Question& question) const {
  const Egress untranslated{"untranslated", "", {}};
  if (in_any(model_.snat.except, question.destination) && !gives_out(question.destination)) return untranslated;

  const Party source = party(question.source);
  const config::Egress* best = nullptr;
  int best_length = -1;
  for (const config::Egress& egress : model_.egresses) {
    bool selects = in_any(egress.sources, question.source);
    if (source.known && egress.applied_to && (egress.applied_to->pod_selector || egress.applied_to->namespace_selector))
      selects =
          selects || ((!egress.applied_to->pod_selector || holds(*egress.applied_to->pod_selector, source.labels)) &&
                      (!egress.applied_to->namespace_selector ||
                       holds(*egress.applied_to->namespace_selector, source.namespace_labels)));
    if (!selects) continue;
    int length = -1;
    for (const Prefix& destination : egress.destinations)
      if (destination.contains(question.destination)) length = std::max(length, int{destination.length});
    if (length < 0) continue;
    if (best != nullptr &&
        (egress.priority < best->priority || (egress.priority == best->priority && length <= best_length)))
      continue;
    best = &egress;
    best_length = length;
  }
  const Family family = question.destination.family;
  if (best != nullptr) {
    if (in_any(best->except, question.destination)) return untranslated;
    for (const config::EgressPool& pool : model_.egress_pools)
      if (pool.name == best->egress_pool) return translate(best->name, {}, pool.ranges, pool.exclude, family);
    return translate(best->name, best->egress_ips, {}, {}, family);
  }
  if (!model_.ip_pools.empty()) {
    bool outgoing = false;
    for (const config::IpPool& pool : model_.ip_pools) {
      if (pool.nat_outgoing && pool.cidr.contains(question.source)) outgoing = true;
      if (pool.cidr.contains(question.destination)) return untranslated;
    }
    if (!outgoing) return untranslated;
  } else if (model_.snat.addresses.empty()) {
    return untranslated;
  }
  return translate("", model_.snat.addresses, {}, {}, family);
}

}  // namespace sallyport::model
