// What a rule allows, as a space of destinations times ports, out of which pieces can be cut.
//
// Calico's rules are asked in order and may deny; ours only allow, in any order. A rule that allows A, behind one that
// denies D, allows A without D. With destinations and ports apart that is
//
//   (A.to without D.to, A.ports)  and  (A.to, A.ports without D.ports)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "config/import/cluster.h"
#include "config/policy_model.h"

namespace sallyport::config {

// Ports of every protocol, rising and apart from each other.
class PortSpace {
 public:
  using Range = std::pair<std::uint16_t, std::uint16_t>;

  [[nodiscard]] static PortSpace everything();
  void add(Protocol protocol, Range range);
  void add(Protocol protocol) { add(protocol, {0, 65535}); }

  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] PortSpace without(const PortSpace& other) const;
  // As a policy writes them; none for everything.
  [[nodiscard]] std::vector<PortRule> rules(Location at) const;

  friend bool operator==(const PortSpace&, const PortSpace&) = default;

 private:
  static constexpr std::size_t protocols = 4;
  std::array<std::vector<Range>, protocols> ranges_;
};

struct Allowed {
  bool anywhere = false;
  std::vector<Peer> to;
  PortSpace ports;
};

struct Denied {
  bool anywhere = false;
  std::vector<Prefix> to;
  PortSpace ports;
};

// What a set or pods are in addresses; peers that are neither are answered as they are.
struct PeerAddresses {
  const PolicyModel& model;
  const Cluster& cluster;
  const std::string& policy_namespace;

  [[nodiscard]] std::vector<Prefix> of(const Peer& peer) const;
};

// Of an allowed name, addresses that nobody knows here: cut() leaves it out.
[[nodiscard]] bool may_take_names(const Denied& denied, const Allowed& allowed);

// At most two parts. A peer out of which a part is cut becomes blocks.
[[nodiscard]] std::vector<Allowed> cut(const Allowed& allowed, const Denied& denied, const PeerAddresses& addresses,
                                       Location at);

}  // namespace sallyport::config
