#include "dataplane/io/generator_ports.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/appliance_model.h"
#include "dataplane/io/buffer.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/packet_buffers.h"
#include "dataplane/io/port.h"
#include "dataplane/io/processors.h"

namespace sallyport::dataplane {
namespace {

constexpr std::uint32_t ethernet_and_tags = 14 + 2 * 4;
constexpr std::uint32_t in_hand = 4096;  // frames on their way, and in the pool's cache
constexpr std::size_t dpdk_itself_bytes = 64U << 20U;

std::vector<config::PortConfig> configs_of(const std::vector<std::string>& devices, std::uint16_t mtu) {
  std::vector<config::PortConfig> configs;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    config::PortConfig config;
    config.name = "wire" + std::to_string(i);
    config.device = devices[i];
    config.mtu = mtu;
    configs.push_back(std::move(config));
  }
  return configs;
}

EalPlan eal_plan(const std::vector<PortPlan>& ports, const PacketBuffers& buffers) {
  EalPlan plan;
  plan.allowed = allowed_processors();
  plan.memory_bytes = buffers.memory_bytes() + buffers.memory_bytes() / 10 + dpdk_itself_bytes;
  plan.huge_pages = free_huge_page_bytes() >= plan.memory_bytes;
  for (const PortPlan& port : ports) {
    if (port.device.kind != DeviceText::Kind::pci) continue;
    const std::string arguments = port.device.arguments_text();
    plan.pci_devices.push_back(port.device.driver + (arguments.empty() ? "" : "," + arguments));
  }
  return plan;
}

}  // namespace

struct GeneratorPorts::Parts {
  Parts(const std::vector<std::string>& devices, std::uint16_t given_mtu, const Log& log)
      : mtu(given_mtu), configs(configs_of(devices, mtu)) {
    std::vector<PortPlan> plans;
    for (const config::PortConfig& config : configs) plans.push_back(plan_port(config, 1, log));
    for (const PortPlan& plan : plans) {
      const std::uint32_t in_device = 3U * plan.descriptors * plan.queues_max;
      pools.buffers.demand(plan.data_room, in_device + in_hand);
      if (plan.receive_data_room != plan.data_room) pools.buffers.demand(plan.receive_data_room, in_hand / 4);
      room = std::max(room, plan.data_room);
    }
    eal = std::make_unique<Eal>(eal_plan(plans, pools.buffers), log);
    pools.buffers.create();
    for (std::size_t i = 0; i < configs.size(); ++i) {
      ports.push_back(
          std::make_unique<Port>(static_cast<PortIndex>(i), configs[i], std::move(plans[i]), 1, pools.buffers));
      ports.back()->start();
    }
  }

  // Closed in the reverse order: ports, then their buffers, then DPDK.
  std::uint16_t mtu;
  std::vector<config::PortConfig> configs;
  std::uint32_t room = 0;
  std::unique_ptr<Eal> eal;
  struct Pools {
    ~Pools() { buffers.destroy(); }
    PacketBuffers buffers;
  } pools;
  std::vector<std::unique_ptr<Port>> ports;
};

GeneratorPorts::GeneratorPorts(const std::vector<std::string>& devices, std::uint16_t mtu, const Log& log)
    : parts_(std::make_unique<Parts>(devices, mtu, log)) {}

GeneratorPorts::~GeneratorPorts() = default;

std::size_t GeneratorPorts::count() const noexcept { return parts_->ports.size(); }

MacAddress GeneratorPorts::mac(std::size_t port) const noexcept { return parts_->ports[port]->mac(); }

std::uint32_t GeneratorPorts::frame_bytes_max() const noexcept { return parts_->mtu + ethernet_and_tags; }

std::uint64_t GeneratorPorts::missed() const noexcept {
  std::uint64_t missed = 0;
  for (const auto& port : parts_->ports) missed += port->counts().missed + port->counts().no_buffer;
  return missed;
}

bool GeneratorPorts::take(std::span<Packet> frames) noexcept {
  rte_mempool* pool = parts_->pools.buffers.pool(parts_->room);
  std::array<rte_mbuf*, burst_max> buffers;
  {
    const Unseen inside_the_pool;
    if (rte_pktmbuf_alloc_bulk(pool, buffers.data(), static_cast<unsigned>(frames.size())) != 0) return false;
  }
  buffers_arrive(std::span(buffers).first(frames.size()));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames[i].buffer = buffers[i];
    frames[i].data = rte_pktmbuf_mtod(buffers[i], std::uint8_t*);
    frames[i].length = 0;
  }
  return true;
}

std::size_t GeneratorPorts::send(std::size_t port, std::span<const Packet> frames) noexcept {
  std::array<rte_mbuf*, burst_max> buffers;
  const std::size_t count = std::min(frames.size(), buffers.size());
  for (std::size_t i = 0; i < count; ++i) {
    buffers[i] = static_cast<rte_mbuf*>(frames[i].buffer);
    buffers[i]->data_len = static_cast<std::uint16_t>(frames[i].length);
    buffers[i]->pkt_len = frames[i].length;
  }
  buffers_leave(std::span(buffers).first(count));
  return rte_eth_tx_burst(parts_->ports[port]->id(), 0, buffers.data(), static_cast<std::uint16_t>(count));
}

std::size_t GeneratorPorts::receive(std::size_t port, std::span<Packet> frames) noexcept {
  std::array<rte_mbuf*, burst_max> buffers;
  const std::size_t most = std::min(frames.size(), buffers.size());
  std::size_t kept = 0;
  const std::uint16_t queues = parts_->ports[port]->receive_queues();
  for (std::uint16_t queue = 0; queue < queues && kept < most; ++queue) {
    const std::size_t count =
        rte_eth_rx_burst(parts_->ports[port]->id(), queue, buffers.data(), static_cast<std::uint16_t>(most - kept));
    for (std::size_t i = 0; i < count; ++i) {
      rte_mbuf* frame = buffers[i];
      buffers_arrive({&frame, 1});
      if (rte_pktmbuf_linearize(frame) != 0) {
        give_buffer(frame);
        continue;
      }
      frames[kept++] = {.data = rte_pktmbuf_mtod(frame, std::uint8_t*), .length = frame->pkt_len, .buffer = frame};
    }
  }
  return kept;
}

void GeneratorPorts::give_back(std::span<const Packet> frames) noexcept {
  for (const Packet& frame : frames) give_buffer(static_cast<rte_mbuf*>(frame.buffer));
}

std::uint64_t GeneratorPorts::cycles() noexcept { return rte_rdtsc(); }
std::uint64_t GeneratorPorts::cycles_per_second() noexcept { return rte_get_tsc_hz(); }

}  // namespace sallyport::dataplane
