#include "src/replay_world.h"

#include <cstring>
#include <new>

#include <sys/mman.h>

namespace sallyport {
namespace {

using dataplane::Packet;
using dataplane::PortIndex;

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t buffer_bytes =
    (ReplayBuffers::headroom + ReplayBuffers::frame_bytes_max + page_bytes - 1) / page_bytes * page_bytes;
constexpr std::uint32_t buffers_wanted = 1U << 18U;
constexpr std::uint32_t buffers_least = 1U << 13U;

}  // namespace

ReplayBuffers::ReplayBuffers() {
  for (count_ = buffers_wanted; count_ >= buffers_least; count_ /= 2) {
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* start = mmap(nullptr, count_ * buffer_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (start == MAP_FAILED) continue;
    region_ = static_cast<std::uint8_t*>(start);
    return;
  }
  throw std::bad_alloc();
}

ReplayBuffers::~ReplayBuffers() { munmap(region_, count_ * buffer_bytes); }

bool ReplayBuffers::take(Packet& packet) noexcept {
  if (free_ == 0 && fresh_ == count_) return false;
  const std::uint32_t number = free_ != 0 ? free_ - 1 : fresh_++;
  std::uint8_t* start = region_ + number * buffer_bytes;
  if (free_ != 0) std::memcpy(&free_, start, sizeof free_);
  packet = Packet{};
  packet.data = start + headroom;
  packet.headroom = headroom;
  packet.buffer = start;
  return true;
}

void ReplayBuffers::give_back(const Packet& packet) noexcept {
  auto* start = static_cast<std::uint8_t*>(packet.buffer);
  std::memcpy(start, &free_, sizeof free_);
  free_ = static_cast<std::uint32_t>(static_cast<std::size_t>(start - region_) / buffer_bytes) + 1;
}

std::size_t ReplayWorld::transmit(PortIndex port, std::span<Packet> packets) noexcept {
  CaptureWriter& alone = outputs_.of_port[port];
  for (const Packet& packet : packets) {
    const std::span<const std::uint8_t> frame(packet.data, packet.length);
    if (outputs_.all.is_open()) outputs_.all.write(port, now_, frame);
    if (alone.is_open()) alone.write(0, now_, frame);
  }
  release(packets);
  return 0;
}

void ReplayWorld::release(std::span<Packet> packets) noexcept {
  for (const Packet& packet : packets) buffers_.give_back(packet);
}

bool ReplayWorld::allocate(std::uint32_t length, Packet& packet) noexcept {
  if (length > ReplayBuffers::frame_bytes_max || !buffers_.take(packet)) return false;
  packet.length = length;
  return true;
}

// There is none: what it would have got ends here.
void ReplayWorld::to_kernel(PortIndex, Packet packet) noexcept { buffers_.give_back(packet); }

void ReplayWorld::record(const dataplane::FlowRecord& record) noexcept {
  if (!outputs_.flows.is_open()) return;
  line_.clear();
  append_json(line_, record, identities_);
  line_.push_back('\n');
  outputs_.flows.append(std::string_view(line_.data(), line_.size()));
}

void ReplayWorld::resolve(PortIndex, const IpAddress&) noexcept {}

}  // namespace sallyport
