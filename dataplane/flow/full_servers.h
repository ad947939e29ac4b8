// Which (egress address, server) pairs had no port left a moment ago, and which egress addresses had none at all where
// a port is one inside endpoint's, so that a flood of new flows to one of them costs one search of all ports a tenth of
// a second, not one a packet. The same of the ports of one parity.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/mapping_book.h"
#include "dataplane/flow/port_choice.h"

namespace sallyport::dataplane {

class FullServers {
 public:
  // `low_apart`: 1-1023 and the others are searched apart, see map_port.cpp.
  FullServers(bool low_apart, const FlowTable& flows, const KeyHash& hash) noexcept
      : low_apart_(low_apart), flows_(flows), hash_(hash) {}

  [[nodiscard]] bool contains(const Flow& flow, Tick now) const noexcept { return contains(identity(flow), now); }
  void remember(const Flow& flow, Tick now) noexcept { remember(identity(flow), now); }
  // A port towards this server has come free.
  void forget(const Flow& flow) noexcept { forget(identity(flow)); }

  // Of a mapping that is wanted.
  [[nodiscard]] bool contains(const Endpoint& inside, std::uint32_t nat_address, Tick now) const noexcept {
    return contains(identity(inside, nat_address), now);
  }
  void remember(const Endpoint& inside, std::uint32_t nat_address, Tick now) noexcept {
    remember(identity(inside, nat_address), now);
  }
  // A mapping's port has come free.
  void forget(const Endpoint& inside, std::uint32_t nat_address) noexcept { forget(identity(inside, nat_address)); }

  // Had none of the parity of `port` left; `independent`: of a mapping that the flow wants.
  [[nodiscard]] bool lacks_parity(const Flow& flow, bool independent, std::uint16_t port, Tick now) const noexcept {
    return contains(of_parity(flow, independent, port), now);
  }
  void note_parity(const Flow& flow, bool independent, std::uint16_t port, Tick now) noexcept {
    remember(of_parity(flow, independent, port), now);
  }

 private:
  static constexpr std::int32_t memory_ms = 100;
  struct Entry {
    std::uint64_t id = 0;
    Tick when = 0;
  };
  // Every identity is odd, so that none is 0, which is nobody's.
  [[nodiscard]] std::size_t place_of(std::uint64_t id) const noexcept { return (id >> 1U) % entries_.size(); }
  [[nodiscard]] bool contains(std::uint64_t id, Tick now) const noexcept {
    const Entry& entry = entries_[place_of(id)];
    return entry.id == id && is_within(entry.when, now, memory_ms);
  }
  void remember(std::uint64_t id, Tick now) noexcept { entries_[place_of(id)] = {id, now}; }
  void forget(std::uint64_t id) noexcept {
    Entry& entry = entries_[place_of(id)];
    if (entry.id == id) entry.id = 0;
  }

  [[nodiscard]] std::uint16_t kind_of(IpProtocol protocol, std::uint16_t inside_port) const noexcept {
    if (!low_apart_ || FlowTable::is_echo(protocol)) return 0;
    return is_low_port(__builtin_bswap16(inside_port)) ? 1 : 0;
  }
  [[nodiscard]] std::uint64_t identity(const Flow& flow) const noexcept {
    FlowKey key = flows_.inside_key(flow);
    key.source = {};
    key.source_port = kind_of(key.protocol, key.source_port);
    return hash_(key, std::uint64_t{flow.nat_address} << 8U | 4U) | 1U;
  }
  [[nodiscard]] std::uint64_t identity(const Endpoint& inside, std::uint32_t nat_address) const noexcept {
    FlowKey key;
    key.family = inside.address.family;
    key.protocol = inside.protocol;
    key.source_port = kind_of(inside.protocol, inside.port);
    return hash_(key, std::uint64_t{nat_address} << 8U | 20U) | 1U;
  }

  [[nodiscard]] std::uint64_t of_parity(const Flow& flow, bool independent, std::uint16_t port) const noexcept {
    const Endpoint inside{flows_.source(flow), flow.source_port, flow.protocol};
    const std::uint64_t all = independent ? identity(inside, flow.nat_address) : identity(flow);
    return all ^ ((port & 1U) != 0 ? 4U : 2U);
  }

  const bool low_apart_;
  std::array<Entry, 256> entries_{};
  const FlowTable& flows_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
