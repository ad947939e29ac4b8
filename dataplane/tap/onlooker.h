// Somebody who looks on while a pipeline runs: a World that has one tells it what becomes of packets, before it happens
// to them. Nothing may be changed, and nothing is kept but copies.
#pragma once

#include <span>

#include "dataplane/packet.h"

namespace sallyport::dataplane {

class Onlooker {
 public:
  Onlooker() = default;
  Onlooker(const Onlooker&) = delete;
  Onlooker& operator=(const Onlooker&) = delete;
  virtual ~Onlooker() = default;

  // Offered to the device.
  virtual void sent(PortIndex port, std::span<const Packet> packets) noexcept = 0;
  // The last ones of those: it did not take them.
  virtual void refused(PortIndex port, std::span<const Packet> packets) noexcept = 0;
  // Given back; each says by `ended_by` whether and why it has ended.
  virtual void released(std::span<const Packet> packets) noexcept = 0;
  virtual void went_to_kernel(PortIndex port, const Packet& packet) noexcept = 0;
  virtual void handed_over(std::uint32_t worker, std::span<const Packet> packets) noexcept = 0;
};

}  // namespace sallyport::dataplane
