#include "classifier/egress_choice.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <utility>

#include "classifier/prefix_claims.h"
#include "classifier/selectors.h"

namespace sallyport::classifier {

namespace {

std::vector<AddressRange> of_family(const std::vector<AddressRange>& ranges, Family family) {
  std::vector<AddressRange> matching;
  std::copy_if(ranges.begin(), ranges.end(), std::back_inserter(matching),
               [&](const AddressRange& range) { return range.first.family == family; });
  return matching;
}

std::vector<AddressRange> as_ranges(const std::vector<IpAddress>& addresses) {
  std::vector<AddressRange> ranges;
  ranges.reserve(addresses.size());
  for (const IpAddress& address : addresses) ranges.push_back({address, address});
  return ranges;
}

// An applied_to without any selector selects nothing.
bool selects(const config::AppliedTo& applied_to, const SourceGroup& group) {
  if (!applied_to.pod_selector && !applied_to.namespace_selector) return false;
  return (!applied_to.pod_selector || matches(*applied_to.pod_selector, *group.labels)) &&
         (!applied_to.namespace_selector || matches(*applied_to.namespace_selector, *group.namespace_labels));
}

}  // namespace

bool lacks_address(const EgressChoice& choice, const IpAddress& source) noexcept {
  if (choice.kind == EgressChoice::Kind::untranslated) return false;
  if (choice.kind == EgressChoice::Kind::no_address) return true;
  if (choice.prefix != nullptr) return !choice.prefix->to_outside(source);
  return choice.pool == nullptr || choice.pool->empty();
}

EgressChoices::EgressChoices(const config::PolicyModel& model, Sources& sources, Identities& identities)
    : sources_(sources), snat_except_(make_address_set(model.snat.except)), has_ip_pools_(!model.ip_pools.empty()) {
  std::vector<Prefix> ip_pools;
  for (const config::IpPool& pool : model.ip_pools) ip_pools.push_back(pool.cidr);
  ip_pools_ = make_address_set(ip_pools);
  compile_pools(model, identities);
  compile_classes(model, sources);
}

void EgressChoices::compile_pools(const config::PolicyModel& model, Identities& identities) {
  std::vector<AddressRange> all;
  const auto add = [&](const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& exclude) {
    pools_.push_back(
        {AddressPool(of_family(ranges, Family::v4), exclude), AddressPool(of_family(ranges, Family::v6), exclude)});
    for (const AddressPool* pool : {&pools_.back().v4, &pools_.back().v6})
      all.insert(all.end(), pool->ranges().begin(), pool->ranges().end());
    return &pools_.back();
  };
  add(as_ranges(model.snat.addresses), {});
  std::map<std::string, const Pools*> named;
  for (const config::Egress& egress : model.egresses) {
    const Pools* pools = nullptr;
    if (egress.egress_pool.empty()) {
      pools = add(as_ranges(egress.egress_ips), {});
    } else if (const auto known = named.find(egress.egress_pool); known != named.end()) {
      pools = known->second;
    } else {
      const auto written =
          std::find_if(model.egress_pools.begin(), model.egress_pools.end(),
                       [&](const config::EgressPool& pool) { return pool.name == egress.egress_pool; });
      pools = written == model.egress_pools.end() ? add({}, {}) : add(written->ranges, written->exclude);
      named.emplace(egress.egress_pool, pools);
    }
    std::optional<PrefixTranslation> prefix;
    if (egress.egress_prefix && egress.sources.size() == 1) prefix.emplace(egress.sources[0], *egress.egress_prefix);
    egresses_.push_back({.id = identities.intern(egress.name),
                         .pools = pools,
                         .prefix = prefix,
                         .except = make_address_set(egress.except)});
  }
  pooled_ = AddressPool(all, {});
  for (const CompiledEgress& egress : egresses_) {
    if (egress.prefix) all.push_back({egress.prefix->outside().first(), egress.prefix->outside().last()});
  }
  all_ = AddressPool(all, {});
}

void EgressChoices::compile_classes(const config::PolicyModel& model, Sources& sources) {
  std::vector<std::vector<std::uint32_t>> by_labels(sources.groups().size());
  for (std::size_t group = 1; group < by_labels.size(); ++group)
    for (std::size_t i = 0; i < model.egresses.size(); ++i)
      if (const auto& applied_to = model.egresses[i].applied_to;
          applied_to && selects(*applied_to, sources.groups()[group])) {
        by_labels[group].push_back(static_cast<std::uint32_t>(i));
        egresses_[i].applies = true;
      }

  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> class_of_pair;  // (group, egress list)
  std::map<std::vector<std::uint32_t>, std::uint32_t> class_places;
  for (const SourceRecord& record : sources.records()) {
    const auto [pair, is_new_pair] = class_of_pair.try_emplace({record.group, record.egress_list});
    if (is_new_pair) {
      const std::vector<std::uint32_t>& listed = sources.egress_lists()[record.egress_list];
      std::vector<std::uint32_t> selecting;
      std::set_union(by_labels[record.group].begin(), by_labels[record.group].end(), listed.begin(), listed.end(),
                     std::back_inserter(selecting));
      const auto [place, is_new] = class_places.emplace(selecting, static_cast<std::uint32_t>(classes_.size()));
      if (is_new) {
        PrefixTrie trie = compile_class(model, selecting);
        classes_.push_back({std::move(selecting), std::move(trie)});
      }
      pair->second = place->second;
    }
    class_of_record_.push_back(pair->second);
  }
}

PrefixTrie EgressChoices::compile_class(const config::PolicyModel& model, const std::vector<std::uint32_t>& egresses) {
  struct Candidate {
    std::int64_t priority;
    Prefix destination;
    std::uint32_t egress;
  };
  std::vector<Candidate> candidates;
  for (const std::uint32_t egress : egresses) {
    egresses_[egress].selects = true;
    for (const Prefix& destination : model.egresses[egress].destinations)
      candidates.push_back({model.egresses[egress].priority, destination, egress});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tuple(b.priority, b.destination.length, a.egress) <
           std::tuple(a.priority, a.destination.length, b.egress);
  });
  std::vector<Claim> claims;
  claims.reserve(candidates.size());
  for (const Candidate& candidate : candidates)
    claims.push_back({candidate.destination, static_cast<std::uint32_t>(claims.size()), false});
  std::vector<PrefixTrie::Entry> winners = resolve_claims(claims);
  for (PrefixTrie::Entry& winner : winners) {
    if (winner.value == PrefixTrie::none) continue;
    winner.value = candidates[winner.value].egress;
    egresses_[winner.value].wins = true;
  }
  return PrefixTrie::from_prefixes(winners);
}

EgressChoice EgressChoices::translate(Id egress, const Pools& pools, Family family) noexcept {
  const AddressPool& pool = pools.of(family);
  if (pool.empty()) return {EgressChoice::Kind::no_address, egress, nullptr, nullptr};
  return {EgressChoice::Kind::translated, egress, &pool, nullptr};
}

EgressChoice EgressChoices::translate(const CompiledEgress& egress, Family family) noexcept {
  if (!egress.prefix || family == Family::v4) return translate(egress.id, *egress.pools, family);
  return {EgressChoice::Kind::translated, egress.id, nullptr, &*egress.prefix};
}

std::optional<IpAddress> EgressChoices::mapped_from(const IpAddress& outside) const noexcept {
  for (const CompiledEgress& egress : egresses_) {
    if (egress.prefix && egress.prefix->outside().contains(outside)) return egress.prefix->to_inside(outside);
  }
  return std::nullopt;
}

EgressChoices::Answer EgressChoices::choose(std::uint32_t record, const IpAddress& destination) const noexcept {
  // To an address that is given out here, hosts see each other's outside addresses (RFC 4787 REQ-9).
  if (snat_except_.lookup(destination) != PrefixTrie::none && !gives_out(destination)) {
    return {{}, Why::snat_except, none};
  }
  const std::uint32_t place = classes_[class_of_record_[record]].trie.lookup(destination);
  if (place != PrefixTrie::none) {
    const CompiledEgress& egress = egresses_[place];
    if (egress.except.lookup(destination) != PrefixTrie::none) return {{}, Why::egress_except, place};
    return {translate(egress, destination.family), Why::egress, place};
  }
  if (has_ip_pools_) {
    if (!sources_.record(record).nat_outgoing) return {{}, Why::not_nat_outgoing, none};
    if (ip_pools_.lookup(destination) != PrefixTrie::none) return {{}, Why::inside_ip_pool, none};
  } else if (pools_.front().v4.empty() && pools_.front().v6.empty()) {
    return {{}, Why::no_snat, none};  // nobody asked for translation; with an address of one family somebody did
  }
  return {translate(0, pools_.front(), destination.family), Why::snat, none};
}

const std::vector<std::uint32_t>& EgressChoices::selecting(std::uint32_t record) const noexcept {
  return classes_[class_of_record_[record]].egresses;
}

}  // namespace sallyport::classifier
