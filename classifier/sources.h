// Who sends: address -> workload, namespace, and everything else about a policy that depends on the source alone.
//
// Workload prefixes, namespace prefixes, the `sources` of egresses and the cidr of ip_pools are walked together, so one
// lookup answers for all of them. What two places of address space have in common is one Record; what two records have
// in common for selectors (namespace and labels) is one group.
//
// A source of a namespace that no workload names counts as a workload without labels: a network policy or an egress
// that selects everything in the namespace holds for it, too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "classifier/decision.h"
#include "classifier/identities.h"
#include "classifier/prefix_trie.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// What selectors see of a source.
struct SourceGroup {
  std::string namespace_name;  // empty: nobody's
  const config::Labels* namespace_labels = nullptr;
  const config::Labels* labels = nullptr;
};

struct SourceRecord {
  static constexpr std::uint32_t none = UINT32_MAX;
  Id namespace_name = 0;
  Id workload = 0;
  std::uint32_t group = 0;               // 0: nobody's
  std::uint32_t workload_place = none;   // in the model
  std::uint32_t namespace_place = none;  // in the model, where the namespace's own addresses decided
  std::uint32_t egress_list = 0;         // egresses whose `sources` hold the address: place in egress_lists(); 0: none
  bool nat_outgoing = false;             // inside an ip_pool with nat_outgoing
};

class Sources {
 public:
  // `model` outlives this.
  Sources(const config::PolicyModel& model, Identities& identities);

  [[nodiscard]] Source find(const IpAddress& address) const noexcept;
  [[nodiscard]] const SourceRecord& record(std::uint32_t index) const noexcept { return records_[index]; }
  [[nodiscard]] const SourceRecord& record(const IpAddress& address) const noexcept;

  [[nodiscard]] const std::vector<SourceRecord>& records() const noexcept { return records_; }
  [[nodiscard]] const std::vector<SourceGroup>& groups() const noexcept { return groups_; }
  // Places of egresses in the model, rising.
  [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& egress_lists() const noexcept { return egress_lists_; }

 private:
  class Walk;
  // Labels of a namespace, written or not; every one has kubernetes.io/metadata.name.
  [[nodiscard]] const config::Labels& namespace_labels(const std::string& name);
  [[nodiscard]] std::uint32_t group_of(const std::string& namespace_name, const config::Labels& labels);

  PrefixTrie trie_;                    // -> place in records_
  std::vector<SourceRecord> records_;  // the first is nobody's
  std::vector<SourceGroup> groups_;    // the first is nobody's
  std::vector<std::vector<std::uint32_t>> egress_lists_;
  std::map<std::string, config::Labels> namespace_labels_;
  std::map<std::pair<std::string, config::Labels>, std::uint32_t> group_places_;
};

}  // namespace sallyport::classifier
