#include "classifier/opened_excepts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "classifier/element_keys.h"
#include "classifier/prefix_walk.h"
#include "classifier/rank_set.h"
#include "config/address.h"

namespace sallyport::classifier {

namespace {

// Blocks that are asked together, each by its place in the list.
using Blocks = std::vector<const config::CidrBlock*>;

// An except and the block that opens the first part of it.
struct Opened {
  std::size_t block = 0;
  std::size_t except = 0;
  std::size_t opener = 0;
  Prefix part;
};

// Walks the prefixes of a list: where an except is open and some block holds what is visited, the except is opened by
// it. (The block of an open except never holds it.) Every except is told once, so the walk stays as long as the list.
class OpenedVisitor {
 public:
  explicit OpenedVisitor(const Blocks& blocks) : states_(blocks.size()), holding_(blocks.size()) {
    for (std::size_t block = 0; block < blocks.size(); ++block) {
      add(block, no_except, blocks[block]->cidr);
      for (std::size_t i = 0; i < blocks[block]->except.size(); ++i) add(block, i, blocks[block]->except[i]);
    }
  }

  [[nodiscard]] std::vector<Opened> find() {
    std::move(walk_).walk(*this);
    return std::move(opened_);
  }

  void enter(std::uint32_t tag) {
    change(tag, 1);
    if (items_[tag].except != no_except) unopened_.push_back(tag);
  }
  void leave(std::uint32_t tag) {
    change(tag, -1);
    if (!unopened_.empty() && unopened_.back() == tag) unopened_.pop_back();
  }
  void visit(const Prefix& prefix) {
    if (unopened_.empty()) return;
    const std::uint32_t opener = holding_.lowest();
    if (opener == RankSet::none) return;
    for (const std::uint32_t tag : unopened_)
      opened_.push_back({items_[tag].block, items_[tag].except, opener, prefix});
    unopened_.clear();
  }

 private:
  static constexpr std::size_t no_except = SIZE_MAX;
  struct Item {
    std::size_t block = 0;
    std::size_t except = no_except;
  };
  struct State {
    std::int32_t cidrs = 0;
    std::int32_t excepts = 0;
    [[nodiscard]] bool holds() const noexcept { return cidrs > 0 && excepts == 0; }
  };

  void add(std::size_t block, std::size_t except, const Prefix& prefix) {
    walk_.add(prefix, static_cast<std::uint32_t>(items_.size()));
    items_.push_back({block, except});
  }

  void change(std::uint32_t tag, std::int32_t by) {
    const Item& item = items_[tag];
    State& state = states_[item.block];
    const bool held = state.holds();
    (item.except == no_except ? state.cidrs : state.excepts) += by;
    if (held == state.holds()) return;
    if (held)
      holding_.erase(static_cast<std::uint32_t>(item.block));
    else
      holding_.insert(static_cast<std::uint32_t>(item.block));
  }

  PrefixWalk walk_;
  std::vector<Item> items_;
  std::vector<State> states_;  // by block
  RankSet holding_;
  std::vector<std::uint32_t> unopened_;  // excepts that are open in the walk, the innermost last
  std::vector<Opened> opened_;
};

constexpr std::size_t longest_list = 50'000;
constexpr std::size_t most_told = 20;

// Is there something to look for in this list?
bool may_open(const Blocks& blocks) {
  std::size_t entries = blocks.size();
  for (const config::CidrBlock* block : blocks) entries += block->except.size();
  return blocks.size() > 1 && entries > blocks.size() && entries <= longest_list;
}

// `key(place)` says where a block of the list stands.
template <typename KeyOf>
void warn(const Blocks& blocks, KeyOf key, config::Diagnostics& diagnostics) {
  if (!may_open(blocks)) return;
  std::vector<Opened> found = OpenedVisitor(blocks).find();
  std::sort(found.begin(), found.end(),
            [](const Opened& a, const Opened& b) { return std::tie(a.block, a.except) < std::tie(b.block, b.except); });
  for (std::size_t i = 0; i < std::min(found.size(), most_told); ++i) {
    const Opened& opened = found[i];
    const config::CidrBlock& block = *blocks[opened.block];
    const Prefix& except = block.except[opened.except];
    const std::string part = opened.part == except ? "it" : to_string(opened.part) + " of it";
    diagnostics.warning(block.at, fmt::format("{}.except[{}]", key(opened.block), opened.except),
                        fmt::format("{} is left out here only: {}, line {}, opens {} again", to_string(except),
                                    key(opened.opener), blocks[opened.opener]->at.line, part));
  }
  if (found.size() <= most_told) return;
  const Opened& next = found[most_told];
  diagnostics.warning(blocks[next.block]->at, fmt::format("{}.except[{}]", key(next.block), next.except),
                      fmt::format("{} more excepts from here on are opened again", found.size() - most_told));
}

void warn_within_networks(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  const ElementKeys keys("egress_network", model.egress_networks);
  for (std::size_t network = 0; network < model.egress_networks.size(); ++network) {
    Blocks blocks;
    for (const config::CidrBlock& block : model.egress_networks[network].networks) blocks.push_back(&block);
    warn(
        blocks, [&](std::size_t i) { return fmt::format("{}.networks[{}]", keys[network], i); }, diagnostics);
  }
}

// What makes two rules speak of the same ports.
using PortKey = std::vector<std::tuple<config::Protocol, std::uint16_t, std::uint16_t>>;

PortKey ports_of(const config::NetworkPolicyRule& rule) {
  PortKey ports;
  for (const config::PortRule& port : rule.ports)
    ports.emplace_back(port.protocol, port.port.value_or(0), port.end_port.value_or(port.port.value_or(UINT16_MAX)));
  std::sort(ports.begin(), ports.end());
  return ports;
}

// The blocks of rules for the same ports, and their places.
struct Standing {
  Blocks blocks;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // of the rule and of the peer in it
};

std::map<PortKey, Standing> blocks_by_ports(const config::NetworkPolicy& policy) {
  std::map<PortKey, Standing> by_ports;
  for (std::size_t rule = 0; rule < policy.egress.size(); ++rule) {
    Standing& standing = by_ports[ports_of(policy.egress[rule])];
    const std::vector<config::Peer>& peers = policy.egress[rule].to;
    for (std::size_t peer = 0; peer < peers.size(); ++peer)
      if (const auto* block = std::get_if<config::IpBlockPeer>(&peers[peer].is)) {
        standing.blocks.push_back(&block->block);
        standing.places.emplace_back(rule, peer);
      }
  }
  return by_ports;
}

void warn_within_policies(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  const ElementKeys keys("network_policy", model.network_policies);
  for (std::size_t policy = 0; policy < model.network_policies.size(); ++policy)
    for (const auto& [ports, standing] : blocks_by_ports(model.network_policies[policy])) {
      const auto key = [&keys, policy, &places = standing.places](std::size_t i) {
        return fmt::format("{}.egress[{}].to[{}].ip_block", keys[policy], places[i].first, places[i].second);
      };
      warn(standing.blocks, key, diagnostics);
    }
}

}  // namespace

void warn_of_opened_excepts(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  warn_within_networks(model, diagnostics);
  warn_within_policies(model, diagnostics);
}

}  // namespace sallyport::classifier
