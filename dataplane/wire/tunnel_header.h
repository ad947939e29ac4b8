// The headers between the outer and the inner packet of a tunnel: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784,
// 2890). IP in IP (RFC 2003, 4213, 2473) has none.
//
//   Ethernet | IP | UDP | VXLAN or Geneve | [Ethernet |] IP ..
//   Ethernet | IP | GRE                   | [Ethernet |] IP ..
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/wire/decapsulate.h"

namespace sallyport::dataplane::wire {

inline constexpr std::uint16_t port_vxlan = 4789;
inline constexpr std::uint16_t port_geneve = 6081;
inline constexpr std::uint8_t protocol_ipv4 = 4;
inline constexpr std::uint8_t protocol_udp = 17;
inline constexpr std::uint8_t protocol_ipv6 = 41;
inline constexpr std::uint8_t protocol_gre = 47;

inline constexpr std::uint32_t udp_tunnel_bytes = 8;  // VXLAN; Geneve without options

struct TunnelHeader {
  std::uint32_t bytes = 0;      // until the inner packet
  std::uint16_t ethertype = 0;  // of what follows: ethertype_ethernet, ethertype_ipv4, ..
  std::uint32_t id = 0;         // VNI, or GRE's key
  bool has_id = false;          // of GRE: there is a key
};

// What `bytes` begin with. Nothing: it is cut short, of another version, or wants what is not understood here (a
// critical option of Geneve, an OAM packet, source routing of GRE).
[[nodiscard]] std::optional<TunnelHeader> read_vxlan(std::span<const std::uint8_t> bytes) noexcept;
[[nodiscard]] std::optional<TunnelHeader> read_geneve(std::span<const std::uint8_t> bytes) noexcept;
[[nodiscard]] std::optional<TunnelHeader> read_gre(std::span<const std::uint8_t> bytes) noexcept;
// GRE's own checksum, over header and payload; true where there is none. After read_gre().
[[nodiscard]] bool right_gre_checksum(std::span<const std::uint8_t> bytes) noexcept;

// Into `to`, which has the room; answers how many bytes were written.
std::uint32_t write_vxlan(std::uint8_t* to, std::uint32_t vni) noexcept;
std::uint32_t write_geneve(std::uint8_t* to, std::uint32_t vni, std::uint16_t ethertype) noexcept;
[[nodiscard]] constexpr std::uint32_t gre_bytes(bool with_key) noexcept { return with_key ? 8 : 4; }
std::uint32_t write_gre(std::uint8_t* to, std::uint16_t ethertype, bool with_key, std::uint32_t key) noexcept;

}  // namespace sallyport::dataplane::wire
