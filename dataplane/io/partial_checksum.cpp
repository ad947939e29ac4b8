#include "dataplane/io/partial_checksum.h"

#include "dataplane/flow/flow_key.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/crc32c.h"
#include "dataplane/wire/decapsulate.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using wire::Be16;

// A transport segment: all of its bytes, and the sum of its addresses.
struct Segment {
  std::span<std::uint8_t> bytes;
  std::span<const std::uint8_t> source;
  std::span<const std::uint8_t> destination;
  std::uint8_t protocol = 0;
};

Segment ipv4_segment(std::span<std::uint8_t> packet) noexcept {
  if (packet.size() < sizeof(wire::Ipv4)) return {};
  auto& ip = wire::at<wire::Ipv4>(packet.data());
  const std::size_t header = ip.header_bytes();
  const std::size_t total = ip.total_length.get();
  const bool fragment = (ip.fragment.get() & (wire::Ipv4::more_fragments | wire::Ipv4::offset_mask)) != 0;
  if (fragment || header < sizeof(wire::Ipv4) || total < header || total > packet.size()) return {};
  return {packet.subspan(header, total - header), ip.source, ip.destination, ip.protocol};
}

Segment ipv6_segment(std::span<std::uint8_t> packet) noexcept {
  if (packet.size() < sizeof(wire::Ipv6)) return {};
  auto& ip = wire::at<wire::Ipv6>(packet.data());
  const std::size_t payload = ip.payload_length.get();
  if (payload > packet.size() - sizeof(wire::Ipv6)) return {};
  return {packet.subspan(sizeof(wire::Ipv6), payload), ip.source, ip.destination, ip.next_header};
}

Segment segment_of(std::span<std::uint8_t> frame) noexcept {
  std::size_t offset = sizeof(wire::Ethernet);
  if (frame.size() < offset) return {};
  std::uint16_t type = wire::at<wire::Ethernet>(frame.data()).type.get();
  while (type == wire::ethertype_vlan || type == wire::ethertype_qinq) {
    if (frame.size() < offset + sizeof(wire::VlanTag)) return {};
    type = wire::at<wire::VlanTag>(frame.data() + offset).type.get();
    offset += sizeof(wire::VlanTag);
  }
  if (type == wire::ethertype_ipv4) return ipv4_segment(frame.subspan(offset));
  if (type == wire::ethertype_ipv6) return ipv6_segment(frame.subspan(offset));
  return {};
}

bool complete_internet_checksum(const Segment& segment, Be16& checksum, bool zero_means_none) noexcept {
  const std::uint16_t pseudo = wire::fold(wire::pseudo_header(segment.source, segment.destination, segment.protocol,
                                                              static_cast<std::uint32_t>(segment.bytes.size())));
  if (checksum.raw() != pseudo) return false;
  // The field holds the pseudo header's sum and is summed with the rest.
  std::uint16_t value = wire::finish(wire::sum_words(segment.bytes.data(), segment.bytes.size()));
  if (value == 0 && zero_means_none) value = 0xffffU;
  checksum.set_raw(value);
  return true;
}

bool complete_segment(const Segment& segment) noexcept {
  switch (static_cast<IpProtocol>(segment.protocol)) {
    case IpProtocol::tcp:
      if (segment.bytes.size() < sizeof(wire::Tcp)) return false;
      return complete_internet_checksum(segment, wire::at<wire::Tcp>(segment.bytes.data()).checksum, false);
    case IpProtocol::udp:
      if (segment.bytes.size() < sizeof(wire::Udp)) return false;
      return complete_internet_checksum(segment, wire::at<wire::Udp>(segment.bytes.data()).checksum, true);
    case IpProtocol::sctp: {
      if (segment.bytes.size() < sizeof(wire::Sctp)) return false;
      auto& sctp = wire::at<wire::Sctp>(segment.bytes.data());
      if (sctp.checksum.get() != 0) return false;
      sctp.checksum = wire::sctp_checksum(segment.bytes);
      return true;
    }
    case IpProtocol::icmp:
    case IpProtocol::icmp6:
      return false;
  }
  return false;
}

// A packet inside a tunnel; nothing where there is none.
Segment tunnelled_segment(std::span<std::uint8_t> frame) noexcept {
  const auto innermost = wire::find_innermost_ip(frame, wire::ethertype_ethernet);
  if (!innermost || !innermost->tunnelled) return {};
  const auto packet = frame.subspan(innermost->offset);
  return innermost->ethertype == wire::ethertype_ipv4 ? ipv4_segment(packet) : ipv6_segment(packet);
}

}  // namespace

bool complete_checksum(std::span<std::uint8_t> frame) noexcept {
  // The inner one first: the outer one is over it.
  const bool inner = complete_segment(tunnelled_segment(frame));
  return complete_segment(segment_of(frame)) || inner;
}

}  // namespace sallyport::dataplane
