#include "dataplane/io/packet_buffers.h"

#include <algorithm>
#include <string>

#include "dataplane/io/dpdk.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {
namespace {

static_assert(buffer_headroom == RTE_PKTMBUF_HEADROOM);

constexpr std::uint32_t ethernet_bytes = 14 + 2 * 4;  // and two VLAN tags
constexpr std::uint32_t xdp_headroom = 256;           // taken by the kernel in front of each frame
constexpr std::uint32_t smallest_room = RTE_MBUF_DEFAULT_BUF_SIZE;
constexpr std::uint32_t private_bytes = RTE_ALIGN(static_cast<std::uint32_t>(sizeof(Packet)), RTE_MBUF_PRIV_ALIGN);
constexpr unsigned cache_size = 256;  // buffers each worker keeps back

std::uint32_t object_bytes(std::uint32_t data_room) {
  const auto element = static_cast<std::uint32_t>(sizeof(rte_mbuf)) + private_bytes + data_room;
  return rte_mempool_calc_obj_size(element, 0, nullptr);
}

// As rte_pktmbuf_pool_create() does, but for two things.
//
// Buffers lie side by side: by default none crosses a page, which without huge pages is one buffer in each 4 KiB, and
// net_af_xdp, which reckons with buffers side by side, lends the kernel only the first part of the pool: the rest is
// lost one by one as it comes into use, until nothing is received. Where devices see virtual addresses there is no need
// for it.
//
// Free buffers are kept by a ring whose writers do not wait for one that the scheduler has taken away: threads of the
// control plane take and give, too.
rte_mempool* make_pool(std::uint32_t data_room, std::uint32_t count) {
  const std::string name = "buffers_" + std::to_string(data_room);
  const auto element = static_cast<unsigned>(sizeof(rte_mbuf)) + private_bytes + data_room;
  const unsigned flags = rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
  rte_mempool* pool = rte_mempool_create_empty(name.c_str(), count, element, cache_size,
                                               sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY, flags);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private rooms{};
  rooms.mbuf_data_room_size = static_cast<std::uint16_t>(data_room);
  rooms.mbuf_priv_size = static_cast<std::uint16_t>(private_bytes);
  rte_pktmbuf_pool_init(pool, &rooms);
  const int populated =
      rte_mempool_set_ops_byname(pool, "ring_mt_rts", nullptr) == 0 ? rte_mempool_populate_default(pool) : -1;
  if (populated < 0) {
    rte_mempool_free(pool);
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace

std::uint32_t data_room(DeviceText::Kind kind, std::uint16_t mtu) {
  std::uint32_t bytes = mtu + ethernet_bytes;
  if (kind == DeviceText::Kind::af_xdp) {
    bytes = RTE_ALIGN(bytes + xdp_headroom, 64U);  // one buffer, its head included, has to lie in one page
  } else if (bytes > smallest_room - buffer_headroom) {
    bytes = RTE_ALIGN(bytes, 1024U);  // network cards take sizes in such steps
  }
  return std::max(smallest_room, bytes + buffer_headroom);
}

std::size_t PacketBuffers::memory_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& [room, count] : counts_) bytes += std::size_t{object_bytes(room)} * count;
  return bytes;
}

void PacketBuffers::create() {
  for (const auto& [room, count] : counts_) {
    rte_mempool* pool = make_pool(room, count);
    if (pool == nullptr) {
      const std::size_t mebibytes = (std::size_t{object_bytes(room)} * count) >> 20U;
      throw EnvironmentError("no memory for " + std::to_string(count) + " packet buffers (" +
                             std::to_string(mebibytes) + " MiB): " + dpdk_error(-1) +
                             "; lower limits.held_bytes or the MTU, or give more huge pages");
    }
    pools_.emplace(room, pool);
  }
}

void PacketBuffers::destroy() noexcept {
  for (const auto& [room, pool] : pools_) rte_mempool_free(pool);
  pools_.clear();
}

rte_mempool* PacketBuffers::pool_for_frame(std::uint32_t bytes) const noexcept {
  const auto found = pools_.lower_bound(bytes + buffer_headroom);
  return found == pools_.end() ? nullptr : found->second;
}

}  // namespace sallyport::dataplane
