#include "dataplane/io/gateway.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include <net/if.h>

#include "dataplane/flow/name_bindings.h"
#include "dataplane/flow/port_choice.h"
#include "dataplane/io/address_owner.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/flow_survival.h"
#include "dataplane/io/gateway_plan.h"
#include "dataplane/io/interface_addresses.h"
#include "dataplane/io/kernel_places.h"
#include "dataplane/io/kernel_routes.h"
#include "dataplane/io/kernel_twin.h"
#include "dataplane/io/memory_limit.h"
#include "dataplane/io/port_status.h"
#include "dataplane/io/processors.h"
#include "dataplane/io/quiescence.h"
#include "dataplane/io/seat_sums.h"
#include "dataplane/io/spin_lock.h"
#include "dataplane/io/steering_report.h"
#include "dataplane/io/taps.h"
#include "dataplane/io/telemetry.h"
#include "dataplane/io/twin_pump.h"
#include "dataplane/io/worker_seat.h"
#include "dataplane/snapshot.h"

namespace sallyport::dataplane {
namespace {

std::string mac_text(const MacAddress& mac) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text.data();
}

std::string idle_text(config::IdleMode mode, const Port& port) {
  if (mode == config::IdleMode::busy) return "";
  return port.arrivals(0) >= 0 ? ", wakes its worker" : ", its idle worker looks at it every 50 us";
}

}  // namespace

// In the order in which things are taken; they are given back in the opposite one.
struct Gateway::Parts {
  Parts(const config::ApplianceModel& given, const classifier::PoolKey& pool_key, Log given_log);
  ~Parts();

  void open_ports();
  void check_interfaces();
  void make_seats();
  void make_twins();
  [[nodiscard]] bool leads_out(Family family);
  void seat_workers(const classifier::PoolKey& pool_key);
  [[nodiscard]] WorldSettings world_settings(std::uint32_t worker);
  void check_memory() const;
  void log_start() const;

  void publish_policy(std::shared_ptr<const classifier::Policy> policy);
  void publish_shadow(std::shared_ptr<const classifier::Policy> shadow);
  void publish_routing(std::shared_ptr<const Routing> routing);
  void stop(Worker::End how);

  config::ApplianceModel model;
  Log log;
  GatewayPlan plan;
  std::uint32_t workers;
  Eal eal;
  struct Pools {
    PacketBuffers& buffers;
    explicit Pools(PacketBuffers& of) : buffers(of) { buffers.create(); }
    ~Pools() { buffers.destroy(); }
  } pools;
  std::vector<std::unique_ptr<Port>> ports;
  std::vector<std::vector<SpinLock>> transmit_locks;  // of each port, of each queue
  Netlink netlink;                                    // until the workers go
  std::vector<std::unique_ptr<TwinLane>> lanes;
  std::unique_ptr<KernelRoutes> routes;
  std::unique_ptr<TwinPump> pump;
  std::unique_ptr<AddressOwner> owner;
  Snapshot current;  // under `mutex`: what the workers were given last
  std::unique_ptr<Quiescence> quiescence;
  std::vector<std::unique_ptr<WorkerSeat>> seats;
  std::size_t next_seat = 0;  // whose records are taken next
  bool stopped = false;       // under `mutex`
  std::mutex mutex;           // the control plane's threads among themselves
};

Gateway::Parts::Parts(const config::ApplianceModel& given, const classifier::PoolKey& pool_key, Log given_log)
    : model(given),
      log(std::move(given_log)),
      plan(plan_gateway(model, log)),
      workers(static_cast<std::uint32_t>(plan.processors.size())),
      eal(plan.eal, log),
      pools(plan.buffers) {
  plan.names_seed = names_seed(pool_key);
  open_ports();
  check_interfaces();
  make_seats();
  make_twins();
  seat_workers(pool_key);
  check_memory();
  log_start();
  for (const auto& seat : seats) seat->populate();  // all at once: each worker its own
  for (const auto& seat : seats) seat->await_populated();
  for (const auto& port : ports) port->start();
  log_steering(ports, log);
  pump->follow_links();
  for (const auto& seat : seats) seat->go();
  routes->start([this](std::shared_ptr<const Routing> routing) { publish_routing(std::move(routing)); });
}

Gateway::Parts::~Parts() {
  stop(Worker::End::at_once);
  owner.reset();
  routes.reset();
  pump.reset();
}

void Gateway::Parts::open_ports() {
  for (std::size_t i = 0; i < model.ports.size(); ++i) {
    ports.push_back(std::make_unique<Port>(static_cast<PortIndex>(i), model.ports[i], std::move(plan.ports[i]), workers,
                                           plan.buffers));
    transmit_locks.emplace_back(ports.back()->transmit_queues());
  }
}

// Before there are twins: what has an address now is not the gateway's.
void Gateway::Parts::check_interfaces() {
  const std::vector<KernelAddress> all = netlink.addresses();
  for (const auto& port : ports) {
    if (!port->plan().interface) continue;
    const std::string name = port->plan().device.argument("iface").value_or("");
    std::vector<IpAddress> there;
    for (const KernelAddress& one : all) {
      if (one.interface == ::if_nametoindex(name.c_str())) there.push_back(one.address);
    }
    check_interface_addresses(port->config(), name, there, log);
  }
}

void Gateway::Parts::make_seats() {
  for (std::uint32_t worker = 0; worker < workers; ++worker) seats.push_back(std::make_unique<WorkerSeat>());
}

void Gateway::Parts::make_twins() {
  std::vector<unsigned> interfaces;
  const bool persist = model.ha.start == config::Start::standby;  // others live on them
  for (const auto& port : ports) {
    auto twin = std::make_unique<KernelTwin>(port->index(), port->config(), port->mac(), persist, netlink, log);
    interfaces.push_back(twin->interface());
    lanes.push_back(std::make_unique<TwinLane>(*port, plan.buffers.pool(port->plan().data_room), std::move(twin),
                                               seats[port->index() % workers]->wake()));
  }
  routes = std::make_unique<KernelRoutes>(interfaces, workers, log);
  pump = std::make_unique<TwinPump>(lanes);
  const auto first = persist ? Standing::State::standby : Standing::State::active;
  owner = std::make_unique<AddressOwner>(first, model.ha.drain_to, kernel_places(model.ha, lanes, *pump), log);
  current = make_snapshot(nullptr, routes->first(), 0, workers);
  current.standing = &owner->standing();
  current.tunnels = Tunnels::of(model);
  quiescence = std::make_unique<Quiescence>(workers, std::make_unique<const Snapshot>(current));
}

bool Gateway::Parts::leads_out(Family family) {
  const std::lock_guard lock(mutex);
  const Hop hop = current.routing->next(IpAddress{family, {}}, true);
  return hop.port != no_port && model.ports[hop.port].role != config::PortRole::inside;
}

void Gateway::Parts::seat_workers(const classifier::PoolKey& pool_key) {
  std::vector<config::PortRole> roles;
  for (const auto& port : ports) roles.push_back(port->config().role);
  for (std::uint32_t worker = 0; worker < workers; ++worker) {
    seats[worker]->prepare(world_settings(worker), pipeline_settings(model, plan, ports, pool_key, worker),
                           {worker, workers, roles, model.workers.idle, piece_ports(model.nat), steered_ports(ports),
                            static_cast<std::uint64_t>(std::chrono::nanoseconds(model.ha.fence_after).count()),
                            &owner->standing(), &owner->fenced()},
                           *quiescence);
  }
}

WorldSettings Gateway::Parts::world_settings(std::uint32_t worker) {
  WorldSettings settings;
  settings.worker = worker;
  for (const auto& port : ports) {
    WorldSettings::Lane lane;
    lane.port = port.get();
    for (auto queue = static_cast<std::uint16_t>(worker); queue < port->receive_queues();
         queue = static_cast<std::uint16_t>(queue + workers)) {
      lane.receive_queues.push_back(queue);
    }
    lane.transmit_queue = static_cast<std::uint16_t>(worker % port->transmit_queues());
    const bool shared = port->transmit_queues() < workers;
    lane.transmit_lock = shared ? &transmit_locks[port->index()][lane.transmit_queue] : nullptr;
    lane.twin = lanes[port->index()].get();
    lane.home = port->index() % workers == worker;
    settings.lanes.push_back(lane);
  }
  for (const auto& seat : seats) {
    settings.arrivals.push_back(&seat->arrivals());
    settings.wakes.push_back(&seat->wake());
  }
  settings.buffers = &plan.buffers;
  settings.records = &seats[worker]->records();
  settings.requests = &routes->requests(worker);
  settings.twin_wake = &pump->wake();
  settings.routes_wake = &routes->wake();
  return settings;
}

void Gateway::Parts::check_memory() const {
  std::size_t wanted = 0;
  for (const auto& seat : seats) wanted += seat->memory_bytes();
  check_fits(wanted, model.limits);
}

void Gateway::Parts::log_start() const {
  for (const auto& lane : lanes) {
    const Port& port = lane->port;
    log(Severity::info, "port " + port.config().name + ": " + port.driver() + ", " +
                            std::to_string(port.receive_queues()) + " receive and " +
                            std::to_string(port.transmit_queues()) + " transmit queues, MAC " + mac_text(port.mac()) +
                            ", addresses on " + lane->twin->name() + idle_text(model.workers.idle, port));
  }
  log(Severity::info, std::to_string(workers) + (workers == 1 ? " worker on processor " : " workers on processors ") +
                          processors_text(plan.processors));
}

// A routing and a policy may come at once; each is published with the latest of the other.
void Gateway::Parts::publish_policy(std::shared_ptr<const classifier::Policy> policy) {
  const std::lock_guard lock(mutex);
  owner->set(policy ? policy->egress_addresses() : std::vector<AddressRange>{});
  const std::shared_ptr<NameBindings> before = current.names;
  auto names = fitting_names(policy.get(), before, workers, plan.names_seed);
  Snapshot next = make_snapshot(std::move(policy), current.routing, current.generation + 1, workers, std::move(names),
                                &current, plan.names_seed);
  next.shadow = current.shadow;
  next.shadow_scratches = current.shadow_scratches;
  current = std::move(next);
  if (before == nullptr || before == current.names) {
    quiescence->publish(std::make_unique<const Snapshot>(current));
    return;
  }
  // They moved to a larger place: both are asked until the old one, which nobody writes any more, is taken over.
  current.names_before = before;
  quiescence->publish(std::make_unique<const Snapshot>(current));
  current.names->take_over(*before);
  current.names_before = nullptr;
  quiescence->publish(std::make_unique<const Snapshot>(current));
}

void Gateway::Parts::publish_shadow(std::shared_ptr<const classifier::Policy> shadow) {
  const std::lock_guard lock(mutex);
  current = with_shadow(current, std::move(shadow), workers, plan.names_seed);
  quiescence->publish(std::make_unique<const Snapshot>(current));
}

void Gateway::Parts::publish_routing(std::shared_ptr<const Routing> routing) {
  const std::lock_guard lock(mutex);
  current.routing = std::move(routing);
  quiescence->publish(std::make_unique<const Snapshot>(current));
}

void Gateway::Parts::stop(Worker::End how) {
  const std::lock_guard lock(mutex);
  if (std::exchange(stopped, true)) return;
  for (const auto& seat : seats) seat->end(how);
  for (const auto& seat : seats) seat->join();
}

Gateway::Gateway(const config::ApplianceModel& model, const classifier::PoolKey& pool_key, Log log)
    : parts_(std::make_unique<Parts>(model, pool_key, std::move(log))) {
  serve_telemetry(this);
}

Gateway::~Gateway() { serve_telemetry(nullptr); }

void Gateway::publish(std::shared_ptr<const classifier::Policy> policy) { parts_->publish_policy(std::move(policy)); }

void Gateway::publish_shadow(std::shared_ptr<const classifier::Policy> shadow) {
  parts_->publish_shadow(std::move(shadow));
}

void Gateway::activate() { parts_->owner->activate(); }

void Gateway::stand_by() { parts_->owner->stand_by(); }

void Gateway::drain() { parts_->owner->drain(); }

void Gateway::offer_next_hop(bool v4, bool v6) { parts_->owner->offer_next_hop(v4, v6); }

StandingStatus Gateway::standing() const {
  const Standing& standing = parts_->owner->standing();
  return {standing.state() == Standing::State::active, standing.fenced(), standing.draining()};
}

void Gateway::halt() {
  const std::lock_guard lock(parts_->mutex);
  for (const auto& seat : parts_->seats) seat->end(Worker::End::halted);
}

void Gateway::stop(bool graceful) { parts_->stop(graceful ? Worker::End::gracefully : Worker::End::at_once); }

std::size_t Gateway::take_records(std::span<FlowRecord> out) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < parts_->seats.size() && taken < out.size(); ++i) {
    taken += parts_->seats[parts_->next_seat]->records().pop(out.subspan(taken));
    parts_->next_seat = (parts_->next_seat + 1) % parts_->seats.size();
  }
  return taken;
}

void Gateway::list_flows(const std::function<bool(std::span<const FlowRecord>)>& take) {
  visit_tables<FlowRecord>(
      parts_->seats, [](const Pipeline& p, auto& from, auto out) { return p.list_flows(from, out); }, take);
}

void Gateway::save_flows(const std::function<bool(std::span<const SavedFlow>)>& take) {
  visit_tables<SavedFlow>(
      parts_->seats, [](const Pipeline& p, auto& from, auto out) { return p.save_flows(from, out); }, take);
}

void Gateway::save_resting(const std::function<bool(std::span<const SavedRest>)>& take) {
  visit_tables<SavedRest>(
      parts_->seats, [](const Pipeline& p, auto& from, auto out) { return p.save_resting(from, out); }, take);
}

TakenBackSums Gateway::take_back(std::span<const SavedFlow> flows) {
  return give_back(parts_->seats, flows, piece_ports(parts_->model.nat));
}

void Gateway::take_back(std::span<const SavedRest> ports) {
  give_back(parts_->seats, ports, piece_ports(parts_->model.nat));
}

void Gateway::take_changes(std::vector<EndedFlow>& ended, std::vector<SavedFlow>& settled) {
  dataplane::take_changes(parts_->seats, ended, settled);
}

void Gateway::share_flows(const std::function<bool(std::span<const SavedFlow>)>& take) {
  visit_tables<SavedFlow>(
      parts_->seats, [](Pipeline& p, auto& from, auto out) { return p.share_flows(from, out); }, take);
}

TakenBackSums Gateway::follow(std::span<const SavedFlow> flows) {
  return dataplane::follow(parts_->seats, flows, piece_ports(parts_->model.nat));
}
void Gateway::follow(std::span<const EndedFlow> flows) { dataplane::follow(parts_->seats, flows); }

std::uint64_t Gateway::changes_lost() const {
  std::uint64_t lost = 0;
  for (const auto& seat : parts_->seats) lost += seat->changes_lost();
  return lost;
}

bool Gateway::attach(Tap& tap) { return dataplane::attach(parts_->seats, tap); }
void Gateway::detach(const Tap& tap) { dataplane::detach(parts_->seats, tap); }

void Gateway::judge_steering() {
  const std::lock_guard lock(parts_->mutex);
  dataplane::judge_steering(parts_->ports, parts_->seats, parts_->log);
}

unsigned Gateway::workers() const noexcept { return parts_->workers; }

WorkerStatus Gateway::worker(unsigned index) const {
  const WorkerSeat& seat = *parts_->seats.at(index);
  WorkerStatus status;
  status.processor = parts_->plan.processors[index];
  status.heartbeat = seat.counters().turns.get();
  status.busy_cycles = seat.counters().busy_cycles.get();
  status.idle_cycles = seat.counters().idle_cycles.get();
  std::ranges::transform(seat.world_counters().stage_cycles, status.stage_cycles.begin(), &Counter::get);
  status.handed_over = seat.world_counters().handed_over.get();
  status.records_lost = seat.world_counters().records_lost.get();
  status.memory_bytes = seat.pipeline_memory().sum();
  return status;
}

CounterSums Gateway::counters(unsigned worker) const { return parts_->seats.at(worker)->sums(); }

CounterSums Gateway::counters() const {
  CounterSums all;
  for (const auto& seat : parts_->seats) all += seat->sums();
  return all;
}

std::vector<RuleSum> Gateway::rules() const { return rules_of(parts_->seats); }
FullestPorts Gateway::fullest_ports() const { return fullest_ports_of(parts_->seats); }
std::vector<AddressLoad> Gateway::address_loads() const { return address_loads_of(parts_->seats); }

std::uint64_t Gateway::bound_names() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->current.names != nullptr ? parts_->current.names->names() : 0;
}

std::vector<PortStatus> Gateway::ports() const {
  const std::lock_guard lock(parts_->mutex);
  std::vector<PortStatus> all;
  for (const auto& lane : parts_->lanes) all.push_back(port_status(*lane, parts_->seats));
  return all;
}

RoutingStatus Gateway::routing() const {
  const KernelRoutes::Counts counts = parts_->routes->counts();
  return {counts.generation,
          counts.routes,
          counts.neighbours,
          counts.local_addresses,
          parts_->leads_out(Family::v4),
          parts_->leads_out(Family::v6)};
}

PolicyStatus Gateway::policy() const {
  const std::lock_guard lock(parts_->mutex);
  const Snapshot& now = parts_->current;
  return {now.policy != nullptr, now.generation, now.policy ? now.policy->hash() : "",
          now.shadow ? now.shadow->hash() : ""};
}

std::vector<EgressMeters::Dropped> Gateway::dropped_by_bandwidth() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->current.meters ? parts_->current.meters->dropped() : std::vector<EgressMeters::Dropped>{};
}

GatewayMemory Gateway::memory() const noexcept {
  GatewayMemory all;
  all.buffers = parts_->plan.buffers.memory_bytes();
  for (const auto& seat : parts_->seats) {
    const PipelineMemory own = seat->pipeline_memory();
    all.pipelines.flows += own.flows;
    all.pipelines.held += own.held;
    all.pipelines.other += own.other;
    all.rings += seat->memory_bytes() - own.sum();
  }
  return all;
}

bool Gateway::huge_pages() const noexcept { return parts_->plan.eal.huge_pages; }

std::string Gateway::dpdk_version() { return Eal::version(); }

}  // namespace sallyport::dataplane
