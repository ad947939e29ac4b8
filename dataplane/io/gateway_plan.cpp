#include "dataplane/io/gateway_plan.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/random.h>

#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/port_choice.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/processors.h"
#include "dataplane/io/twin_pump.h"

namespace sallyport::dataplane {
namespace {

constexpr std::uint32_t kept_back_a_worker = 1024;  // in a pool's cache of each worker, and in its hands
constexpr std::size_t dpdk_itself_bytes = 64U << 20U;

// A held packet keeps its buffer. Huge pages are there to be used; of ordinary memory less is taken.
std::uint32_t held_packets(const config::Limits& limits, bool huge_pages) {
  const std::uint64_t most = huge_pages ? 131'072 : 16'384;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(limits.held_bytes / 2048, 64, most));
}

// Every place where a buffer can be at once.
PacketBuffers demand(const std::vector<PortPlan>& ports, std::uint32_t workers, std::uint32_t held) {
  PacketBuffers buffers;
  for (const PortPlan& port : ports) {
    if (port.receive_data_room != port.data_room) {
      buffers.demand(port.receive_data_room,
                     large_buffers_a_queue * port.queues_max + kept_back_a_worker / 2 * workers);
    }
    // In the device: filled, to be filled, to be sent.
    const std::uint32_t in_device = 3U * port.descriptors * port.queues_max;
    const bool in_own_memory = port.device.kind == DeviceText::Kind::af_packet;
    buffers.demand(port.data_room, (in_own_memory ? 0 : in_device) + 2 * TwinLane::ring_capacity);
  }
  std::uint32_t smallest = ports.empty() ? 0 : ports.front().data_room;
  for (const PortPlan& port : ports) smallest = std::min(smallest, port.data_room);
  for (const PortPlan& port : ports) {
    if (port.data_room != smallest) buffers.demand(port.data_room, kept_back_a_worker * workers);
  }
  buffers.demand(smallest, (kept_back_a_worker + arrivals_a_worker) * workers + held);
  return buffers;
}

std::size_t memory_of(const PacketBuffers& buffers) {
  // What does not fit between what is there already: a tenth.
  return buffers.memory_bytes() + buffers.memory_bytes() / 10 + dpdk_itself_bytes;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  while (::getrandom(&seed, sizeof seed, 0) != sizeof seed) {
  }
  return seed;
}

template <typename Number>
Number share(Number whole, std::uint32_t workers) {
  return (whole + workers - 1) / workers;
}

}  // namespace

void check_port_range(const config::NatConfig& nat, std::uint32_t workers) {
  const std::uint32_t piece = piece_ports(nat);
  const std::uint32_t first =
      nat.port_block == 0 ? nat.port_range.first / piece : (nat.port_range.first + piece - 1) / piece;
  const std::uint32_t end = nat.port_block == 0 ? nat.port_range.last / piece + 1 : (nat.port_range.last + 1U) / piece;
  std::vector<bool> has(workers);
  for (std::uint32_t number = first; number < end; ++number) {
    has[port_owner(static_cast<std::uint16_t>(number * piece), workers, piece)] = true;
  }
  if (std::ranges::count(has, false) == 0) return;
  const std::string holds = std::to_string(end - first);
  const std::string each = ", too few for each of " + std::to_string(workers) + " workers: ";
  if (nat.port_block == 0) {
    throw EnvironmentError("nat.port_range holds " + holds + " pieces of " + std::to_string(piece) + " ports" + each +
                           "widen it, or use fewer cores");
  }
  throw EnvironmentError("nat.port_block = " + std::to_string(nat.port_block) + ": port_range holds " + holds +
                         " blocks" + each + "make them smaller, or use fewer cores");
}

GatewayPlan plan_gateway(const config::ApplianceModel& model, const Log& log) {
  GatewayPlan plan;
  const std::vector<unsigned> allowed = allowed_processors();
  plan.processors = worker_processors(model.workers, allowed, processor_quota());
  const auto workers = static_cast<std::uint32_t>(plan.processors.size());
  check_port_range(model.nat, workers);
  for (const config::PortConfig& port : model.ports) {
    plan.ports.push_back(plan_port(port, workers, log));
    plan.ports.back().piece_ports = piece_ports(model.nat);
  }

  plan.held_packets = held_packets(model.limits, true);
  plan.buffers = demand(plan.ports, workers, plan.held_packets);
  plan.eal.huge_pages = free_huge_page_bytes() >= memory_of(plan.buffers);
  if (!plan.eal.huge_pages) {
    const std::string wanted = std::to_string((memory_of(plan.buffers) >> 20U) + 1);
    log(Severity::warning, "no huge pages for " + wanted + " MiB (" + std::to_string(free_huge_page_bytes() >> 20U) +
                               " MiB free): running on ordinary memory, slower under many flows; `sallyport setup "
                               "--huge-pages " +
                               wanted + "M` reserves them");
    plan.held_packets = held_packets(model.limits, false);
    plan.buffers = demand(plan.ports, workers, plan.held_packets);
  }
  plan.eal.memory_bytes = memory_of(plan.buffers);
  plan.eal.workers = plan.processors;
  plan.eal.allowed = allowed;
  plan.eal.extra_arguments = model.eal_args;
  for (const PortPlan& port : plan.ports) {
    if (port.device.kind != DeviceText::Kind::pci) continue;
    const std::string arguments = port.device.arguments_text();
    plan.eal.pci_devices.push_back(port.device.driver + (arguments.empty() ? "" : "," + arguments));
  }
  return plan;
}

std::uint64_t names_seed(const classifier::PoolKey& pool_key) noexcept {
  std::array<std::uint64_t, 2> words{};
  static_assert(sizeof words == sizeof pool_key);
  std::memcpy(words.data(), pool_key.data(), sizeof words);
  return Random(words[0] ^ Random(words[1]).next()).next();
}

PipelineSettings pipeline_settings(const config::ApplianceModel& model, const GatewayPlan& plan,
                                   const std::vector<std::unique_ptr<Port>>& ports, const classifier::PoolKey& pool_key,
                                   std::uint32_t worker) {
  const auto workers = static_cast<std::uint32_t>(plan.processors.size());
  PipelineSettings settings;
  for (const auto& port : ports) {
    const config::PortConfig& config = port->config();
    settings.ports.push_back({config.role, config.mtu, {config.vlan, config.service_vlan}, port->mac(), false});
    if (config.role == config::PortRole::outside) continue;
    for (const config::InterfaceAddress& own : config.addresses) settings.inside_networks.push_back(network_of(own));
  }
  settings.limits = model.limits;
  settings.limits.flows = share(model.limits.flows, workers);
  settings.limits.held_bytes = share(model.limits.held_bytes, workers);
  settings.timeouts = model.timeouts;
  settings.nat = model.nat;
  settings.nat.fragments_max = share(model.nat.fragments_max, workers);
  settings.held_packets = share(plan.held_packets, workers);
  settings.pool_key = pool_key;
  settings.tunnels = !model.tunnels.empty();
  settings.shadow = !model.shadow_policy.empty();
  settings.worker = worker;
  settings.workers = workers;
  settings.seed = random_seed();
  const bool exports = model.ipfix.collector.by != config::LogTarget::By::nothing;
  settings.translation_records = exports && model.ipfix.sessions;
  settings.exhaustion_records = exports;
  settings.replicates = !model.ha.replicate.empty();
  return settings;
}

}  // namespace sallyport::dataplane
