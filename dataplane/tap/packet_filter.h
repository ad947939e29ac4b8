// Which packets somebody wants to see. Asked by workers, so it is quick and changes nothing.
//
// It is asked of IP packets rather than of frames: link headers differ, and VLAN tags and tunnels stand in front of
// what people think of as their packet.
#pragma once

#include <cstdint>
#include <span>

namespace sallyport::dataplane {

class PacketFilter {
 public:
  PacketFilter() = default;
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;
  virtual ~PacketFilter() = default;

  // From the IP header to the packet's end.
  [[nodiscard]] virtual bool accepts(std::span<const std::uint8_t> ip) const noexcept = 0;
};

}  // namespace sallyport::dataplane
