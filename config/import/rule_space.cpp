#include "config/import/rule_space.h"

#include <algorithm>

#include "config/import/named_ports.h"

namespace sallyport::config {
namespace {

using Range = PortSpace::Range;

constexpr std::uint16_t lowest = 0;
constexpr std::uint16_t highest = 65535;

std::vector<Range> subtract(const std::vector<Range>& from, const Range& hole) {
  std::vector<Range> left;
  for (const Range& range : from) {
    if (hole.second < range.first || range.second < hole.first) {
      left.push_back(range);
      continue;
    }
    if (range.first < hole.first) left.emplace_back(range.first, static_cast<std::uint16_t>(hole.first - 1));
    if (hole.second < range.second) left.emplace_back(static_cast<std::uint16_t>(hole.second + 1), range.second);
  }
  return left;
}

bool is_by_name(const Peer& peer) noexcept { return std::holds_alternative<DomainsPeer>(peer.is); }

bool overlap(const Prefix& a, const Prefix& b) noexcept { return a.contains(b) || b.contains(a); }

// Destinations out of which holes are cut.
class Cutter {
 public:
  Cutter(const std::vector<Prefix>& holes, Location at) : holes_(holes), at_(at) {}

  void add(const CidrBlock& block) {
    CidrBlock left = block;
    for (const Prefix& hole : holes_) {
      if (!overlap(hole, block.cidr)) continue;
      const bool known = std::any_of(left.except.begin(), left.except.end(),
                                     [&](const Prefix& except) { return except.contains(hole); });
      changed_ = changed_ || !known;
      if (hole.contains(block.cidr)) return;  // nothing is left
      if (!known) left.except.push_back(hole);
    }
    left_.emplace_back();
    left_.back().is = IpBlockPeer{std::move(left)};
    left_.back().at = at_;
  }

  // Which addresses a name is bound to is not known, and so not whether a hole is among them: nothing of it is left.
  void leave_out() { changed_ = true; }

  void add(const Peer& peer, const std::vector<Prefix>& addresses) {
    const bool touched = std::any_of(addresses.begin(), addresses.end(), [&](const Prefix& address) {
      return std::any_of(holes_.begin(), holes_.end(), [&](const Prefix& hole) { return overlap(address, hole); });
    });
    if (!touched) {
      left_.push_back(peer);
      return;
    }
    for (const Prefix& address : addresses) add(CidrBlock{address, {}, at_});
  }

  [[nodiscard]] bool changed() const noexcept { return changed_; }
  std::vector<Peer> take() { return std::move(left_); }

 private:
  const std::vector<Prefix>& holes_;
  Location at_;
  std::vector<Peer> left_;
  bool changed_ = false;
};

}  // namespace

PortSpace PortSpace::everything() {
  PortSpace space;
  for (auto& ranges : space.ranges_) ranges.emplace_back(lowest, highest);
  return space;
}

void PortSpace::add(Protocol protocol, Range range) {
  auto& ranges = ranges_[static_cast<std::size_t>(protocol)];
  ranges = subtract(ranges, range);
  ranges.insert(std::upper_bound(ranges.begin(), ranges.end(), range), range);
}

bool PortSpace::empty() const noexcept {
  return std::all_of(ranges_.begin(), ranges_.end(), [](const auto& ranges) { return ranges.empty(); });
}

PortSpace PortSpace::without(const PortSpace& other) const {
  PortSpace left = *this;
  for (std::size_t i = 0; i < protocols; ++i) {
    for (const Range& hole : other.ranges_[i]) left.ranges_[i] = subtract(left.ranges_[i], hole);
  }
  return left;
}

std::vector<PortRule> PortSpace::rules(Location at) const {
  std::vector<PortRule> rules;
  if (*this == everything()) return rules;
  for (std::size_t i = 0; i < protocols; ++i) {
    for (const auto& [first, last] : ranges_[i]) {
      PortRule rule{static_cast<Protocol>(i), std::nullopt, std::nullopt, at};
      const bool all = first == lowest && last == highest;
      const std::uint16_t from = std::max<std::uint16_t>(first, 1);  // no flow goes to port 0
      if (!all && last == lowest) continue;
      if (!all) rule.port = from;
      if (!all && last > from) rule.end_port = last;
      rules.push_back(rule);
    }
  }
  return rules;
}

std::vector<Prefix> PeerAddresses::of(const Peer& peer) const {
  std::vector<Prefix> found;
  if (const auto* block = std::get_if<IpBlockPeer>(&peer.is)) found.push_back(block->block.cidr);
  if (const auto* set = std::get_if<NetworkSetPeer>(&peer.is)) {
    for (const NetworkSet& each : model.network_sets) {
      const bool in_reach = each.namespace_name.empty() || each.namespace_name == policy_namespace;
      if (!in_reach || !selects(set->selector, each.labels)) continue;
      for (const LocatedPrefix& net : each.nets) found.push_back(net.prefix);
    }
  }
  for (const Pod& pod : cluster.pods) {
    if (selects_pod(peer, policy_namespace, pod, cluster))
      found.insert(found.end(), pod.addresses.begin(), pod.addresses.end());
  }
  return found;
}

bool may_take_names(const Denied& denied, const Allowed& allowed) {
  return !denied.anywhere && !denied.to.empty() && std::any_of(allowed.to.begin(), allowed.to.end(), is_by_name) &&
         allowed.ports.without(denied.ports) != allowed.ports;
}

std::vector<Allowed> cut(const Allowed& allowed, const Denied& denied, const PeerAddresses& addresses, Location at) {
  const PortSpace other_ports = allowed.ports.without(denied.ports);
  if (other_ports == allowed.ports) return {allowed};
  Cutter cutter(denied.to, at);
  if (allowed.anywhere) {
    for (const char* everything : {"0.0.0.0/0", "::/0"}) cutter.add({parse_prefix(everything)->prefix, {}, at});
  }
  for (const Peer& peer : allowed.to) {
    const auto* block = std::get_if<IpBlockPeer>(&peer.is);
    if (block != nullptr) {
      cutter.add(block->block);
    } else if (is_by_name(peer) && !denied.to.empty()) {
      cutter.leave_out();
    } else {
      cutter.add(peer, addresses.of(peer));
    }
  }
  if (!denied.anywhere && !cutter.changed()) return {allowed};
  std::vector<Allowed> parts;
  std::vector<Peer> elsewhere = cutter.take();
  if (!denied.anywhere && !elsewhere.empty()) parts.push_back({false, std::move(elsewhere), allowed.ports});
  if (!other_ports.empty()) parts.push_back({allowed.anywhere, allowed.to, other_ports});
  return parts;
}

}  // namespace sallyport::config
