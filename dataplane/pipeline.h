// The packet's way, from a port to its end. Start reading here; docs/life-of-a-packet.md tells the same as a story.
//
//   from inside:  parse -> find flow -> (new or undecided? source, policy, name) -> translate -> forward
//   from outside: parse -> find flow -> translate back -> forward
//
// One pipeline is one worker's: it owns its flows, ports, timers and counters, shares nothing, takes all its memory
// when it is made and never allocates, throws or logs afterwards. Time and input are arguments, randomness comes from
// the seed, so the same calls give the same packets: replay, the tests and the fuzzers run exactly this.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "classifier/address_pool.h"
#include "config/appliance_model.h"
#include "dataplane/counters.h"
#include "dataplane/flow/address_load.h"
#include "dataplane/flow/saved_flow.h"
#include "dataplane/flow_record.h"
#include "dataplane/packet.h"
#include "dataplane/port_settings.h"
#include "dataplane/routing.h"
#include "dataplane/snapshot.h"
#include "dataplane/tap/sight.h"
#include "dataplane/world.h"

namespace sallyport::dataplane {

// Nanoseconds since the epoch; never runs back.
using Instant = std::uint64_t;

struct PipelineSettings {
  std::vector<PortSettings> ports;
  std::vector<Prefix> inside_networks;  // of the inside ports; source_check takes their senders for good
  config::Limits limits;                // for this worker: its share
  config::Timeouts timeouts;
  config::NatConfig nat;
  classifier::PoolKey pool_key{};
  std::uint32_t worker = 0;          // this worker's slice of the external ports is number `worker`
  std::uint32_t workers = 1;         // of so many
  std::uint64_t seed = 0;            // of the hash key and of port choice
  bool shadow = false;               // a shadow policy may be published: take the memory for its verdicts
  bool tunnels = false;              // snapshots carry Tunnels: take the memory for their peers
  bool translation_records = false;  // also a record for each translation that begins
  bool exhaustion_records = false;   // and for want of a port, at most ten a second
  bool replicates = false;           // another gateway is to hear of its flows: take the memory for what is told
  bool verify_ip_checksum = true;
  bool unsegmented = false;  // replay: frames captured before segmentation pass over the MTU as they came
  bool kernel = true;        // there is a kernel behind the ports; without one its packets end as martians and not_ip
  bool records_at_end = false;  // replay: a flow's record waits for its last packet; else it is written a second after
                                // both sides have closed
  std::uint32_t held_packets = 0;  // at most so many packets held at once; 0: as many as held_bytes makes sensible
};

// A flow's translation, for replay: how a server would address the answer.
struct Translation {
  IpAddress address;
  std::uint16_t port = 0;  // network byte order
};

class RuleCounters;
struct PortLoad;

// Bytes that a pipeline took when it was made.
struct PipelineMemory {
  std::size_t flows = 0;  // the flow table and what is kept beside a flow
  std::size_t held = 0;   // payload that waits for a verdict
  std::size_t other = 0;  // fragments, next hops, DNS conversations, addresses

  [[nodiscard]] std::size_t sum() const noexcept { return flows + held + other; }
};

class Pipeline {
 public:
  // Throws std::bad_alloc where the memory is not to be had. `world` outlives the pipeline.
  Pipeline(const PipelineSettings& settings, World& world);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // A burst that came in on `port`, at most 64 packets. Takes them all: each is transmitted, held, or ends under a
  // name.
  void process(PortIndex port, std::span<Packet> burst, Instant now, const Snapshot& snapshot) noexcept;
  // Packets wait for this worker, or do so no more: new flows may take a part of its time alone (opening_budget.h).
  void set_strained(bool strained) noexcept;
  // Everything that time brings: timeouts, waiting neighbours. To be called often (every millisecond or with each
  // burst); costs nothing while nothing expires.
  void advance(Instant now, const Snapshot& snapshot) noexcept;
  // The end: what is undecided is closed as at its timeout, what is held ends, every living flow is recorded.
  void finish(Instant now, const Snapshot& snapshot) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept;
  [[nodiscard]] const RuleCounters& rules() const noexcept;
  // Of this worker's ports, those that are nearest to their end; nat.md 7.
  [[nodiscard]] const PortLoad& fullest_server() const noexcept;
  [[nodiscard]] const PortLoad& fullest_address() const noexcept;
  // Of each egress address in use, as many as there is room for; how many.
  [[nodiscard]] std::size_t address_loads(std::span<AddressLoad> out) const noexcept;
  [[nodiscard]] PipelineMemory memory() const noexcept;

  // The flow of an inside key (client -> server), for replay: its translation, or the key's own source if untranslated.
  [[nodiscard]] std::optional<Translation> translation(const FlowKey& inside) const noexcept;
  // For callers that know what comes: fetches from memory what the flow of this inside key will need; first the index's
  // part, and when that is there the flow's.
  enum class Foresight : std::uint8_t { index, flow };
  void foresee(const FlowKey& inside, Foresight what) const noexcept;
  // Living flows from table position `from` on, into `out`; answers how many and moves `from` on (to the end:
  // SIZE_MAX). Looks at no more than 4096 positions a call.
  [[nodiscard]] std::size_t list_flows(std::size_t& from, std::span<FlowRecord> out) const noexcept;

  // For those who look on (tap/tap_point.h): what the packet is, which flow it is of, what is known of that. Changes
  // nothing. `port` is where it came in, or leaves by.
  [[nodiscard]] Sight look_at(PortIndex port, const Packet& packet, Seen seen, const Snapshot& snapshot) const noexcept;
  void find_flow(PortIndex port, const Packet& packet, Seen seen, Sight& sight) const noexcept;
  [[nodiscard]] FlowRecord record(FlowNumber flow) const noexcept;

  // Survival (stages/survive.h), between two bursts, once advance() was called: what is to outlive the process, in
  // chunks as list_flows(), and back into the tables of another one.
  [[nodiscard]] std::size_t save_flows(std::size_t& from, std::span<SavedFlow> out) const noexcept;
  [[nodiscard]] std::size_t save_resting(std::size_t& from, std::span<SavedRest> out) const noexcept;
  [[nodiscard]] TakenBack take_back(const SavedFlow& saved) noexcept;
  void take_back(const SavedRest& saved) noexcept;
  // Whose they are among `workers` workers; none: the port is another worker's than the sender.
  // `piece_ports`: see port_choice.h.
  [[nodiscard]] static std::optional<std::uint32_t> owner(const SavedFlow& saved, std::uint32_t workers,
                                                          std::uint32_t piece_ports) noexcept;
  [[nodiscard]] static std::uint32_t owner(const EndedFlow& ended, std::uint32_t workers) noexcept;
  [[nodiscard]] static std::uint32_t owner(const SavedRest& saved, std::uint32_t workers,
                                           std::uint32_t piece_ports) noexcept;

  // Replication (stages/replicate.h), likewise: what another gateway has to hear of, and what this one hears of it.
  [[nodiscard]] std::size_t share_flows(std::size_t& from, std::span<SavedFlow> out) noexcept;
  [[nodiscard]] std::size_t take_ended(std::span<EndedFlow> out) noexcept;
  [[nodiscard]] std::size_t take_settled(std::span<SavedFlow> out) noexcept;
  TakenBack follow(const SavedFlow& saved) noexcept;
  void follow(const EndedFlow& ended) noexcept;
  [[nodiscard]] std::uint64_t changes_lost() const noexcept;  // found their queue full; read by anybody

  // Which of `workers` workers a packet belongs to: senders (and answers to untranslated ones) by the inside address,
  // answers to an egress address by the slice of their port; ICMP errors by the packet they quote; fragments from
  // outside by addresses and identification, to be put together there and handed over. Packets of no owner (ARP, broken
  // ones) answer `self`. On a port of role `both` it is a guess where addresses do not tell (owner.h): whoever gets
  // such a packet and knows no flow of it passes it on. `piece_ports`: see port_choice.h.
  [[nodiscard]] static std::uint32_t owner(const Packet& packet, config::PortRole role, std::uint32_t workers,
                                           std::uint32_t self, const Snapshot& snapshot,
                                           std::uint32_t piece_ports) noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sallyport::dataplane
