// Parse, for the commonest packets at once rather than layer by layer: no tag; IPv4 without options and no fragment, or
// IPv6 without extension headers; TCP or UDP. Their headers lie at fixed places, so whoever knows the kind reads them
// there; a Parsed is made of those alone that somebody wants more of.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/stages/parse_transport.h"
#include "dataplane/wire/checksum.h"

namespace sallyport::dataplane {

enum class PlainKind : std::uint8_t { none, udp4, tcp4, udp6, tcp6 };

[[nodiscard]] constexpr bool is_v4(PlainKind kind) noexcept {
  return kind == PlainKind::udp4 || kind == PlainKind::tcp4;
}
[[nodiscard]] constexpr bool is_tcp(PlainKind kind) noexcept {
  return kind == PlainKind::tcp4 || kind == PlainKind::tcp6;
}

// Where what matters lies in a plain packet, from its first byte on.
template <Family family>
struct PlainLayout {
  using Ip = std::conditional_t<family == Family::v4, wire::Ipv4, wire::Ipv6>;
  static constexpr std::uint16_t l3 = sizeof(wire::Ethernet);
  static constexpr std::uint16_t l4 = l3 + sizeof(Ip);
  // Source, destination, and ports behind them: one string of bytes.
  [[nodiscard]] static const std::uint8_t* tuple(const Packet& packet) noexcept {
    constexpr std::size_t address_bytes = family == Family::v4 ? 4 : 16;
    return packet.data + l4 - 2 * address_bytes;
  }
};

class PlainParser {
 public:
  PlainParser(const Packet& packet, const ParseRules& rules) noexcept
      : l3_(packet.data + sizeof(wire::Ethernet)), length_(packet.length), rules_(rules) {}

  [[nodiscard]] static bool applies(const ParseRules& rules) noexcept {
    return rules.any_vlan || rules.vlan.ids() == 0;
  }
  // Where that is so. All of it was checked; none: another packet, or something is wrong with it.
  [[nodiscard]] PlainKind kind() const noexcept {
    if (length_ < sizeof(wire::Ethernet) + sizeof(wire::Ipv4) + sizeof(wire::Udp)) return PlainKind::none;
    // The link's type, the version, and of IPv4 the header's length.
    const std::uint32_t start = wire::at<wire::Be32>(l3_ - sizeof(wire::Be16)).get();
    if (start >> 8U == (std::uint32_t{wire::ethertype_ipv4} << 8U | 0x45U)) return ipv4();
    if (start >> 12U == (std::uint32_t{wire::ethertype_ipv6} << 4U | 0x6U)) return ipv6();
    return PlainKind::none;
  }

 private:
  [[nodiscard]] std::uint32_t available() const noexcept {
    return length_ - static_cast<std::uint32_t>(sizeof(wire::Ethernet));
  }

  [[nodiscard]] PlainKind ipv4() const noexcept {
    using wire::Ipv4;
    const auto& ip = wire::at<Ipv4>(l3_);
    const std::uint32_t total = ip.total_length.get();
    const bool good = total >= sizeof(Ipv4) && total <= available() &&
                      (ip.fragment.get() & ~Ipv4::dont_fragment) == 0 && ip.ttl != 0 &&
                      (!rules_.verify_ip_checksum || wire::finish(wire::sum_plain_ipv4(l3_)) == 0);
    if (!good) return PlainKind::none;
    const auto bytes = static_cast<std::uint32_t>(total - sizeof(Ipv4));
    return transport(static_cast<IpProtocol>(ip.protocol), l3_ + sizeof(Ipv4), bytes, PlainKind::udp4, PlainKind::tcp4);
  }

  [[nodiscard]] PlainKind ipv6() const noexcept {
    using wire::Ipv6;
    if (available() < sizeof(Ipv6)) return PlainKind::none;
    const auto& ip = wire::at<Ipv6>(l3_);
    const std::uint32_t bytes = ip.payload_length.get();
    if (sizeof(Ipv6) + bytes > available() || ip.hop_limit == 0) return PlainKind::none;
    const auto protocol = static_cast<IpProtocol>(ip.next_header);
    return transport(protocol, l3_ + sizeof(Ipv6), bytes, PlainKind::udp6, PlainKind::tcp6);
  }

  [[nodiscard]] static PlainKind transport(IpProtocol protocol, const std::uint8_t* l4, std::uint32_t bytes,
                                           PlainKind udp, PlainKind tcp) noexcept {
    Drop why{};
    if (protocol == IpProtocol::udp) {
      const Family family = is_v4(udp) ? Family::v4 : Family::v6;
      return check_udp(l4, bytes, family, why) ? udp : PlainKind::none;
    }
    if (protocol == IpProtocol::tcp) return check_tcp(l4, bytes, why) ? tcp : PlainKind::none;
    return PlainKind::none;
  }

  const std::uint8_t* l3_;
  std::uint32_t length_;
  const ParseRules& rules_;
};

// What parse() says of a packet of that kind.
template <Family family>
void fill_plain(const Packet& packet, bool tcp, Parsed& parsed) noexcept {
  using Layout = PlainLayout<family>;
  parsed = Parsed{};
  parsed.key.family = family;
  parsed.l3_offset = Layout::l3;
  parsed.l4_offset = Layout::l4;
  const auto& ip = wire::at<typename Layout::Ip>(packet.data + Layout::l3);
  std::memcpy(parsed.key.source.data(), ip.source.data(), sizeof ip.source);
  std::memcpy(parsed.key.destination.data(), ip.destination.data(), sizeof ip.destination);
  if constexpr (family == Family::v4) {
    parsed.dont_fragment = ip.fragment.get() != 0;
    parsed.identification = ip.identification.get();
    parsed.ip_protocol = ip.protocol;
    parsed.ttl = ip.ttl;
    parsed.l3_bytes = ip.total_length.get();
  } else {
    parsed.dont_fragment = true;
    parsed.ip_protocol = ip.next_header;
    parsed.ttl = ip.hop_limit;
    parsed.l3_bytes = static_cast<std::uint32_t>(sizeof(wire::Ipv6)) + ip.payload_length.get();
  }
  parsed.key.protocol = static_cast<IpProtocol>(parsed.ip_protocol);
  const std::uint8_t* l4 = packet.data + Layout::l4;
  if (tcp) {
    take_tcp(l4, parsed);
  } else {
    take_udp(l4, parsed);
  }
}
inline void fill_plain(const Packet& packet, PlainKind kind, Parsed& parsed) noexcept {
  if (is_v4(kind)) {
    fill_plain<Family::v4>(packet, is_tcp(kind), parsed);
  } else {
    fill_plain<Family::v6>(packet, is_tcp(kind), parsed);
  }
}

// False: another packet, or something is wrong with it; parse() says what.
[[nodiscard]] inline bool parse_plain(const Packet& packet, const ParseRules& rules, Parsed& parsed) noexcept {
  if (!PlainParser::applies(rules)) return false;
  const PlainKind kind = PlainParser(packet, rules).kind();
  if (kind == PlainKind::none) return false;
  fill_plain(packet, kind, parsed);
  return true;
}

}  // namespace sallyport::dataplane
