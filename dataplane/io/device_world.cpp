#include "dataplane/io/device_world.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include <sched.h>
#include <x86intrin.h>

#include "dataplane/io/buffer.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/partial_checksum.h"

namespace sallyport::dataplane {
namespace {

// The first six bytes of a frame as a number, in whatever order they lie.
[[nodiscard]] std::uint64_t station(const std::uint8_t* bytes) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof(MacAddress));
  return value;
}

}  // namespace

struct DeviceWorld::LaneState {
  explicit LaneState(const WorldSettings::Lane& lane, const PacketBuffers& buffers, WorldCounters::OfPort& its_counters)
      : id(lane.port->id()),
        index(lane.port->index()),
        transmit_queue(lane.transmit_queue),
        completes(lane.port->plan().device.on_kernel_interface()),
        own_station(station(lane.port->mac().data())),
        pool(buffers.pool(lane.port->plan().data_room)),
        receive_pool(buffers.pool(lane.port->plan().receive_data_room)),
        counters(its_counters) {}

  std::uint16_t id;
  PortIndex index;
  std::uint16_t transmit_queue;
  bool completes;  // checksums
  std::uint64_t own_station;
  rte_mempool* pool;
  rte_mempool* receive_pool;  // another one: frames are copied out of it
  WorldCounters::OfPort& counters;
};

DeviceWorld::DeviceWorld(WorldSettings settings) : settings_(std::move(settings)) {
  for (const WorldSettings::Lane& lane : settings_.lanes) {
    lanes_.emplace_back(lane, *settings_.buffers, counters_.ports[lane.port->index()]);
  }
  std::vector<int> sockets;
  for (const WorldSettings::Lane& lane : settings_.lanes) {
    for (const std::uint16_t queue : lane.receive_queues) sockets.push_back(lane.port->arrivals(queue));
  }
  if (std::ranges::count(sockets, -1) == 0) wait_.emplace(sockets, *settings_.wakes[settings_.worker]);
}

DeviceWorld::~DeviceWorld() = default;

const std::vector<std::uint16_t>& DeviceWorld::receive_queues(PortIndex port) const noexcept {
  return settings_.lanes[port].receive_queues;
}

std::size_t DeviceWorld::receive(PortIndex port, std::uint16_t queue, std::span<Packet> out) noexcept {
  LaneState& lane = lanes_[port];
  std::array<rte_mbuf*, receive_burst> frames;
  const std::size_t count = rte_eth_rx_burst(lane.id, queue, frames.data(), receive_burst);
  if (count == 0) return 0;
  buffers_arrive(std::span(frames).first(count));
  for (std::size_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(frames[i], void*));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (rte_mbuf* frame = make_fit(lane, frames[i]); frame != nullptr) out[kept++] = packet_of(frame, port);
  }
  return kept;
}

rte_mbuf* DeviceWorld::make_fit(LaneState& lane, rte_mbuf* frame) noexcept {
  const auto* bytes = rte_pktmbuf_mtod(frame, const std::uint8_t*);
  const bool to_many = (bytes[0] & 1U) != 0;
  if (!to_many && station(bytes) != lane.own_station) {
    lane.counters.other_host.add();
    give_buffer(frame);
    return nullptr;
  }
  if (frame->nb_segs != 1 || lane.pool != lane.receive_pool) {
    frame = into_one_buffer(lane, frame);
    if (frame == nullptr) return nullptr;
  }
  if ((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) (void)rte_vlan_insert(&frame);
  if (lane.completes && complete_checksum({rte_pktmbuf_mtod(frame, std::uint8_t*), frame->data_len})) {
    lane.counters.checksums_completed.add();
  }
  return frame;
}

// Out of several buffers, or out of one of the few large ones. What fits nowhere else stays in its large buffer as long
// as most of them are free for the device.
rte_mbuf* DeviceWorld::into_one_buffer(LaneState& lane, rte_mbuf* frame) noexcept {
  const std::uint32_t length = frame->pkt_len;
  if (length + buffer_headroom > rte_pktmbuf_data_room_size(lane.pool)) {
    const bool spare = rte_mempool_avail_count(lane.receive_pool) > lane.receive_pool->size / 2;
    if (frame->nb_segs == 1 && spare) return frame;
  } else if (rte_mbuf* copy = take_buffer(lane.pool); copy != nullptr) {
    const void* bytes = rte_pktmbuf_read(frame, 0, length, rte_pktmbuf_mtod(copy, void*));
    if (bytes != rte_pktmbuf_mtod(copy, void*)) std::memcpy(rte_pktmbuf_mtod(copy, void*), bytes, length);
    copy->data_len = static_cast<std::uint16_t>(length);
    copy->pkt_len = length;
    copy->vlan_tci = frame->vlan_tci;
    copy->ol_flags = frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
    give_buffer(frame);
    return copy;
  }
  counters_.no_buffer.add();
  lane.counters.unseen_packets.add();
  lane.counters.unseen_bytes.add(length);
  give_buffer(frame);
  return nullptr;
}

std::size_t DeviceWorld::receive_handed_over(std::span<Packet> out) noexcept {
  std::array<void*, burst_max> frames;
  const std::size_t count =
      settings_.arrivals[settings_.worker]->pop(std::span(frames).first(std::min(out.size(), frames.size())));
  for (std::size_t i = 0; i < count; ++i) {
    auto* frame = static_cast<rte_mbuf*>(frames[i]);
    out[i] = *static_cast<const Packet*>(rte_mbuf_to_priv(frame));
    rte_prefetch0(out[i].data);
  }
  return count;
}

std::size_t DeviceWorld::hand_over(std::uint32_t worker, std::span<Packet> packets) noexcept {
  std::size_t taken = 0;
  for (std::size_t done = 0; done < packets.size(); done += burst_max) {
    const std::span part = packets.subspan(done, std::min(burst_max, packets.size() - done));
    std::array<void*, burst_max> frames;
    for (std::size_t i = 0; i < part.size(); ++i) {
      frames[i] = part[i].buffer;
      new (rte_mbuf_to_priv(static_cast<rte_mbuf*>(part[i].buffer))) Packet(part[i]);
    }
    taken += settings_.arrivals[worker]->push(std::span(frames).first(part.size()));
    if (taken != done + part.size()) break;
  }
  settings_.wakes[worker]->signal();
  counters_.handed_over.add(taken);
  if (onlooker_ != nullptr) onlooker_->handed_over(worker, packets);
  const std::span refused = packets.subspan(taken);
  for (const Packet& packet : refused) {
    counters_.queue_full.add(packet.weight);
    lanes_[packet.port].counters.unseen_packets.add(packet.weight);
    lanes_[packet.port].counters.unseen_bytes.add(packet.length);
  }
  release(refused);
  return refused.size();
}

std::size_t DeviceWorld::send(LaneState& lane, std::span<rte_mbuf*> frames) noexcept {
  SpinLock* lock = settings_.lanes[lane.index].transmit_lock;
  if (lock != nullptr) lock->lock();
  buffers_leave(frames);
  const std::size_t sent =
      rte_eth_tx_burst(lane.id, lane.transmit_queue, frames.data(), static_cast<std::uint16_t>(frames.size()));
  if (lock != nullptr) lock->unlock();
  return sent;
}

std::size_t DeviceWorld::transmit(PortIndex port, std::span<Packet> packets) noexcept {
  if (onlooker_ != nullptr) onlooker_->sent(port, packets);
  std::size_t sent = 0;
  for (std::size_t done = 0; done < packets.size() && sent == done; done += burst_max) {
    const std::span part = packets.subspan(done, std::min(burst_max, packets.size() - done));
    std::array<rte_mbuf*, burst_max> frames;
    for (std::size_t i = 0; i < part.size(); ++i) frames[i] = frame_of(part[i]);
    sent += send(lanes_[port], std::span(frames).first(part.size()));
  }
  const std::span refused = packets.subspan(sent);
  if (refused.empty()) return 0;
  if (onlooker_ != nullptr) onlooker_->refused(port, refused);
  release(refused);
  return refused.size();
}

bool DeviceWorld::send_from_kernel(bool mute) noexcept {
  bool any = false;
  for (LaneState& lane : lanes_) {
    const WorldSettings::Lane& settings = settings_.lanes[lane.index];
    if (!settings.home || settings.twin->to_wire.empty()) continue;
    std::array<void*, receive_burst> pointers;
    std::array<rte_mbuf*, receive_burst> frames;
    const std::size_t count = settings.twin->to_wire.pop(pointers);
    for (std::size_t i = 0; i < count; ++i) frames[i] = static_cast<rte_mbuf*>(pointers[i]);
    any = true;
    if (mute) {
      give_buffers(std::span(pointers).first(count));
      lane.counters.from_kernel_lost.add(count);
      continue;
    }
    const std::size_t sent = send(lane, std::span(frames).first(count));
    for (rte_mbuf* frame : std::span(frames).subspan(sent, count - sent)) give_buffer(frame);
    lane.counters.from_kernel_lost.add(count - sent);
  }
  return any;
}

void DeviceWorld::release(std::span<Packet> packets) noexcept {
  if (onlooker_ != nullptr) onlooker_->released(packets);
  for (const Packet& packet : packets) give_buffer(static_cast<rte_mbuf*>(packet.buffer));
}

bool DeviceWorld::allocate(std::uint32_t length, Packet& packet) noexcept {
  rte_mempool* pool = settings_.buffers->pool_for_frame(length);
  rte_mbuf* frame = pool == nullptr ? nullptr : take_buffer(pool);
  if (frame == nullptr) return false;
  frame->data_len = static_cast<std::uint16_t>(length);
  frame->pkt_len = length;
  packet = packet_of(frame, no_port);
  return true;
}

void DeviceWorld::to_kernel(PortIndex port, Packet packet) noexcept {
  if (onlooker_ != nullptr) onlooker_->went_to_kernel(port, packet);
  void* frame = frame_of(packet);
  if (settings_.lanes[port].twin->to_kernel.push({&frame, 1}) == 1) {
    settings_.twin_wake->signal();
    return;
  }
  lanes_[port].counters.to_kernel_lost.add();
  give_buffer(static_cast<rte_mbuf*>(frame));
}

void DeviceWorld::record(const FlowRecord& record) noexcept {
  if (settings_.records->push(record)) return;
  using Clock = std::chrono::steady_clock;
  const auto enough = Clock::now() + std::chrono::seconds(1);
  while (patient_ && Clock::now() < enough) {
    if (settings_.records->push(record)) return;
    ::sched_yield();
  }
  patient_ = false;  // nobody reads
  counters_.records_lost.add();
}

// A full ring: the packet's wait ends by time, and the next one asks again.
void DeviceWorld::begin_stages() noexcept { stage_began_ = __rdtsc(); }

void DeviceWorld::has_passed(Stage stage) noexcept {
  const std::uint64_t now = __rdtsc();
  counters_.stage_cycles[static_cast<std::size_t>(stage)].add(now - stage_began_);
  stage_began_ = now;
}

void DeviceWorld::resolve(PortIndex port, const IpAddress& next_hop) noexcept {
  (void)settings_.requests->push({port, next_hop});
  settings_.routes_wake->signal();
}

}  // namespace sallyport::dataplane
