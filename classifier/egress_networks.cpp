#include "classifier/egress_networks.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <utility>

#include "classifier/prefix_claims.h"
#include "classifier/radix_sort.h"

namespace sallyport::classifier {

Uint128 effective_span(const config::CidrBlock& block) {
  Uint128 span = span_of(block.cidr);
  if (block.except.size() == 1) return span - (span_of(block.except.front()) + 1);
  std::vector<Prefix> holes = block.except;
  std::sort(holes.begin(), holes.end());
  const Prefix* outer = nullptr;
  for (const Prefix& hole : holes) {
    if (outer != nullptr && outer->contains(hole)) continue;
    outer = &hole;
    span -= span_of(hole) + 1;
  }
  return span;
}

EgressNetworks::EgressNetworks(const config::PolicyModel& model, const Sources& sources)
    : exclusive_(model.defaults.global_scope_exclusive), captures_(model.egress_networks.size()) {
  std::map<std::string, std::vector<std::uint32_t>> networks_of_namespace;
  for (std::size_t i = 0; i < model.egress_networks.size(); ++i)
    networks_of_namespace[model.egress_networks[i].namespace_name].push_back(static_cast<std::uint32_t>(i));

  std::map<std::string, std::uint32_t> scope_of_namespace;
  for (const auto& [name, networks] : networks_of_namespace) {
    scope_of_namespace[name] = static_cast<std::uint32_t>(scopes_.size());
    scopes_.push_back(compile_scope(model, networks));
  }
  const auto scope_of = [&](const std::string& name) {
    const auto found = scope_of_namespace.find(name);
    return found == scope_of_namespace.end() ? none : found->second;
  };
  global_scope_ = scope_of(model.global_namespace);
  for (const SourceGroup& group : sources.groups())
    scope_of_group_.push_back(group.namespace_name.empty() ? none : scope_of(group.namespace_name));
}

PrefixTrie EgressNetworks::compile_scope(const config::PolicyModel& model, const std::vector<std::uint32_t>& networks) {
  struct Entry {
    Uint128 span = 0;
    std::uint32_t network = 0;
    const config::CidrBlock* block = nullptr;
  };
  std::vector<Entry> entries;
  for (const std::uint32_t network : networks)
    for (const config::CidrBlock& block : model.egress_networks[network].networks)
      entries.push_back({effective_span(block), network, &block});
  // Networks come in file order.
  radix_sort(entries, [](const Entry& entry) { return entry.span; });

  std::vector<Claim> claims;
  claims.reserve(entries.size());
  for (std::size_t rank = 0; rank < entries.size(); ++rank) {
    claims.push_back({entries[rank].block->cidr, static_cast<std::uint32_t>(rank), false});
    for (const Prefix& except : entries[rank].block->except)
      claims.push_back({except, static_cast<std::uint32_t>(rank), true});
  }
  std::vector<PrefixTrie::Entry> winners = resolve_claims(claims);
  for (PrefixTrie::Entry& winner : winners) {
    if (winner.value == PrefixTrie::none) continue;
    winner.value = entries[winner.value].network;
    captures_[winner.value] = true;
  }
  return PrefixTrie::from_prefixes(winners);
}

std::uint32_t EgressNetworks::look(std::uint32_t scope, const IpAddress& destination) const noexcept {
  if (scope == none) return none;
  const std::uint32_t network = scopes_[scope].lookup(destination);
  return network == PrefixTrie::none ? none : network;
}

std::uint32_t EgressNetworks::capture(std::uint32_t group, const IpAddress& destination) const noexcept {
  const std::uint32_t own = scope_of_group_[group];
  const std::uint32_t network = look(own, destination);
  if (network != none || (exclusive_ && own != none)) return network;
  return look(global_scope_, destination);
}

}  // namespace sallyport::classifier
