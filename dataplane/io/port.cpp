#include "dataplane/io/port.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <sys/socket.h>

#include "dataplane/io/device_sockets.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/process_rights.h"

namespace sallyport::dataplane {
namespace {

constexpr std::uint16_t usual_descriptors = 1024;
constexpr std::uint16_t af_xdp_descriptors = 2048;  // as many as the driver fills in at once
constexpr unsigned af_packet_queues_max = 8;

// A device that the kernel drives cannot be driven by us; DPDK's own message would only say "no port".
void check_pci(const std::string& address, const std::string& key) {
  const std::filesystem::path device = "/sys/bus/pci/devices/" + address;
  std::error_code none;
  if (!std::filesystem::exists(device, none)) {
    throw EnvironmentError(key + ": no PCI device " + address + "; lspci -D lists what there is");
  }
  const std::string driver = std::filesystem::read_symlink(device / "driver", none).filename();
  const bool stays_with_kernel = driver.starts_with("mlx") || driver == "mana" || driver == "gve";
  if (driver.empty() || (!driver.starts_with("vfio") && !driver.starts_with("uio") && !driver.starts_with("igb_uio") &&
                         !stays_with_kernel)) {
    throw EnvironmentError(key + ": PCI device " + address + " is bound to " +
                           (driver.empty() ? "no driver" : "the kernel's driver " + driver) +
                           "; bind it: sallyport setup --bind " + address);
  }
}

std::string interface_of(const DeviceText& device, const std::string& key) {
  if (auto name = device.argument("iface"); name && !name->empty()) return *name;
  throw EnvironmentError(key + ": \"" + device.driver + "\" stands on an interface of the kernel: add iface=NAME");
}

void plan_af_packet(PortPlan& plan, unsigned workers) {
  plan.queues_max = std::min(workers, af_packet_queues_max);
  plan.device.set_default("qpairs", std::to_string(plan.queues_max));
  plan.device.set_default("blocksz", std::to_string(large_frame_bytes));
  plan.device.set_default("framesz", std::to_string(large_frame_bytes));
  plan.device.set_default("framecnt", std::to_string(usual_descriptors));
  plan.receive_data_room = large_frame_bytes + buffer_headroom;
}

// Every queue of the interface is taken: what the kernel spreads to another would be lost.
void plan_af_xdp(PortPlan& plan, bool huge_pages) {
  plan.queues_max = plan.interface->receive_queues();
  plan.descriptors = af_xdp_descriptors;
  plan.device.set_default("queue_count", std::to_string(plan.queues_max));
  // A card that reads the buffers itself wants those that cross a page to lie in one piece.
  if (!huge_pages) plan.device.set_default("force_copy", "1");
}

// The libraries under net_af_xdp write to standard error what goes well; what does not, the driver says itself. They
// came with the driver, so they are not linked but looked up.
void silence_libraries() {
  for (const auto& [library, setter] :
       {std::pair{"libbpf.so.1", "libbpf_set_print"}, {"libxdp.so.1", "libxdp_set_print"}}) {
    void* handle = ::dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    if (void* function = ::dlsym(handle, setter)) reinterpret_cast<void* (*)(void*)>(function)(nullptr);
    ::dlclose(handle);
  }
}

}  // namespace

PortPlan plan_port(const config::PortConfig& config, unsigned workers, const Log& log) {
  PortPlan plan;
  plan.key = "port \"" + config.name + "\": device";
  const auto device = parse_device(config.device);
  if (!device) {
    throw EnvironmentError(
        plan.key + ": \"" + config.device +
        "\" is neither a PCI address (0000:01:00.0) nor a DPDK virtual device (net_af_packet,iface=eth1)");
  }
  plan.device = *device;
  plan.data_room = plan.receive_data_room = data_room(device->kind, config.mtu);
  plan.descriptors = usual_descriptors;
  plan.queues_max = workers;
  if (device->kind == DeviceText::Kind::pci) {
    check_pci(device->driver, plan.key);
    if (!plan.claim.emplace(device->driver).held()) {
      throw EnvironmentError(plan.key + ": " + device->driver +
                             " belongs to another gateway that runs here; stop that one, or name another device");
    }
  }
  if (!device->on_kernel_interface()) return plan;
  plan.interface.emplace(interface_of(*device, plan.key), config.mtu, device->kind == DeviceText::Kind::af_packet,
                         plan.key, log);
  if (device->kind == DeviceText::Kind::af_packet) {
    plan_af_packet(plan, workers);
  } else {
    plan_af_xdp(plan, free_huge_page_bytes() != 0);
  }
  return plan;
}

Port::Port(PortIndex index, const config::PortConfig& config, PortPlan plan, unsigned workers,
           const PacketBuffers& buffers)
    : index_(index), config_(config), plan_(std::move(plan)) {
  open();
  try {
    configure(workers, buffers.only_one());
    set_up_queues(buffers);
    find_mac();
  } catch (...) {
    rte_eth_dev_close(id_);
    throw;
  }
}

Port::~Port() {
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

namespace {

std::string remedy(DeviceText::Kind kind) {
  if (kind == DeviceText::Kind::af_xdp || kind == DeviceText::Kind::af_packet) {
    if (const std::string right = missing_right(kind); !right.empty()) return "; " + right;
  }
  switch (kind) {
    case DeviceText::Kind::af_xdp:
      return "; has another program put XDP on it (ip link shows that)? net_af_packet,iface=NAME works with any";
    case DeviceText::Kind::af_packet:
      return "; is it an Ethernet interface?";
    case DeviceText::Kind::pci:
      return "; see `dpdk-devbind.py --status`, and the devices in docs/INSTALL.md";
    default:
      return "; compare driver and arguments with the devices in docs/INSTALL.md";
  }
}

}  // namespace

void Port::fail(const std::string& what, int result) const {
  const std::string complaint = Eal::take_complaint();
  throw EnvironmentError(plan_.key + ": " + config_.device + ": " + what + ": " + dpdk_error(result) +
                         (complaint.empty() ? "" : " (" + complaint + ")") + remedy(plan_.device.kind));
}

void Port::open() {
  std::string name = plan_.device.driver;  // of a PCI device: found when DPDK started
  if (plan_.device.kind != DeviceText::Kind::pci) {
    name += "_" + config_.name;  // unique, and DPDK finds the driver by the beginning
    (void)Eal::take_complaint();
    if (plan_.device.kind == DeviceText::Kind::af_xdp) silence_libraries();
    const DeviceSockets before(AF_PACKET);
    const int added = rte_eal_hotplug_add("vdev", name.c_str(), plan_.device.arguments_text().c_str());
    if (added != 0) fail("cannot be opened", added);
    if (plan_.device.kind == DeviceText::Kind::af_packet) arrivals_ = before.appeared();
  }
  const int found = rte_eth_dev_get_port_by_name(name.c_str(), &id_);
  if (found != 0) fail("DPDK has no driver that takes it", found);
}

void Port::choose_queues(const rte_eth_dev_info& info, unsigned workers) {
  std::uint16_t queues = std::min<std::uint16_t>(info.max_rx_queues, info.max_tx_queues);
  queues = static_cast<std::uint16_t>(std::min<unsigned>(queues, std::max(plan_.queues_max, 1U)));
  if (plan_.device.kind != DeviceText::Kind::af_xdp)
    queues = static_cast<std::uint16_t>(std::min<unsigned>(queues, workers));
  if (plan_.device.driver.starts_with("net_memif")) queues = 1;  // more only where the other side has as many
  receive_queues_ = transmit_queues_ = std::max<std::uint16_t>(queues, 1);
}

// What the device says that it can, it may yet refuse.
int Port::configure_steered(rte_eth_conf conf) {
  if (!steering_.by_device()) return -ENOTSUP;
  steering_.put_into(conf);
  const int result = rte_eth_dev_configure(id_, receive_queues_, transmit_queues_, &conf);
  if (result == 0) return 0;
  const std::string complaint = Eal::take_complaint();
  steering_.refuse("the device cannot be configured to steer: " + (complaint.empty() ? dpdk_error(result) : complaint));
  return result;
}

void Port::configure(unsigned workers, bool one_pool) {
  rte_eth_dev_info info{};
  if (const int result = rte_eth_dev_info_get(id_, &info); result != 0) fail("tells nothing of itself", result);
  driver_ = info.driver_name;
  choose_queues(info, workers);
  steering_ = DeviceSteering::of(
      info, {config_.role, plan_.device.on_kernel_interface(), workers, receive_queues_, plan_.piece_ports});

  rte_eth_conf conf{};
  // The kernel's interface has its MTU already; af_packet's driver says 1518 whatever it can do.
  const bool set_mtu = plan_.device.kind != DeviceText::Kind::af_packet;
  if (set_mtu) {
    if (config_.mtu > info.max_mtu) {
      throw EnvironmentError("port \"" + config_.name + "\": mtu: " + std::to_string(config_.mtu) + ": " +
                             config_.device + " takes at most " + std::to_string(info.max_mtu));
    }
    conf.rxmode.mtu = config_.mtu;
  }
  const std::uint64_t hash = info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  if (receive_queues_ > 1 && hash != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = hash;
  }
  if (one_pool) conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  int result = configure_steered(conf);
  if (result != 0) result = rte_eth_dev_configure(id_, receive_queues_, transmit_queues_, &conf);
  if (result != 0) fail("cannot be configured for " + std::to_string(receive_queues_) + " queues", result);

  receive_descriptors_ = transmit_descriptors_ = plan_.descriptors;
  result = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive_descriptors_, &transmit_descriptors_);
  if (result != 0) fail("takes no queue sizes", result);
}

void Port::set_up_queues(const PacketBuffers& buffers) {
  rte_mempool* pool = buffers.pool(plan_.receive_data_room);
  if (plan_.device.kind == DeviceText::Kind::af_xdp && pool->nb_mem_chunks != 1) {
    throw EnvironmentError(plan_.key + ": net_af_xdp wants all packet buffers in one piece of memory, there are " +
                           std::to_string(pool->nb_mem_chunks) +
                           "; lower limits.held_bytes or reserve huge pages of 1 GiB");
  }
  const int socket = rte_eth_dev_socket_id(id_);
  for (std::uint16_t queue = 0; queue < receive_queues_; ++queue) {
    const DeviceSockets before(AF_XDP);
    const int result =
        rte_eth_rx_queue_setup(id_, queue, receive_descriptors_, static_cast<unsigned>(socket), nullptr, pool);
    if (result != 0) fail("receive queue " + std::to_string(queue), result);
    if (plan_.device.kind == DeviceText::Kind::af_xdp)
      std::ranges::copy(before.appeared(), std::back_inserter(arrivals_));
  }
  for (std::uint16_t queue = 0; queue < transmit_queues_; ++queue) {
    const int result =
        rte_eth_tx_queue_setup(id_, queue, transmit_descriptors_, static_cast<unsigned>(socket), nullptr);
    if (result != 0) fail("transmit queue " + std::to_string(queue), result);
  }
}

void Port::find_mac() {
  rte_ether_addr address{};
  if (rte_eth_macaddr_get(id_, &address) != 0 || rte_is_zero_ether_addr(&address)) {
    rte_eth_random_addr(address.addr_bytes);
    rte_eth_dev_default_mac_addr_set(id_, &address);
  }
  std::copy_n(address.addr_bytes, mac_.size(), mac_.begin());
}

void Port::start() {
  if (const int result = rte_eth_dev_start(id_); result != 0) fail("does not start", result);
  steering_.start(id_);
  // Multicast for neighbour discovery and routing protocols. What cannot filter it is taken whole; frames for others
  // are sorted out when they are received.
  if (rte_eth_allmulticast_enable(id_) != 0) rte_eth_promiscuous_enable(id_);
}

// Of a driver that has another number of sockets it is not known whose they are.
int Port::arrivals(std::uint16_t queue) const noexcept {
  return arrivals_.size() == receive_queues_ ? arrivals_[queue] : -1;
}

Port::Link Port::link() const noexcept {
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(id_, &link) != 0) return {};
  if (plan_.interface && !plan_.interface->is_running()) link.link_status = RTE_ETH_LINK_DOWN;
  const bool known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN && link.link_status == RTE_ETH_LINK_UP;
  return {link.link_status == RTE_ETH_LINK_UP, known ? link.link_speed : 0};
}

Port::DeviceCounts Port::counts() const noexcept {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id_, &stats) != 0) return {};
  return {stats.imissed, stats.rx_nombuf, stats.ierrors, stats.oerrors};
}

}  // namespace sallyport::dataplane
