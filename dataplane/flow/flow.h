// One flow: three cache lines, of which an established one touches the first two.
#pragma once

#include <array>
#include <cstdint>

#include "classifier/decision.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/tcp_state.h"
#include "dataplane/flow_record.h"

namespace sallyport::dataplane {

// Milliseconds, wrapping after 49 days; compared by difference only.
using Tick = std::uint32_t;
[[nodiscard]] constexpr std::int32_t since(Tick then, Tick now) noexcept {
  return static_cast<std::int32_t>(now - then);
}

enum class Verdict : std::uint8_t {
  waiting,  // needs a name: the client's payload is held
  allowed,
  denied,
};

// Directions index counters and sequence numbers.
enum Direction : std::uint8_t { to_server = 0, to_client = 1 };
[[nodiscard]] constexpr Direction opposite(Direction d) noexcept { return d == to_server ? to_client : to_server; }

struct alignas(64) Flow {
  // Line 0: to find it, to know what to do, to translate.
  FlowKey inside;             // client -> server, before translation
  std::uint16_t nat_port;     // network byte order
  std::uint32_t nat_address;  // number in the AddressBook; 0: untranslated
  Tick last_seen;
  std::uint32_t epoch;     // of policy and routing; another one: ask again
  std::uint16_t l4_delta;  // checksum change of the translation, to the server
  std::uint16_t l3_delta;
  std::array<std::uint16_t, 2> hops;  // numbers in the HopBook, by direction; 0: not known
  Verdict verdict;
  TcpState tcp;
  std::uint8_t flags;
  std::uint8_t live;

  // Line 1: what its record says.
  alignas(64) std::array<std::uint64_t, 2> packets;
  std::array<std::uint64_t, 2> bytes;
  std::uint64_t started;  // nanoseconds since the epoch
  classifier::Id rule, network, namespace_name, workload, egress;
  classifier::Reason reason;
  classifier::Layer layer;
  AppProtocol app;
  FlowEnd end;

  // Line 2: its ties to the tables, and what only TCP needs.
  alignas(64) std::uint32_t generation;  // of the policy that decided last
  std::uint32_t wheel_next, wheel_previous;
  std::uint32_t name;        // number in the NameBook; 0: none
  std::uint32_t inspection;  // number of its Inspection; 0: none
  std::uint32_t source;      // number in the SourceBook; 0: none
  std::uint32_t mapping;     // number of its endpoint-independent mapping; 0: none
  std::uint32_t name_table;  // waiting: what decide_shown() wants
  union {
    std::uint32_t quic_version;  // UDP
    std::uint32_t first_byte;    // TCP: the sequence number of the client's first byte of payload
  };
  Tick last_packet;  // of either side, where that does not refresh last_seen
  // TCP, by the direction in which it was said, as far as it was forwarded.
  std::array<std::uint32_t, 2> sent_end;  // the sequence number after the last byte, SYN and FIN included
  std::array<std::uint32_t, 2> acked;     // the highest acknowledgment
  std::array<std::uint16_t, 2> window;    // the last one offered, not scaled
  std::array<std::uint8_t, 2> window_shift;
  std::uint16_t wheel_slot;

  enum Flag : std::uint8_t {
    observing = 1,  // allowed, but its first payload is looked at for a name
    recorded = 2,   // its record is written
    audited = 4,
    ech = 8,
    midstream = 16,  // picked up without a SYN
  };
  [[nodiscard]] bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
  void set(Flag flag) noexcept { flags = static_cast<std::uint8_t>(flags | flag); }
  void clear(Flag flag) noexcept { flags = static_cast<std::uint8_t>(flags & ~flag); }
  [[nodiscard]] bool is_tcp() const noexcept { return inside.protocol == IpProtocol::tcp; }
};
static_assert(sizeof(Flow) == 192);

using FlowNumber = std::uint32_t;  // 0: none

}  // namespace sallyport::dataplane
