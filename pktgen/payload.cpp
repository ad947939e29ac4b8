#include "pktgen/payload.h"

#include <algorithm>

#include "dataplane/wire/headers.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;

Bytes behind_transport(std::uint8_t protocol, Bytes packet) noexcept {
  if (protocol == udp && packet.size() >= sizeof(wire::Udp)) {
    const std::size_t length = wire::at<wire::Udp>(packet.data()).length.get();
    if (length < sizeof(wire::Udp) || length > packet.size()) return {};
    return packet.subspan(sizeof(wire::Udp), length - sizeof(wire::Udp));
  }
  if (protocol == tcp && packet.size() >= sizeof(wire::Tcp)) {
    return packet.subspan(std::min<std::size_t>(wire::at<wire::Tcp>(packet.data()).header_bytes(), packet.size()));
  }
  return {};
}

Bytes behind_ipv4(Bytes packet) noexcept {
  if (packet.size() < sizeof(wire::Ipv4)) return {};
  const auto& ip = wire::at<wire::Ipv4>(packet.data());
  const std::size_t total = ip.total_length.get();
  const bool fragment = (ip.fragment.get() & (wire::Ipv4::more_fragments | wire::Ipv4::offset_mask)) != 0;
  if (fragment || ip.header_bytes() < sizeof(wire::Ipv4) || total < ip.header_bytes() || total > packet.size())
    return {};
  return behind_transport(ip.protocol, packet.subspan(ip.header_bytes(), total - ip.header_bytes()));
}

Bytes behind_ipv6(Bytes packet) noexcept {
  if (packet.size() < sizeof(wire::Ipv6)) return {};
  const auto& ip = wire::at<wire::Ipv6>(packet.data());
  const std::size_t length = ip.payload_length.get();
  if (sizeof(wire::Ipv6) + length > packet.size()) return {};
  return behind_transport(ip.next_header, packet.subspan(sizeof(wire::Ipv6), length));
}

}  // namespace

std::span<const std::uint8_t> transport_payload(std::span<const std::uint8_t> frame) noexcept {
  if (frame.size() < sizeof(wire::Ethernet)) return {};
  std::uint16_t type = wire::at<wire::Ethernet>(frame.data()).type.get();
  frame = frame.subspan(sizeof(wire::Ethernet));
  while ((type == wire::ethertype_vlan || type == wire::ethertype_qinq) && frame.size() >= sizeof(wire::VlanTag)) {
    type = wire::at<wire::VlanTag>(frame.data()).type.get();
    frame = frame.subspan(sizeof(wire::VlanTag));
  }
  if (type == wire::ethertype_ipv4) return behind_ipv4(frame);
  if (type == wire::ethertype_ipv6) return behind_ipv6(frame);
  return {};
}

}  // namespace sallyport::pktgen
