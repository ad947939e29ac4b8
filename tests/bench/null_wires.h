// A device between the contestants: DPDK's net_null. Its frames come blank and go nowhere, but each is a buffer of a
// pool that is taken, handed on by the driver, and given back, as with any device. Whoever stamps them makes traffic of
// them.
#pragma once

#include <array>
#include <cstdlib>
#include <memory>
#include <span>
#include <stdexcept>

#include "dataplane/io/buffer.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/processors.h"
#include "tests/bench/established_flows.h"

namespace sallyport::dataplane::bench {

// One in the process, with one queue each way.
class NullDevice {
 public:
  static constexpr std::uint16_t id = 0;  // DPDK's number for it

  [[nodiscard]] static NullDevice& get() {
    static NullDevice device;
    return device;
  }
  [[nodiscard]] rte_mempool* pool() const noexcept { return pool_; }

 private:
  static constexpr unsigned buffers = 2047, kept_ready = 256;
  static constexpr std::uint16_t descriptors = 512;

  NullDevice() : eal_({{}, allowed_processors(), std::size_t{64} << 20U, false, {}, {"--vdev=net_null0,size=60"}}, {}) {
    pool_ = rte_pktmbuf_pool_create("null", buffers, kept_ready, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    const rte_eth_conf plain{};
    const bool stands = pool_ != nullptr && rte_eth_dev_configure(id, 1, 1, &plain) == 0 &&
                        rte_eth_rx_queue_setup(id, 0, descriptors, 0, nullptr, pool_) == 0 &&
                        rte_eth_tx_queue_setup(id, 0, descriptors, 0, nullptr) == 0 && rte_eth_dev_start(id) == 0;
    if (!stands) throw std::runtime_error("net_null does not start: " + Eal::take_complaint());
  }

  Eal eal_;
  rte_mempool* pool_;
};

class NullWires final : public Wires {
 public:
  void take(std::span<Packet> burst, std::uint32_t bytes) noexcept override {
    std::array<rte_mbuf*, burst_size> frames;
    const auto wanted = static_cast<std::uint16_t>(burst.size());
    if (rte_eth_rx_burst(NullDevice::id, 0, frames.data(), wanted) != wanted) std::abort();  // out of buffers
    for (std::size_t i = 0; i < burst.size(); ++i) {
      burst[i] = packet_of(frames[i], no_port);
      burst[i].length = bytes;
    }
  }
  std::size_t transmit(PortIndex, std::span<Packet> packets) noexcept override {
    std::array<rte_mbuf*, burst_max> frames;
    const std::span<rte_mbuf*> out = std::span(frames).first(packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) out[i] = frame_of(packets[i]);
    sent += rte_eth_tx_burst(NullDevice::id, 0, out.data(), static_cast<std::uint16_t>(out.size()));
    return 0;
  }
  void release(std::span<Packet> packets) noexcept override {
    lost += packets.size();
    for (const Packet& packet : packets) give_buffer(static_cast<rte_mbuf*>(packet.buffer));
  }
  bool allocate(std::uint32_t length, Packet& packet) noexcept override {
    rte_mbuf* frame = take_buffer(device_.pool());
    if (frame == nullptr) return false;
    packet = packet_of(frame, no_port);
    packet.length = length;
    return true;
  }

 private:
  NullDevice& device_ = NullDevice::get();
};

[[nodiscard]] inline std::unique_ptr<Wires> device() { return std::make_unique<NullWires>(); }

}  // namespace sallyport::dataplane::bench
