// Parse, for the commonest packets at once rather than layer by layer: no tag; IPv4 without options and no fragment, or
// IPv6 without extension headers; TCP or UDP. Inline, since what it reads is hashed next.
#pragma once

#include <cstdint>
#include <cstring>

#include "dataplane/stages/parse_transport.h"
#include "dataplane/wire/checksum.h"

namespace sallyport::dataplane {

class PlainParser {
 public:
  PlainParser(const Packet& packet, const ParseRules& rules, Parsed& parsed) noexcept
      : l3_(packet.data + sizeof(wire::Ethernet)), length_(packet.length), rules_(rules), parsed_(parsed) {}

  [[nodiscard]] bool run() noexcept {
    if (!rules_.any_vlan && rules_.vlan.ids() != 0) return false;
    if (length_ < sizeof(wire::Ethernet) + sizeof(wire::Ipv4) + sizeof(wire::Udp)) return false;
    // The link's type, the version, and of IPv4 the header's length.
    const std::uint32_t start = wire::at<wire::Be32>(l3_ - sizeof(wire::Be16)).get();
    if (start >> 8U == (std::uint32_t{wire::ethertype_ipv4} << 8U | 0x45U)) return ipv4() && transport();
    if (start >> 12U == (std::uint32_t{wire::ethertype_ipv6} << 4U | 0x6U)) return ipv6() && transport();
    return false;
  }

 private:
  [[nodiscard]] std::uint32_t available() const noexcept { return length_ - header_bytes; }

  bool ipv4() noexcept {
    using wire::Ipv4;
    const auto& ip = wire::at<Ipv4>(l3_);
    const std::uint32_t total = ip.total_length.get();
    const std::uint16_t fragment = ip.fragment.get();
    const bool good = total >= sizeof(Ipv4) && total <= available() && (fragment & ~Ipv4::dont_fragment) == 0 &&
                      ip.ttl != 0 && (!rules_.verify_ip_checksum || wire::finish(wire::sum_plain_ipv4(l3_)) == 0);
    if (!good) return false;
    parsed_ = Parsed{};
    std::memcpy(parsed_.key.source.data(), ip.source.data(), sizeof ip.source);
    std::memcpy(parsed_.key.destination.data(), ip.destination.data(), sizeof ip.destination);
    parsed_.key.family = Family::v4;
    parsed_.dont_fragment = fragment != 0;
    parsed_.identification = ip.identification.get();
    network(ip.protocol, ip.ttl, sizeof(Ipv4), total);
    return true;
  }

  bool ipv6() noexcept {
    using wire::Ipv6;
    if (available() < sizeof(Ipv6)) return false;
    const auto& ip = wire::at<Ipv6>(l3_);
    const std::uint32_t total = sizeof(Ipv6) + ip.payload_length.get();
    if (total > available() || ip.hop_limit == 0) return false;
    parsed_ = Parsed{};
    parsed_.key.source = ip.source;
    parsed_.key.destination = ip.destination;
    parsed_.key.family = Family::v6;
    parsed_.dont_fragment = true;
    network(ip.next_header, ip.hop_limit, sizeof(Ipv6), total);
    return true;
  }

  void network(std::uint8_t protocol, std::uint8_t ttl, std::uint16_t header, std::uint32_t total) noexcept {
    parsed_.key.protocol = static_cast<IpProtocol>(protocol);
    parsed_.ip_protocol = protocol;
    parsed_.ttl = ttl;
    parsed_.l3_offset = sizeof(wire::Ethernet);
    parsed_.l4_offset = static_cast<std::uint16_t>(sizeof(wire::Ethernet) + header);
    parsed_.l3_bytes = total;
  }

  bool transport() noexcept {
    const auto header = static_cast<std::uint32_t>(parsed_.l4_offset - sizeof(wire::Ethernet));
    const std::uint8_t* l4 = l3_ + header;
    const std::uint32_t bytes = parsed_.l3_bytes - header;
    Drop why{};
    if (parsed_.key.protocol == IpProtocol::udp) return parse_udp(l4, bytes, parsed_, why);
    return parsed_.key.protocol == IpProtocol::tcp && parse_tcp(l4, bytes, parsed_, why);
  }

  static constexpr std::uint32_t header_bytes = sizeof(wire::Ethernet);

  const std::uint8_t* l3_;
  std::uint32_t length_;
  const ParseRules& rules_;
  Parsed& parsed_;
};

// False: another packet, or something is wrong with it; parse() says what.
[[nodiscard]] inline bool parse_plain(const Packet& packet, const ParseRules& rules, Parsed& parsed) noexcept {
  return PlainParser(packet, rules, parsed).run();
}

}  // namespace sallyport::dataplane
