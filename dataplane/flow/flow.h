// One flow. What an established packet touches is one cache line, `Flow`; the rest lies apart (FlowTable):
//
//   Flow        64 B  every packet: key, state, translation, next hops, when it was last seen, counts
//   Addresses6  32 B  every packet of IPv6: the inside key's addresses
//   TcpTrack    28 B  every segment of TCP: what resets are measured against
//   FlowFacts   64 B  first and last packet: what its record says, its ties to the other tables
//   FlowExtras  64 B  what is kept of some flows only: what they say, what is held of them, their tunnel
//
// All but the extras have one number; memory of parts that a flow does not use is never touched, so it costs nothing.
// Extras are handed out to those who have something to keep there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

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
// For what may be left alone for weeks: since() is negative from the 24th day on, and would say that it is yet to come.
[[nodiscard]] constexpr bool is_within(Tick then, Tick now, std::int32_t ms) noexcept {
  return now - then < static_cast<Tick>(ms);
}

enum class Verdict : std::uint8_t {
  waiting,  // needs a name: the client's payload is held
  allowed,
  denied,
};

// Directions index counters and sequence numbers.
enum Direction : std::uint8_t { to_server = 0, to_client = 1 };
[[nodiscard]] constexpr Direction opposite(Direction d) noexcept { return d == to_server ? to_client : to_server; }

// Packets and bytes of one direction, 48 bits each: twelve bytes, so that both directions fit into the flow's line. 48
// bits of bytes are six hours of 100 Gbit/s; more is counted modulo. The bytes and the lower 16 bits of the packets are
// one word, so that one addition counts both; the bytes that come round count as a packet.
class FlowCount {
 public:
  [[nodiscard]] static FlowCount of(std::uint64_t packets, std::uint64_t bytes) noexcept {
    FlowCount count;
    count.put_low(packets << bytes_bits | (bytes & bytes_mask));
    count.words_[2] = static_cast<std::uint32_t>(packets >> (64 - bytes_bits));
    return count;
  }
  void add(std::uint32_t bytes) noexcept {
    const std::uint64_t more = one_packet + bytes;
    const std::uint64_t sum = low() + more;
    put_low(sum);
    words_[2] += sum < more ? 1 : 0;
  }
  [[nodiscard]] std::uint64_t packets() const noexcept {
    return std::uint64_t{words_[2]} << (64 - bytes_bits) | low() >> bytes_bits;
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return low() & bytes_mask; }

 private:
  static constexpr unsigned bytes_bits = 48;
  static constexpr std::uint64_t one_packet = std::uint64_t{1} << bytes_bits;
  static constexpr std::uint64_t bytes_mask = one_packet - 1;

  [[nodiscard]] std::uint64_t low() const noexcept {
    std::uint64_t word;
    std::memcpy(&word, words_.data(), sizeof word);
    return word;
  }
  void put_low(std::uint64_t word) noexcept { std::memcpy(words_.data(), &word, sizeof word); }

  std::array<std::uint32_t, 3> words_;  // no wider type: a Flow has room for twelve bytes
};

struct alignas(64) Flow {
  // The inside key (client -> server, before translation); all in network byte order. IPv6 addresses: Addresses6.
  std::uint32_t source4, destination4;
  std::uint16_t source_port, destination_port;
  IpProtocol protocol;
  Family family;

  Verdict verdict : 2;
  TcpState tcp : 4;
  std::uint8_t live : 2;  // 0: free; 1: in the index under the inside key; 2: under the outside key, too
  std::uint8_t flags;

  std::uint16_t nat_address;  // number in the AddressBook; 0: untranslated
  std::uint16_t nat_port;     // network byte order
  union {
    std::uint32_t nat_address4;  // IPv4: the egress address itself
    std::uint16_t delta6;        // IPv6: checksum change of the translation, to the server
  };
  std::array<std::uint16_t, 2> hops;  // numbers in the HopBook, by direction; 0: not known
  std::uint32_t epoch;                // of policy and routing; another one: ask again
  Tick last_seen;
  Tick last_packet;  // of either side, where that does not refresh last_seen
  std::array<FlowCount, 2> counts;

  enum Flag : std::uint8_t {
    observing = 1,   // allowed, but its first payload is looked at for a name
    recorded = 2,    // its record is written
    hairpin = 4,     // its server is an egress address of ours: what it is sent comes in again as from outside
    treated = 8,     // more is done to its packets than translation: see FlowFacts, treatment
    midstream = 16,  // picked up without a SYN
    following = 32,  // its requests are decided one by one, as long as it lives
    guarded = 64,    // allowed by what it has shown: TCP: until the server has that; QUIC: as long as it lives
    sealed = 128,    // TCP: nothing passes before first_byte until the server has that, and with `guarded` nothing
                     // at all until it answers; QUIC: no Initial passes
  };
  [[nodiscard]] bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
  static constexpr std::uint8_t listened_to = observing | following | guarded | sealed;
  // Allowed, but what its sides say still matters.
  [[nodiscard]] bool is_listened_to() const noexcept { return (flags & listened_to) != 0; }
  // Nothing about its packets wants thought but their translation.
  [[nodiscard]] bool is_plain() const noexcept { return !is_listened_to() && !has(treated); }
  void set(Flag flag) noexcept { flags = static_cast<std::uint8_t>(flags | flag); }
  void clear(Flag flag) noexcept { flags = static_cast<std::uint8_t>(flags & ~flag); }
  [[nodiscard]] bool is_tcp() const noexcept { return protocol == IpProtocol::tcp; }

  // Protocol, family, verdict, state and flags at once, for comparing.
  [[nodiscard]] std::uint32_t what() const noexcept {
    std::uint32_t word;
    std::memcpy(&word, reinterpret_cast<const std::uint8_t*>(this) + what_at, sizeof word);
    return word;
  }
  static constexpr std::size_t ports_at = 8, what_at = 12;
};
static_assert(sizeof(Flow) == 64);
static_assert(offsetof(Flow, source4) == 0 && offsetof(Flow, source_port) == Flow::ports_at);  // as on the wire
static_assert(offsetof(Flow, protocol) == Flow::what_at && offsetof(Flow, flags) == Flow::what_at + 3);

struct alignas(32) Addresses6 {
  std::array<std::uint8_t, 16> source;
  std::array<std::uint8_t, 16> destination;
};

// By the direction in which it was said, as far as it was forwarded. Numbers wrap, and zero is one like any other:
// which of them are known is told apart.
struct TcpTrack {
  std::uint32_t first_byte;               // sequence number of the client's first byte of payload
  std::array<std::uint32_t, 2> sent_end;  // the sequence number after the last byte, SYN and FIN included
  std::array<std::uint32_t, 2> acked;     // the highest acknowledgment
  std::array<std::uint16_t, 2> window;    // the last one offered, not scaled
  std::array<std::uint8_t, 2> window_shift;
  std::array<std::uint8_t, 2> known;  // Knows

  enum Knows : std::uint8_t { an_end = 1, an_acknowledgment = 2 };
  static constexpr std::uint8_t known_mask = an_end | an_acknowledgment;
  [[nodiscard]] bool knows(Direction d, Knows what) const noexcept { return (known[d] & what) != 0; }
  [[nodiscard]] bool ends_at(Direction d, std::uint32_t number) const noexcept {
    return sent_end[d] == number && knows(d, an_end);
  }
  void set_end(Direction d, std::uint32_t number) noexcept {
    sent_end[d] = number;
    known[d] = static_cast<std::uint8_t>(known[d] | an_end);
  }
  void set_acked(Direction d, std::uint32_t number) noexcept {
    acked[d] = number;
    known[d] = static_cast<std::uint8_t>(known[d] | an_acknowledgment);
  }
  void forget_acked(Direction d) noexcept { known[d] = static_cast<std::uint8_t>(known[d] & ~an_acknowledgment); }
};
static_assert(sizeof(TcpTrack) == 28);

// One direction of a conversation of DNS over TCP that is read for names.
struct DnsStream {
  std::uint32_t next;   // sequence number of the first byte not read yet: a message begins there
  std::uint8_t buffer;  // number of what is kept from there on (DnsStreams); 0: nothing
  bool begun;           // `next` is known
};

struct alignas(64) FlowFacts {
  std::uint64_t started;  // nanoseconds since the epoch
  classifier::Id rule, network, namespace_name, workload, egress;
  std::uint32_t generation;  // of the policy that decided last
  classifier::Reason reason;
  classifier::Layer layer;
  AppProtocol app;
  bool counts_port : 1;  // in the PortLoads, towards its server
  bool audited : 1;
  bool ech : 1;
  bool asks_name : 1;       // what it shows decides about it, or has decided
  bool unanswered : 1;      // TCP: no SYN-ACK yet, so that first_byte is the client's word alone
  bool reads_requests : 1;  // waiting: requests of plaintext HTTP decide
  bool upgraded : 1;        // was followed, until the server agreed to another protocol
  bool dns_begun : 1;       // its conversation is read
  bool dns_lost : 1;        // is out of step and read no further
  bool shared : 1;          // another gateway has heard of it, or this one from another
  bool goes_on : 1;         // its record said that it was over; the next one waits for its end
  bool uninvited : 1;       // TCP, from outside through a mapping: the client has said nothing yet, or resets alone
  // Denied: the client was told by a page, which may be repeated, or by frames of HTTP/2, which may not.
  enum class Told : std::uint8_t { no, by_page, by_frames } told : 2;
  std::uint8_t dscp;  // treatment: that its packets leave with; classifier::EgressTreatment::keep_dscp: their own

  std::uint16_t wheel_slot;
  std::uint32_t wheel_next, wheel_previous;
  std::uint32_t name;     // number in the NameBook; 0: none
  std::uint32_t sender;   // number in the SourceBook; 0: none
  std::uint32_t mapping;  // number of its endpoint-independent mapping; 0: none
  std::uint32_t extras;   // number of its FlowExtras; 0: none
};
static_assert(sizeof(FlowFacts) == 64);

struct FlowExtras {
  std::uint64_t judged;        // hash of what was let through: the QUIC connection; sealed TCP: its name. 0: none
  std::uint32_t inspection;    // number of its Inspection; 0: none
  std::uint32_t name_table;    // where a name is asked for: what decide_shown() wants
  std::uint32_t quic_version;  // UDP
  std::uint32_t follow;        // number of its RequestFollow; 0: none
  std::uint32_t method, url;   // numbers in the NameBook, of the latest request; 0: none
  std::uint32_t tunnel;        // treatment: number of the client's TunnelPeer; 0: it comes through no tunnel
  std::uint32_t meter;         // treatment: its egress's bandwidth, among those of the present policy, from 1; 0: none
  std::uint32_t domain;        // the domain by which network policies let it pass, NameBindings::mark(); 0: none
  std::uint32_t port_block;    // number of the PortBlock that its outside port lies in; 0: nobody counts
  std::array<DnsStream, 2> dns;  // by direction
};
static_assert(sizeof(FlowExtras) == 64);

using FlowNumber = std::uint32_t;  // 0: none

}  // namespace sallyport::dataplane
