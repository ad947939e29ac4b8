#include "dataplane/io/announce.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

// RFC 826, for Ethernet and IPv4
struct Arp {
  wire::Be16 hardware{1};
  wire::Be16 protocol{wire::ethertype_ipv4};
  std::uint8_t hardware_bytes = 6;
  std::uint8_t protocol_bytes = 4;
  wire::Be16 operation{1};  // request: what RFC 5227 asks of an announcement
  MacAddress sender_mac{};
  std::array<std::uint8_t, 4> sender{};
  MacAddress target_mac{};
  std::array<std::uint8_t, 4> target{};
};
static_assert(sizeof(Arp) == 28);

// RFC 4861 section 4.4, with the target link-layer address option
struct Advertisement {
  std::uint8_t type = 136;
  std::uint8_t code = 0;
  wire::Be16 checksum{0};
  std::array<std::uint8_t, 4> flags{0x20, 0, 0, 0};  // override
  std::array<std::uint8_t, 16> target{};
  std::uint8_t option = 2;
  std::uint8_t option_eights = 1;
  MacAddress mac{};
};
static_assert(sizeof(Advertisement) == 32);

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
  constexpr std::array<std::uint8_t, 16> all_nodes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::uint8_t icmp6 = 58;
  Advertisement advertisement;
  advertisement.target = address.bytes;
  advertisement.mac = mac;
  wire::Sum sum = wire::pseudo_header(address.bytes, all_nodes, icmp6, sizeof advertisement);
  sum += wire::sum_words(reinterpret_cast<const std::uint8_t*>(&advertisement), sizeof advertisement);
  advertisement.checksum.set_raw(wire::finish(sum));

  wire::Ipv6 ip{};
  ip.version_class_flow = 6U << 28U;
  ip.payload_length = static_cast<std::uint16_t>(sizeof advertisement);
  ip.next_header = icmp6;
  ip.hop_limit = 255;
  ip.source = address.bytes;
  ip.destination = all_nodes;
  std::vector<std::uint8_t> frame;
  append(frame, wire::Ethernet{{0x33, 0x33, 0, 0, 0, 1}, mac, wire::Be16(wire::ethertype_ipv6)});
  append(frame, ip);
  append(frame, advertisement);
  return frame;
}

}  // namespace

std::vector<std::uint8_t> announcement(const IpAddress& address, const MacAddress& mac) {
  return address.family == Family::v4 ? gratuitous_arp(address, mac) : unsolicited_advertisement(address, mac);
}

}  // namespace sallyport::dataplane
