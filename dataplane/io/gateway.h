// The gateway as one object: devices, twins, routes and workers, and what the control plane may ask of them.
//
//   workers (pinned, one pipeline each)  <- Snapshot, published by pointer, freed after a grace period ->  control
//   plane twin thread (frames between wires and kernel), netlink thread (routes, neighbours): inside, see kernel_twin,
//   netlink
//
// One a process: DPDK cannot be started twice. Every function is for the control plane and may be called by any of its
// threads; none is called by a worker. What is counted is read without stopping anybody.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "classifier/address_pool.h"
#include "classifier/policy.h"
#include "config/appliance_model.h"
#include "dataplane/flow/address_load.h"
#include "dataplane/flow/port_load.h"
#include "dataplane/flow_record.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/counter_sums.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/packet.h"
#include "dataplane/pipeline.h"
#include "dataplane/routing.h"
#include "dataplane/steering_check.h"
#include "dataplane/tap/tap.h"
#include "dataplane/world.h"

namespace sallyport::dataplane {

struct WorkerStatus {
  unsigned processor = 0;         // the core it is pinned to
  std::uint64_t heartbeat = 0;    // rises with each turn of its loop; standing still for a second: stuck
  std::uint64_t busy_cycles = 0;  // of turns that found something to do
  std::uint64_t idle_cycles = 0;  // of turns that found nothing, asleep or not
  std::array<std::uint64_t, stage_names.size()> stage_cycles{};  // by Stage: what bursts took
  std::uint64_t handed_over = 0;                                 // packets given to the worker that owns them
  std::uint64_t records_lost = 0;                                // flow records that found the ring full
  std::size_t memory_bytes = 0;                                  // of its pipeline
};

// Bytes taken at start, of all workers.
struct GatewayMemory {
  PipelineMemory pipelines;
  std::size_t buffers = 0;  // packets in devices, in rings and held
  std::size_t rings = 0;    // between workers, and of flow records

  [[nodiscard]] std::size_t sum() const noexcept { return pipelines.sum() + buffers + rings; }
};

struct PortStatus {
  std::string name;
  config::PortRole role = config::PortRole::inside;
  std::string device;  // as configured
  std::string driver;  // "net_af_packet", "net_ice", ..
  std::string twin;    // the kernel interface that owns the addresses
  MacAddress mac{};
  std::uint16_t mtu = 0;
  std::uint16_t vlan = 0, service_vlan = 0;
  unsigned receive_queues = 0;
  unsigned transmit_queues = 0;
  Steering steering = Steering::nobody;
  std::string steering_refused;  // by rings: why the device does not
  std::uint64_t steered = 0;     // of the first packets of TCP and UDP: came to the worker that the device was told
  std::uint64_t missteered = 0;  // to another
  bool link_up = false;
  std::uint32_t link_mbps = 0;  // 0: unknown

  // Frames that never reached a worker, or never left: the device's own counts.
  std::uint64_t missed = 0;           // the receive queue was full
  std::uint64_t no_buffer = 0;        // no mbuf to receive into
  std::uint64_t receive_errors = 0;   // broken on the wire
  std::uint64_t transmit_errors = 0;  // the device failed to send
  std::uint64_t other_host = 0;  // addressed to another station (flooded by a switch): not ours to count as received
  std::uint64_t checksums_completed = 0;  // left open by a kernel that sent over a virtual interface; see interface.h

  // Between wire and kernel; lost: the ring was full.
  std::uint64_t to_kernel = 0, to_kernel_lost = 0;
  std::uint64_t from_kernel = 0, from_kernel_lost = 0;
};

struct RoutingStatus {
  std::uint32_t generation = 0;
  std::size_t routes = 0;
  std::size_t neighbours = 0;
  std::size_t local_addresses = 0;
  bool leads_out_v4 = false, leads_out_v6 = false;  // there is a default route, by an outside port
};

// Flows that a rule decided, or that an audit route noted; rule 0: of rules beyond the number that is counted apart.
struct RuleSum {
  classifier::Id rule = 0;
  std::uint64_t decided = 0;
  std::uint64_t audited = 0;
};

// How many saved flows became what, by TakenBack.
using TakenBackSums = std::array<std::uint64_t, taken_back_count>;

struct PolicyStatus {
  bool loaded = false;
  std::uint32_t generation = 0;
  std::string hash;
  std::string shadow_hash;  // empty: no shadow policy
};

struct StandingStatus {
  bool active = true;     // forwards, and answers for the egress addresses
  bool fenced = false;    // stands by because it was stopped, and has been told nothing since
  bool draining = false;  // active, and new flows are to be another's
};

// Of all workers, the ports that are nearest to their end (nat.md 7).
struct FullestPorts {
  PortLoad server;   // of an egress address towards a server
  PortLoad address;  // of an egress address at all
};

class Gateway {
 public:
  // Takes everything that the gateway needs and starts to poll; without a policy nothing is forwarded, yet ARP, ping to
  // the gateway and routing protocols work. Throws EnvironmentError. `model` is valid (load_appliance() said so).
  Gateway(const config::ApplianceModel& model, const classifier::PoolKey& pool_key, Log log);
  // Stops as by stop(false) where nobody did.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // From its return on every worker forwards by this policy and no worker looks at the one before. Also makes the
  // outside twins answer for the policy's egress addresses, before the first packet leaves under one.
  void publish(std::shared_ptr<const classifier::Policy> policy);
  // Likewise for the policy that is asked beside it and never obeyed; null: none. Only where the model names one.
  void publish_shadow(std::shared_ptr<const classifier::Policy> shadow);

  // Whether it is this gateway's turn, or another's that stands in for it: standing.h. On return from stand_by() the
  // egress addresses are nobody's here, and no packet passes but the burst that a worker has in hand.
  void activate();
  void stand_by();
  // An active one's new flows are another gateway's from now on, [ha] drain_to, and those that there are go on.
  void drain();
  [[nodiscard]] StandingStatus standing() const;
  // Whether the senders' next hop that gateways share, [ha] next_hop, is an address of this one, by family.
  void offer_next_hop(bool v4, bool v6);

  // From soon on no packet moves any more, while the tables may still be read; stop() follows.
  void halt();
  // Workers end. Graceful: first every living flow is recorded; somebody has to go on taking records meanwhile, else
  // the rest of them is lost after a second. What is left in the rings may be taken afterwards.
  void stop(bool graceful);

  // Flow records in the order of each worker, into `out`; answers how many. To be called by one thread at a time,
  // often: a ring holds 16384 records a worker.
  [[nodiscard]] std::size_t take_records(std::span<FlowRecord> out);

  // Every living flow, in chunks, each read on its worker's own thread between two bursts. `take` runs on the caller's
  // and answers false to end it early. Flows opened or ended meanwhile may or may not be among them.
  void list_flows(const std::function<bool(std::span<const FlowRecord>)>& take);

  // The same for what is to outlive the process, and the way back into the tables of this one, to whose worker it
  // belongs now. Whoever takes flows back does so before the first policy is published: then no new flow can have taken
  // their ports.
  void save_flows(const std::function<bool(std::span<const SavedFlow>)>& take);
  void save_resting(const std::function<bool(std::span<const SavedRest>)>& take);
  [[nodiscard]] TakenBackSums take_back(std::span<const SavedFlow> flows);
  void take_back(std::span<const SavedRest> ports);

  // Replication, where the model says where to. An active gateway: what of its flows another one has to hear of since
  // the last call, added to both; or all that are open, as save_flows(). One that stands by: what it hears, in this
  // order where both are of one flow.
  void take_changes(std::vector<EndedFlow>& ended, std::vector<SavedFlow>& settled);
  void share_flows(const std::function<bool(std::span<const SavedFlow>)>& take);
  [[nodiscard]] TakenBackSums follow(std::span<const SavedFlow> flows);
  void follow(std::span<const EndedFlow> flows);
  [[nodiscard]] std::uint64_t changes_lost() const;  // the workers' queues of them were full

  // The workers tell the tap what they see, from the return of the one to the return of the other. False: as many are
  // there already as may be (TapPoint::taps_max).
  [[nodiscard]] bool attach(Tap& tap);
  void detach(const Tap& tap);

  // To be called now and then: says in the log whether devices bring packets to their workers as they were told, once
  // it can be seen; those that do not are told so no more.
  void judge_steering();

  [[nodiscard]] unsigned workers() const noexcept;
  [[nodiscard]] WorkerStatus worker(unsigned index) const;
  [[nodiscard]] CounterSums counters(unsigned worker) const;
  [[nodiscard]] CounterSums counters() const;
  [[nodiscard]] std::vector<RuleSum> rules() const;  // rising; of all workers together
  // Bindings of a name to an address that DNS answers have made.
  [[nodiscard]] std::uint64_t bound_names() const;
  [[nodiscard]] std::vector<EgressMeters::Dropped> dropped_by_bandwidth() const;  // of the policy that runs
  [[nodiscard]] FullestPorts fullest_ports() const;                               // read on the workers' own threads
  // Of egress addresses in use, all workers' ports together; rising.
  [[nodiscard]] std::vector<AddressLoad> address_loads() const;
  [[nodiscard]] std::vector<PortStatus> ports() const;
  [[nodiscard]] RoutingStatus routing() const;
  [[nodiscard]] PolicyStatus policy() const;

  [[nodiscard]] GatewayMemory memory() const noexcept;
  [[nodiscard]] bool huge_pages() const noexcept;

  // "22.11.11", for --version; works without a Gateway.
  [[nodiscard]] static std::string dpdk_version();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sallyport::dataplane
