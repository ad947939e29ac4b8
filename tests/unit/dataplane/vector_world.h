// A World between vectors: what the pipeline sends, says and asks is kept for the test to look at.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/world.h"
#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane::test {

// Counts its buffers: what was given out must come back.
class VectorWorld : public World {
 public:
  static constexpr std::uint32_t room = 70000;

  [[nodiscard]] std::size_t transmit(PortIndex port, std::span<Packet> packets) noexcept override {
    if (onlooker_ != nullptr) onlooker_->sent(port, packets);
    for (Packet& packet : packets) {
      sent[port].emplace_back(packet.data, packet.data + packet.length);
      give_back(packet);
    }
    return 0;
  }
  void release(std::span<Packet> packets) noexcept override {
    if (onlooker_ != nullptr) onlooker_->released(packets);
    for (Packet& packet : packets) give_back(packet);
  }
  [[nodiscard]] bool allocate(std::uint32_t length, Packet& packet) noexcept override {
    if (length > room) return false;
    auto* bytes = new std::uint8_t[128 + length];  // no more, so that AddressSanitizer sees what is written behind
    packet = Packet{};
    packet.data = bytes + 128;
    packet.headroom = 128;
    packet.length = length;
    packet.buffer = bytes;
    ++buffers;
    return true;
  }
  void to_kernel(PortIndex port, Packet packet) noexcept override {
    if (onlooker_ != nullptr) onlooker_->went_to_kernel(port, packet);
    kernel[port].emplace_back(packet.data, packet.data + packet.length);
    give_back(packet);
  }
  void record(const FlowRecord& r) noexcept override { records.push_back(r); }
  void has_passed(Stage stage) noexcept override { passed.push_back(stage); }
  void resolve(PortIndex, const IpAddress& next_hop) noexcept override { asked.push_back(next_hop); }

  std::array<std::vector<Frame>, ports_max> sent, kernel;
  std::vector<FlowRecord> records;
  std::vector<IpAddress> asked;
  std::vector<Stage> passed;
  int buffers = 0;

 private:
  virtual void give_back(const Packet& packet) noexcept {
    delete[] static_cast<std::uint8_t*>(packet.buffer);
    --buffers;
  }
};

}  // namespace sallyport::dataplane::test
