#include "dataplane/io/announce.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/neighbour.h"

namespace sallyport::dataplane {
namespace {

using wire::Advertisement;
using wire::Arp;

template <typename Header>
void append(std::vector<std::uint8_t>& frame, const Header& header) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&header);
  frame.insert(frame.end(), bytes, bytes + sizeof header);
}

std::vector<std::uint8_t> gratuitous_arp(const IpAddress& address, const MacAddress& mac) {
  Arp arp;
  arp.sender_mac = mac;
  std::copy_n(address.bytes.begin(), 4, arp.sender.begin());
  arp.target = arp.sender;
  std::vector<std::uint8_t> frame;
  append(frame, wire::Ethernet{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, mac, wire::Be16(wire::ethertype_arp)});
  append(frame, arp);
  return frame;
}

std::vector<std::uint8_t> unsolicited_advertisement(const IpAddress& address, const MacAddress& mac) {
  constexpr std::uint8_t icmp6 = 58;
  Advertisement advertisement;
  advertisement.target = address.bytes;
  advertisement.mac = mac;
  wire::Sum sum = wire::pseudo_header(address.bytes, wire::all_nodes, icmp6, sizeof advertisement);
  sum += wire::sum_words(reinterpret_cast<const std::uint8_t*>(&advertisement), sizeof advertisement);
  advertisement.checksum.set_raw(wire::finish(sum));

  wire::Ipv6 ip{};
  ip.version_class_flow = 6U << 28U;
  ip.payload_length = static_cast<std::uint16_t>(sizeof advertisement);
  ip.next_header = icmp6;
  ip.hop_limit = wire::neighbour_hop_limit;
  ip.source = address.bytes;
  ip.destination = wire::all_nodes;
  std::vector<std::uint8_t> frame;
  append(frame, wire::Ethernet{wire::all_nodes_mac, mac, wire::Be16(wire::ethertype_ipv6)});
  append(frame, ip);
  append(frame, advertisement);
  return frame;
}

}  // namespace

std::vector<std::uint8_t> announcement(const IpAddress& address, const MacAddress& mac) {
  return address.family == Family::v4 ? gratuitous_arp(address, mac) : unsolicited_advertisement(address, mac);
}

}  // namespace sallyport::dataplane
