// Everything one worker's pipeline owns, and the present call's arguments. The stages are functions over it.
#pragma once

#include <array>
#include <cstdint>

#include "classifier/names/hpack.h"
#include "classifier/names/quic_initial.h"
#include "dataplane/counters.h"
#include "dataplane/flow/address_load.h"
#include "dataplane/flow/books.h"
#include "dataplane/flow/change_book.h"
#include "dataplane/flow/contact_book.h"
#include "dataplane/flow/dns_book.h"
#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/full_servers.h"
#include "dataplane/flow/held_payload.h"
#include "dataplane/flow/mapping_book.h"
#include "dataplane/flow/name_bindings.h"
#include "dataplane/flow/port_choice.h"
#include "dataplane/flow/port_load.h"
#include "dataplane/flow/request_follow.h"
#include "dataplane/flow/shadow_book.h"
#include "dataplane/flow/source_book.h"
#include "dataplane/flow/source_ports.h"
#include "dataplane/flow/timer_wheel.h"
#include "dataplane/flow/tunnel_book.h"
#include "dataplane/opening_budget.h"
#include "dataplane/pipeline.h"
#include "dataplane/rule_counters.h"
#include "dataplane/stages/identify.h"
#include "dataplane/stages/neighbours.h"
#include "dataplane/stages/parse.h"
#include "dataplane/stages/reassemble.h"
#include "dataplane/stages/unsolicited.h"
#include "dataplane/world.h"

namespace sallyport::dataplane {

// So many a second and no more; for what the gateway says of its own (RFC 1812 section 4.3.2.8).
class RateLimit {
 public:
  explicit RateLimit(std::uint32_t per_second) noexcept : per_second_(per_second) {}
  [[nodiscard]] bool admit(Tick now) noexcept {
    // Unsigned: it may be weeks since the last one.
    if (now - since_ >= 1000) {
      since_ = now;
      used_ = 0;
    }
    return used_++ < per_second_;
  }

 private:
  std::uint32_t per_second_;
  std::uint32_t used_ = 0;
  Tick since_ = 0;
};

// Packets that come in again within the same call: see stages/hairpin.h.
class AgainQueue {
 public:
  [[nodiscard]] bool add(const Packet& packet) noexcept {
    if (count_ == packets_.size()) return false;
    packets_[count_++] = packet;
    return true;
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  // Each in its turn, those that come meanwhile as well.
  template <typename Take>
  void drain(const Take& take) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      Packet packet = packets_[i];
      take(packet);
    }
    count_ = 0;
  }

 private:
  std::array<Packet, 256> packets_;
  std::size_t count_ = 0;
};

struct Core {
  Core(const PipelineSettings& settings, World& world);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  const PipelineSettings settings;
  World& world;
  Counters counters;
  RuleCounters rules;
  Random random;
  const KeyHash hash;
  AddressBook addresses;
  FlowTable flows;
  ShadowBook shadow;
  TimerWheel wheel;
  MappingBook mappings;
  ContactBook contacts;
  TunnelBook tunnel_peers;
  SourceBook sources;
  SourcePorts source_ports;
  const PortKinds ports;
  FullServers full_servers;
  PortLoads port_loads;
  AddressLoads address_loads;
  UsedPorts used_ports;
  HopBook hops;
  NameBook names;
  HeldPayload held;
  Slots<RequestFollow> follows;
  Shares follow_shares;
  Shares hpack_shares;   // bytes of header tables
  Shares denied_shares;  // flows that are remembered to be denied
  SaidBook said;
  std::unique_ptr<classifier::names::HpackMemory, classifier::names::HpackMemoryDeleter> hpack;
  // Of the head that is read; of one of HTTP/2 their text is apart.
  std::array<classifier::names::HeaderField, classifier::names::header_fields_max> fields{};
  Block<char> field_text;
  DnsBook dns;
  Reassembler fragments;
  NeighbourQueue neighbours;
  UnsolicitedSyns unsolicited;
  AgainQueue again;
  ChangeBook changes;
  OpeningBudget openings;
  SharedRateLimit icmp_limit{1000};
  RateLimit exhaustion_limit{10};
  PortSlice identifiers;
  std::unique_ptr<classifier::names::QuicKeys, classifier::names::QuicKeysDeleter> quic_keys;
  Block<std::uint8_t> scratch;    // a gathered hello
  Block<QuicState> quic_scratch;  // a first Initial is read here
  Identifications identifications;

  // The present call.
  std::array<TunnelPeer, burst_max> arrived_from;  // of the burst's packets, see Packet::tunnel
  Instant now = 0;
  Tick tick = 0;
  const Snapshot* snapshot = nullptr;
  std::uint32_t epoch = 0;  // counts the changes of policy and routing that were seen
  std::uint32_t policy_seen = 0;
  std::uint32_t routing_seen = 0;
  bool started = false;
  bool forwards = true;                    // it is this box's turn: what is sent goes out
  const std::int32_t shortest_timeout_ms;  // no flow that was seen since is over

  void begin(Instant time, const Snapshot& present) noexcept;

  [[nodiscard]] const classifier::Policy* policy() const noexcept { return snapshot->policy.get(); }
  [[nodiscard]] const Routing& routing() const noexcept { return *snapshot->routing; }
  [[nodiscard]] classifier::MatchScratch& match_scratch() const noexcept {
    return *(*snapshot->scratches)[settings.worker];
  }
  [[nodiscard]] const PortSettings& port(PortIndex index) const noexcept { return settings.ports[index]; }
  [[nodiscard]] ParseRules parse_rules(PortIndex index) const noexcept {
    return {port(index).any_vlan, port(index).vlan, settings.verify_ip_checksum};
  }

  // What was inside a tunnel has no tag, whatever those of the port are (RFC 7348 section 6.1).
  [[nodiscard]] ParseRules parse_rules_in_tunnel() const noexcept { return {false, {}, settings.verify_ip_checksum}; }
  [[nodiscard]] ParseRules parse_rules(const Packet& packet) const noexcept {
    return packet.tunnel == 0 ? parse_rules(packet.port) : parse_rules_in_tunnel();
  }

  // Where what a flow's client has of scarce memory is counted.
  [[nodiscard]] SharePlace place_of(const IpAddress& sender) const noexcept {
    constexpr std::uint64_t domain = 19;
    return Shares::place_of(hash(sender, domain));
  }
  [[nodiscard]] SharePlace place_of(const Flow& flow) const noexcept { return place_of(flows.source(flow)); }
  // 0: no room.
  [[nodiscard]] std::uint32_t begin_inspection(const Flow& flow) noexcept { return held.begin(tick, place_of(flow)); }
  // Its packets do not wait.
  void end_inspection(const Flow& flow) noexcept {
    if (flows.extras(flow).inspection == 0) return;
    held.end(flows.extras(flow).inspection);
    flows.own_extras(flow).inspection = 0;
  }

  void count_received(PortIndex in, std::span<const Packet> packets) noexcept;

  // ---- the ends of a packet ----
  void drop(Packet& packet, Drop why) noexcept {
    counters.drops[static_cast<std::size_t>(why)].add(packet.weight);
    release(packet, static_cast<std::uint8_t>(why));
  }
  // Gives the buffer back without counting.
  void release(Packet& packet) noexcept { release(packet, packet.ended_by); }
  // On the wire with the next flush. Takes a World's packet; `weight` was received for it.
  void transmit(PortIndex out, const Packet& packet, std::uint16_t weight) noexcept {
    transmit(out, packet, packet.length, weight);
  }
  // As the first so many bytes of it.
  void transmit(PortIndex out, const Packet& packet, std::uint32_t length, std::uint16_t weight) noexcept {
    Queue& queue = outgoing_[out];
    const std::size_t at = queue.count;  // read once: a packet's bytes might be the count's, for all the compiler knows
    Packet& place = queue.packets[at];
    place = packet;
    place.length = length;  // not before: the copy would wait for it
    place.weight = weight;
    queue.count = at + 1;
    if (at + 1 == queue_max) flush_port(out);
  }
  void flush() noexcept;
  void to_kernel(Packet& packet) noexcept;

 private:
  void release(Packet& packet, std::uint8_t ended_by) noexcept;
  static constexpr std::size_t queue_max = 64;
  struct Queue {
    std::array<Packet, queue_max> packets;
    std::size_t count = 0;
  };
  void flush_port(PortIndex out) noexcept;
  std::array<Queue, ports_max> outgoing_;
  Queue released_;
};

}  // namespace sallyport::dataplane
