// Packets that wait for a next hop's MAC address (nat.md 27: at most 8 a neighbour, none lost while it answers). A
// sender may have the gateway ask for a quarter of as many neighbours as may be waited for: who searches a network for
// hosts that are not there leaves the others room.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/flow/flow.h"
#include "dataplane/packet.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

class NeighbourQueue {
 public:
  static constexpr std::size_t neighbours_max = 256;
  static constexpr std::ptrdiff_t neighbours_a_sender_max = neighbours_max / 4;
  static constexpr std::size_t packets_max = 8;
  static constexpr std::int32_t timeout_ms = 3000;  // the kernel asks three times, a second apart (RFC 4861 section 10)

  struct Entry {
    IpAddress next_hop;
    IpAddress sender;  // the first one's
    PortIndex port = no_port;
    Tick since = 0;
    std::size_t count = 0;
    std::array<Packet, packets_max> packets;
  };
  enum class Result : std::uint8_t { waits, first, full };

  // `first`: it waits, and nobody has asked for this neighbour yet.
  [[nodiscard]] Result add(const Hop& hop, const Packet& packet, const IpAddress& sender, Tick now) noexcept {
    Entry* entry = find(hop.port, hop.next_hop);
    const bool fresh = entry == nullptr;
    if (fresh) entry = begin(hop, sender, now);
    if (entry == nullptr || entry->count == packets_max) return Result::full;
    entry->packets[entry->count++] = packet;
    return fresh ? Result::first : Result::waits;
  }
  [[nodiscard]] bool empty() const noexcept { return used_ == 0; }
  // `visit(entry)` answers whether the entry is done with; it has taken the packets then.
  template <typename Visit>
  void each(const Visit& visit) noexcept {
    for (std::size_t i = 0; i < used_;) {
      if (visit(entries_[i])) {
        entries_[i] = entries_[--used_];
      } else {
        ++i;
      }
    }
  }

 private:
  Entry* find(PortIndex port, const IpAddress& next_hop) noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
      if (entries_[i].port == port && entries_[i].next_hop == next_hop) return &entries_[i];
    }
    return nullptr;
  }
  Entry* begin(const Hop& hop, const IpAddress& sender, Tick now) noexcept {
    const auto all = std::span(entries_).first(used_);
    const auto own = std::count_if(all.begin(), all.end(), [&](const Entry& e) { return e.sender == sender; });
    if (used_ == neighbours_max || own == neighbours_a_sender_max) return nullptr;
    Entry& entry = entries_[used_++];
    entry.next_hop = hop.next_hop;
    entry.sender = sender;
    entry.port = hop.port;
    entry.since = now;
    entry.count = 0;
    return &entry;
  }

  std::array<Entry, neighbours_max> entries_;
  std::size_t used_ = 0;
};

}  // namespace sallyport::dataplane
