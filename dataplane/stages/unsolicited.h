// SYNs from outside that belong to no flow, where [nat] unsolicited = "icmp" (RFC 5382 REQ-4): each waits for six
// seconds, since the client's own SYN may be on its way (a simultaneous open); then its sender is told that nobody
// listens. A sender has a quarter of the room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/flow/flow.h"
#include "dataplane/packet.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {

struct Core;

// In the order of their coming, which is that of their ends.
class UnsolicitedSyns {
 public:
  static constexpr std::int32_t patience_ms = 6'000;
  static constexpr std::size_t capacity = 256;
  static constexpr std::size_t of_a_sender_max = capacity / 4;
  struct Entry {
    Packet packet;
    Parsed parsed;
    Tick since = 0;
  };

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  // Not for the repetition of a SYN that waits.
  [[nodiscard]] bool has_room(const FlowKey& key) const noexcept {
    std::size_t of_the_sender = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const FlowKey& waiting = entries_[(first_ + i) % capacity].parsed.key;
      if (waiting == key) return false;
      if (waiting.source_address() == key.source_address()) ++of_the_sender;
    }
    return count_ < capacity && of_the_sender < of_a_sender_max;
  }
  void add(const Packet& packet, const Parsed& parsed, Tick now) noexcept {
    entries_[(first_ + count_++) % capacity] = {packet, parsed, now};
  }
  [[nodiscard]] Entry& oldest() noexcept { return entries_[first_]; }
  void remove_oldest() noexcept {
    first_ = (first_ + 1) % capacity;
    --count_;
  }

 private:
  std::array<Entry, capacity> entries_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

// A packet from outside that opened no flow: it ends as `why`, or waits.
void take_unsolicited(Core& core, Packet& packet, const Parsed& parsed, Drop why) noexcept;
// Those that have waited long enough.
void answer_unsolicited(Core& core) noexcept;
// All of them, without an answer: the gateway ends.
void end_unsolicited(Core& core) noexcept;

}  // namespace sallyport::dataplane
