#include "pktgen/payload.h"

#include <algorithm>

#include "dataplane/wire/headers.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Bytes = std::span<const std::uint8_t>;

// `found.header` and `found.end` are known.
bool find_payload(Bytes frame, Transport& found) noexcept {
  const Bytes packet = frame.subspan(found.header, found.end - found.header);
  if (found.protocol == protocol_udp && packet.size() >= sizeof(wire::Udp)) {
    const std::size_t length = wire::at<wire::Udp>(packet.data()).length.get();
    if (length < sizeof(wire::Udp) || length > packet.size()) return false;
    found.payload = found.header + sizeof(wire::Udp);
    found.end = found.header + length;
    return true;
  }
  if (found.protocol == protocol_tcp && packet.size() >= sizeof(wire::Tcp)) {
    const std::size_t header = wire::at<wire::Tcp>(packet.data()).header_bytes();
    found.payload = found.header + header;
    return header >= sizeof(wire::Tcp) && header <= packet.size();
  }
  return false;
}

bool find_behind_ipv4(Bytes packet, Transport& found) noexcept {
  const auto& ip = wire::at<wire::Ipv4>(packet.data());
  const std::size_t total = ip.total_length.get();
  const bool fragment = (ip.fragment.get() & (wire::Ipv4::more_fragments | wire::Ipv4::offset_mask)) != 0;
  if (fragment || ip.header_bytes() < sizeof(wire::Ipv4) || total < ip.header_bytes() || total > packet.size())
    return false;
  found.protocol = ip.protocol;
  found.header = found.ip + ip.header_bytes();
  found.end = found.ip + total;
  return true;
}

bool find_behind_ipv6(Bytes packet, Transport& found) noexcept {
  const auto& ip = wire::at<wire::Ipv6>(packet.data());
  const std::size_t length = ip.payload_length.get();
  if (sizeof(wire::Ipv6) + length > packet.size()) return false;
  found.protocol = ip.next_header;
  found.header = found.ip + sizeof(wire::Ipv6);
  found.end = found.header + length;
  return true;
}

}  // namespace

std::optional<Network> find_network(Bytes frame) noexcept {
  if (frame.size() < sizeof(wire::Ethernet)) return std::nullopt;
  Network found;
  std::uint16_t type = wire::at<wire::Ethernet>(frame.data()).type.get();
  found.ip = sizeof(wire::Ethernet);
  while ((type == wire::ethertype_vlan || type == wire::ethertype_qinq) &&
         frame.size() >= found.ip + sizeof(wire::VlanTag)) {
    type = wire::at<wire::VlanTag>(frame.data() + found.ip).type.get();
    found.ip += sizeof(wire::VlanTag);
  }
  found.family = type == wire::ethertype_ipv6 ? Family::v6 : Family::v4;
  const std::size_t header = found.family == Family::v6 ? sizeof(wire::Ipv6) : sizeof(wire::Ipv4);
  const bool known = type == wire::ethertype_ipv4 || type == wire::ethertype_ipv6;
  return known && frame.size() >= found.ip + header ? std::optional(found) : std::nullopt;
}

std::optional<Transport> find_transport(Bytes frame) noexcept {
  const std::optional<Network> network = find_network(frame);
  if (!network) return std::nullopt;
  Transport found;
  found.family = network->family;
  found.ip = network->ip;
  const Bytes packet = frame.subspan(found.ip);
  const bool whole = found.family == Family::v4 ? find_behind_ipv4(packet, found) : find_behind_ipv6(packet, found);
  return whole && find_payload(frame, found) ? std::optional(found) : std::nullopt;
}

Bytes transport_payload(Bytes frame) noexcept {
  const std::optional<Transport> found = find_transport(frame);
  return found ? frame.subspan(found->payload, found->end - found->payload) : Bytes{};
}

}  // namespace sallyport::pktgen
