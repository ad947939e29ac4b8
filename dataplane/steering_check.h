// Does a device that was told to steer do so? What its first packets say; nothing depends on it but speed, since each
// worker looks for itself whose a packet is.
#pragma once

#include <cstdint>

#include "config/appliance_model.h"
#include "dataplane/counters.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

// Who brings a port's packets to their workers.
enum class Steering : std::uint8_t {
  nobody,       // there is one worker
  rings,        // the device spreads them somehow
  device,       // what has ports, or inside: everything of a sender
  device_ipv4,  // likewise, IPv4 alone
};

// Packets that came to the worker that they were to come to, and others.
struct SteeringSums {
  struct OfFamily {
    std::uint64_t as_told = 0, elsewhere = 0;
  };
  OfFamily v4, v6;
};

// Of one port. Written by the worker, read by the control plane.
class SteeringCheck {
 public:
  // So many of each family say enough; one of which there are few is not waited for.
  static constexpr std::uint64_t counted_max = 4096;
  static constexpr std::uint64_t seen_max = 16 * counted_max;

  [[nodiscard]] bool has_seen_enough() const noexcept {
    return seen_ >= seen_max || (v4_.counted >= counted_max && v6_.counted >= counted_max);
  }
  // `worker` received the packet from the device.
  void look(const Packet& packet, config::PortRole role, std::uint32_t worker, std::uint32_t workers,
            std::uint32_t piece_ports) noexcept;
  void add_to(SteeringSums& sums) const noexcept;

 private:
  struct OfFamily {
    Counter as_told, elsewhere;
    std::uint64_t counted = 0;
  };
  OfFamily v4_, v6_;
  std::uint64_t seen_ = 0;
};

}  // namespace sallyport::dataplane
