// Link: the Ethernet header of the way out.
#pragma once

#include "dataplane/core.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

// Ethernet header (and VLAN tags) of the way out, in front of the IP header.
inline void write_link(const Core& core, Packet& packet, std::uint16_t l3_offset, const Hop& hop) noexcept {
  using namespace wire;
  const PortSettings& out = core.port(hop.port);
  const auto header = static_cast<std::uint32_t>(sizeof(Ethernet)) + out.vlan.bytes();
  const std::uint16_t type = (packet.data[l3_offset] >> 4U) == 4 ? ethertype_ipv4 : ethertype_ipv6;
  packet.data += static_cast<std::ptrdiff_t>(l3_offset) - static_cast<std::ptrdiff_t>(header);
  packet.length = packet.length + header - l3_offset;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom + l3_offset - header);
  auto& link = at<Ethernet>(packet.data);
  link.destination = hop.destination_mac;
  link.source = out.mac;
  put_type(packet.data, out.vlan, type);
}

// The same for a packet that has one: in replay it stays as it came.
inline void put_link(const Core& core, Packet& packet, std::uint16_t l3_offset, const Hop& hop) noexcept {
  if (!hop.keep_macs) write_link(core, packet, l3_offset, hop);
}

}  // namespace sallyport::dataplane
