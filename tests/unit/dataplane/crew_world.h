// The world of one worker among several: what it hands over waits with its receiver's number, for all of them in one
// queue.
#pragma once

#include <deque>
#include <utility>

#include "tests/unit/dataplane/vector_world.h"

namespace sallyport::dataplane::test {

class CrewWorld final : public VectorWorld {
 public:
  using Arrivals = std::deque<std::pair<std::uint32_t, Packet>>;
  explicit CrewWorld(Arrivals& arrivals) : arrivals_(arrivals) {}

  [[nodiscard]] std::size_t hand_over(std::uint32_t worker, std::span<Packet> packets) noexcept override {
    for (Packet& packet : packets) arrivals_.emplace_back(worker, packet);
    buffers -= static_cast<int>(packets.size());
    return 0;
  }

 private:
  Arrivals& arrivals_;
};

}  // namespace sallyport::dataplane::test
