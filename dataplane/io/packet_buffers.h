// mbuf pools: how many buffers of which size, known before DPDK starts, because without huge pages it wants to be told.
//
// A frame never spans buffers: a port's buffers hold its largest frame whole. Ports of one frame size share a pool, so
// that drivers that lend memory to the kernel (af_xdp) pass frames on without copying.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "dataplane/io/device_text.h"

struct rte_mbuf;
struct rte_mempool;

namespace sallyport::dataplane {

// Bytes in front of every frame for headers to come.
inline constexpr std::uint32_t buffer_headroom = 128;

// Bytes of a buffer for frames of an MTU, headroom and what the driver wants for itself included.
[[nodiscard]] std::uint32_t data_room(DeviceText::Kind kind, std::uint16_t mtu);

// af_packet: the kernel puts IPv4 fragments together before the driver sees them, so datagrams may be larger than the
// MTU. They are received into a few buffers of this size; what fits is copied into a common one.
inline constexpr std::uint32_t large_frame_bytes = 16384;
inline constexpr std::uint32_t large_buffers_a_queue = 256;

class PacketBuffers {
 public:
  // Before DPDK stands: room for so many more buffers.
  void demand(std::uint32_t data_room, std::uint32_t count) { counts_[data_room] += count; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  // Afterwards. Throws EnvironmentError where there is not enough memory.
  void create();
  void destroy() noexcept;
  // The pool of the size as demanded.
  [[nodiscard]] rte_mempool* pool(std::uint32_t data_room) const { return pools_.at(data_room); }
  // The smallest one with room for a frame of so many bytes; null: none has.
  [[nodiscard]] rte_mempool* pool_for_frame(std::uint32_t bytes) const noexcept;
  [[nodiscard]] bool only_one() const noexcept { return counts_.size() == 1; }

 private:
  std::map<std::uint32_t, std::uint32_t> counts_;  // data room -> buffers
  std::map<std::uint32_t, rte_mempool*> pools_;
};

}  // namespace sallyport::dataplane
