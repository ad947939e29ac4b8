#include "dataplane/io/twin_pump.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include <poll.h>
#include <pthread.h>

#include "dataplane/io/buffer.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/wire/vlan.h"

namespace sallyport::dataplane {
namespace {

using wire::addresses_bytes;

constexpr int link_period_ms = 50;  // so much later keepalived sees that a wire is dead
// What the kernel wanted to say before a stop of so long (SIGSTOP, a paused machine) is not said afterwards: of VRRP,
// that this box is the master.
constexpr std::chrono::milliseconds stale_after(600);
constexpr std::size_t turn_frames = 64;  // of one lane, before the next has its turn

[[nodiscard]] wire::VlanTags tags_of(const TwinLane& lane) {
  return {lane.port.config().vlan, lane.port.config().service_vlan};
}

// A buffer with an untagged frame of at most `room` bytes filled in by `fill`, which answers its length (0: no frame);
// null: no buffer, or no frame. The tags are already in their place.
template <typename Fill>
rte_mbuf* make_frame(const TwinLane& lane, Fill&& fill) {
  rte_mbuf* buffer = take_buffer(lane.pool);
  if (buffer == nullptr) return nullptr;
  const wire::VlanTags tags = tags_of(lane);
  const std::uint32_t tag_bytes = tags.bytes();
  auto* data = rte_pktmbuf_mtod(buffer, std::uint8_t*);
  const std::size_t length = fill(std::span(data + tag_bytes, rte_pktmbuf_tailroom(buffer) - tag_bytes));
  if (length == 0) {
    give_buffer(buffer);
    return nullptr;
  }
  if (tag_bytes != 0) {
    std::memmove(data, data + tag_bytes, addresses_bytes);
    wire::put_type(data, tags, wire::at<wire::Be16>(data + tag_bytes + addresses_bytes).get());
  }
  buffer->data_len = static_cast<std::uint16_t>(length + tag_bytes);
  buffer->pkt_len = buffer->data_len;
  return buffer;
}

bool push(TwinLane& lane, rte_mbuf* buffer) {
  void* pointer = buffer;
  if (lane.to_wire.push({&pointer, 1}) == 1) {
    lane.home.signal();
    return true;
  }
  give_buffer(buffer);
  return false;
}

// The tags are cut out: the addresses move up to what follows them.
std::span<const std::uint8_t> untagged(std::span<std::uint8_t> frame, std::size_t tag_bytes) {
  if (tag_bytes == 0 || frame.size() < addresses_bytes + tag_bytes) return frame;
  std::memmove(frame.data() + tag_bytes, frame.data(), addresses_bytes);
  return frame.subspan(tag_bytes);
}

}  // namespace

TwinPump::TwinPump(std::vector<std::unique_ptr<TwinLane>>& lanes) : lanes_(lanes), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "sp-twins");
}

TwinPump::~TwinPump() {
  ended_.store(true, std::memory_order_release);
  wake_.signal();
  thread_.join();
  for (const auto& lane : lanes_) {
    from_wire(*lane);
    std::array<void*, turn_frames> frames;
    while (const std::size_t count = lane->to_wire.pop(frames)) give_buffers(std::span(frames).first(count));
  }
}

void TwinPump::send(TwinLane& lane, std::span<const std::uint8_t> frame) noexcept {
  rte_mbuf* buffer = make_frame(lane, [&](std::span<std::uint8_t> room) -> std::size_t {
    if (frame.size() > room.size()) return 0;
    std::copy(frame.begin(), frame.end(), room.begin());
    return frame.size();
  });
  if (buffer != nullptr) push(lane, buffer);
}

void TwinPump::run() noexcept {
  std::vector<pollfd> waiting{{wake_.file_descriptor(), POLLIN, 0}};
  for (const auto& lane : lanes_) waiting.push_back({lane->twin->file_descriptor(), POLLIN, 0});
  auto next_link_look = std::chrono::steady_clock::now();
  auto last_turn = next_link_look;
  while (!ended_.load(std::memory_order_acquire)) {
    ::poll(waiting.data(), waiting.size(), link_period_ms);
    wake_.clear();
    const auto turn = std::chrono::steady_clock::now();
    if (turn - std::exchange(last_turn, turn) > stale_after) discard();
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      from_wire(*lanes_[i]);
      if ((waiting[i + 1].revents & POLLIN) != 0) from_kernel(*lanes_[i]);
    }
    if (const auto now = std::chrono::steady_clock::now(); now >= next_link_look) {
      look_at_links();
      next_link_look = now + std::chrono::milliseconds(link_period_ms);
    }
  }
}

void TwinPump::discard() noexcept {
  std::array<std::uint8_t, 16384> frame;
  for (const auto& lane : lanes_) {
    for (std::size_t i = 0; i < TwinLane::ring_capacity && lane->twin->read(frame) != 0; ++i) lane->read_lost.add();
  }
}

void TwinPump::look_at_links() noexcept {
  if (!links_.load(std::memory_order_acquire)) return;
  for (const auto& lane : lanes_) lane->twin->set_carrier(lane->port.link().up, netlink_);
}

void TwinPump::from_wire(TwinLane& lane) noexcept {
  std::array<void*, turn_frames> frames;
  while (const std::size_t count = lane.to_kernel.pop(frames)) {
    for (std::size_t i = 0; i < count; ++i) {
      auto* buffer = static_cast<rte_mbuf*>(frames[i]);
      const std::span frame(rte_pktmbuf_mtod(buffer, std::uint8_t*), buffer->data_len);
      const bool taken = lane.twin->write(untagged(frame, tags_of(lane).bytes()));
      (taken ? lane.written : lane.write_lost).add();
    }
    give_buffers(std::span(frames).first(count));
  }
}

// Without a buffer the frame stays with the kernel until there is one.
void TwinPump::from_kernel(TwinLane& lane) noexcept {
  for (std::size_t i = 0; i < turn_frames; ++i) {
    rte_mbuf* buffer = make_frame(lane, [&](std::span<std::uint8_t> room) { return lane.twin->read(room); });
    if (buffer == nullptr) return;
    (push(lane, buffer) ? lane.read : lane.read_lost).add();
  }
}

}  // namespace sallyport::dataplane
