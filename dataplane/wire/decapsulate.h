// Finds the innermost IP packet of a frame: behind VLAN tags (802.1Q, 802.1ad), MPLS, PPPoE, and inside IP-in-IP (4in4,
// 4in6, 6in4, 6in6), GRE (RFC 2784, 2890; NVGRE; PPTP's version 1), VXLAN (RFC 7348), Geneve (RFC 8926), GRE in UDP
// (RFC 8086), GTP-U and L2TPv2 data.
//
//   Ethernet | VLAN | IPv4 | UDP 4789 | VXLAN | Ethernet | IPv4 | TCP        answer: the second IPv4, tunnelled
//
// Bounded, allocates nothing, trusts no length. What does not hold a sound IP packet is no tunnel: then the packet
// around it is the answer. IP fragments are not looked into; reassemble and ask again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sallyport::dataplane::wire {

// EtherTypes besides those of headers.h; the first two double as "what begins here".
inline constexpr std::uint16_t ethertype_ethernet = 0x6558;  // transparent Ethernet bridging: a whole Ethernet frame
inline constexpr std::uint16_t ethertype_ppp = 0x880b;
inline constexpr std::uint16_t ethertype_mpls = 0x8847;
inline constexpr std::uint16_t ethertype_mpls_upstream = 0x8848;
inline constexpr std::uint16_t ethertype_pppoe = 0x8864;
inline constexpr std::uint16_t ethertype_qinq_old = 0x9100;
inline constexpr std::uint16_t ethertype_transparent_vlan = 0x9200;

struct InnermostIp {
  std::uint32_t offset = 0;     // of its header
  std::uint16_t ethertype = 0;  // ethertype_ipv4 or ethertype_ipv6
  bool tunnelled = false;       // something else than one Ethernet header and VLAN tags stands before it
};

// `ethertype` says what `bytes` begin with: ethertype_ethernet for a frame, ethertype_ipv4 for a bare packet, ...
// Nothing where no IP header was found (ARP, LCP, ...).
[[nodiscard]] std::optional<InnermostIp> find_innermost_ip(std::span<const std::uint8_t> bytes,
                                                           std::uint16_t ethertype) noexcept;

}  // namespace sallyport::dataplane::wire
