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

namespace {

// The places 0, 1, 2, ... of blocks in the file, ranked: a smaller effective span first, then the earlier place. An
// address has one family, so the families are ranked apart, IPv4 in words of its own size.
class SpanRanks {
 public:
  explicit SpanRanks(std::size_t count) : ranks_(count) { v4_.reserve(count); }

  void add(Family family, Uint128 span) {
    const auto place = static_cast<std::uint32_t>(v4_.size() + v6_.size());
    if (family == Family::v4)
      v4_.push_back({static_cast<std::uint32_t>(span), place});
    else
      v6_.push_back({span, place});
  }

  // The rank of each place; all of IPv4 before all of IPv6.
  [[nodiscard]] std::vector<std::uint32_t> take() && {
    rank(v4_);
    rank(v6_);
    return std::move(ranks_);
  }

 private:
  template <typename Span>
  struct Block {
    Span span = 0;
    std::uint32_t place = 0;
  };

  template <typename Span>
  void rank(std::vector<Block<Span>>& blocks) {
    radix_sort(blocks, [](const Block<Span>& block) { return block.span; });
    for (const Block<Span>& block : blocks) ranks_[block.place] = next_++;
  }

  std::vector<Block<std::uint32_t>> v4_;
  std::vector<Block<Uint128>> v6_;
  std::vector<std::uint32_t> ranks_;
  std::uint32_t next_ = 0;
};

}  // namespace

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
  std::size_t blocks = 0;
  for (const std::uint32_t network : networks) blocks += model.egress_networks[network].networks.size();
  SpanRanks ranks(blocks);
  for (const std::uint32_t network : networks)
    for (const config::CidrBlock& block : model.egress_networks[network].networks)
      ranks.add(block.cidr.address.family, effective_span(block));
  const std::vector<std::uint32_t> rank_of_place = std::move(ranks).take();

  // In the order of the file, which is that of memory: each except is a piece of its own.
  Claims claims;
  claims.reserve(blocks + blocks / 2);
  std::vector<std::uint32_t> network_of_rank(blocks);
  auto rank = rank_of_place.begin();
  for (const std::uint32_t network : networks) {
    for (const config::CidrBlock& block : model.egress_networks[network].networks) {
      claims.add({block.cidr, *rank, false});
      for (const Prefix& except : block.except) claims.add({except, *rank, true});
      network_of_rank[*rank++] = network;
    }
  }
  std::vector<PrefixTrie::Entry> winners = std::move(claims).resolve();
  for (PrefixTrie::Entry& winner : winners) {
    if (winner.value == PrefixTrie::none) continue;
    winner.value = network_of_rank[winner.value];
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
  if (own == none) return look(global_scope_, destination);
  const std::uint32_t network = look(own, destination);
  if (network != none || exclusive_) return network;
  return look(global_scope_, destination);
}

}  // namespace sallyport::classifier
