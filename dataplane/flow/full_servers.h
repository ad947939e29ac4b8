// Which (egress address, server) pairs had no port left a moment ago, so that a flood of new connections to one of them
// costs one search of all ports a tenth of a second, not one a packet.
#pragma once

#include <array>
#include <cstdint>

#include "config/appliance_model.h"
#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/key_hash.h"

namespace sallyport::dataplane {

class FullServers {
 public:
  FullServers(const config::PortRange& range, const FlowTable& flows, const KeyHash& hash) noexcept
      : kinds_apart_(range.first == 1024 && range.last == 65535), flows_(flows), hash_(hash) {}

  [[nodiscard]] bool contains(const Flow& flow, Tick now) const noexcept {
    const std::uint64_t id = identity(flow);
    const Entry& entry = entries_[id % entries_.size()];
    return entry.id == id && since(entry.when, now) < memory_ms;
  }
  void remember(const Flow& flow, Tick now) noexcept {
    const std::uint64_t id = identity(flow);
    entries_[id % entries_.size()] = {id, now};
  }
  // A port towards this server has come free.
  void forget(const Flow& flow) noexcept {
    const std::uint64_t id = identity(flow);
    Entry& entry = entries_[id % entries_.size()];
    if (entry.id == id) entry.id = 0;
  }

 private:
  static constexpr std::int32_t memory_ms = 100;
  struct Entry {
    std::uint64_t id = 0;
    Tick when = 0;
  };
  [[nodiscard]] std::uint64_t identity(const Flow& flow) const noexcept {
    FlowKey key = flows_.inside_key(flow);
    key.source = {};
    const std::uint16_t port = __builtin_bswap16(key.source_port);
    key.source_port = kinds_apart_ && port != 0 && port < 1024 ? 1 : 0;
    return hash_(key, std::uint64_t{flow.nat_address} << 8U | 4U) | 1U;
  }

  const bool kinds_apart_;  // 1-1023 and the others are searched apart, see map_port.cpp
  std::array<Entry, 256> entries_{};
  const FlowTable& flows_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
