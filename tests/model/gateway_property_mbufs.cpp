// The same comparison in DPDK's own buffers: those of the pool before and after are as many. DPDK starts once a
// process: a program of its own. SALLYPORT_SEED and SALLYPORT_PACKETS as in gateway_property.cpp.
#include <memory>

#include <gtest/gtest.h>

#include "dataplane/io/buffer.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/packet_buffers.h"
#include "dataplane/io/processors.h"
#include "gateway_pair.h"

namespace sallyport::model {
namespace {

using dataplane::Packet;

// Packets lie in mbufs of a pool, as in DeviceWorld.
class MbufWorld final : public dataplane::test::VectorWorld {
 public:
  explicit MbufWorld(rte_mempool* pool) : pool_(pool) {}

  [[nodiscard]] bool allocate(std::uint32_t length, Packet& packet) noexcept override {
    if (length + dataplane::buffer_headroom > rte_pktmbuf_data_room_size(pool_)) return false;
    rte_mbuf* buffer = dataplane::take_buffer(pool_);
    if (buffer == nullptr) return false;
    packet = Packet{};
    packet.data = rte_pktmbuf_mtod(buffer, std::uint8_t*);
    packet.headroom = rte_pktmbuf_headroom(buffer);
    packet.length = length;
    packet.buffer = buffer;
    ++buffers;
    return true;
  }

 private:
  void give_back(const Packet& packet) noexcept override {
    dataplane::give_buffer(static_cast<rte_mbuf*>(packet.buffer));
    --buffers;
  }

  rte_mempool* pool_;
};

// DPDK with a pool that packets of 1,500 bytes fit in.
class Pool {
 public:
  static constexpr std::uint32_t count = 8191;

  Pool() {
    const std::uint32_t room = dataplane::data_room(dataplane::DeviceText::Kind::other_virtual, 1500);
    buffers_.demand(room, count);
    dataplane::EalPlan plan;
    plan.allowed = dataplane::allowed_processors();
    plan.memory_bytes = buffers_.memory_bytes() + (64U << 20U);
    eal_ = std::make_unique<dataplane::Eal>(plan, [](dataplane::Severity, const std::string&) {});
    buffers_.create();
    pool_ = buffers_.pool(room);
  }
  ~Pool() { buffers_.destroy(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] rte_mempool* get() const { return pool_; }
  [[nodiscard]] unsigned available() const { return rte_mempool_avail_count(pool_); }

 private:
  dataplane::PacketBuffers buffers_;
  std::unique_ptr<dataplane::Eal> eal_;
  rte_mempool* pool_ = nullptr;
};

TEST(GatewayProperty, TheBuffersOfThePoolComeBack) {
  const Pool pool;
  ASSERT_EQ(pool.available(), Pool::count);
  MbufWorld world(pool.get());
  run_sequences(from_environment("SALLYPORT_SEED", 500'000), from_environment("SALLYPORT_PACKETS", 100'000), world);
  EXPECT_EQ(pool.available(), Pool::count);
}

}  // namespace
}  // namespace sallyport::model
