#include "dataplane/wire/tunnel_header.h"

#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {
namespace {

constexpr std::uint8_t vxlan_has_vni = 0x08;
constexpr unsigned gre_checksum = 0x8000, gre_key = 0x2000, gre_sequence = 0x1000;
// RFC 2784 section 2.2: bits 1 to 5 are not to be set, but for those that RFC 2890 gave a meaning; version 0.
constexpr unsigned gre_refused = 0x4c07;

[[nodiscard]] std::uint16_t u16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>(at[0] << 8U | at[1]);
}
[[nodiscard]] std::uint32_t u24(const std::uint8_t* at) noexcept { return std::uint32_t{u16(at)} << 8U | at[2]; }
void put_u24(std::uint8_t* to, std::uint32_t value) noexcept {
  to[0] = static_cast<std::uint8_t>(value >> 16U);
  to[1] = static_cast<std::uint8_t>(value >> 8U);
  to[2] = static_cast<std::uint8_t>(value);
}

}  // namespace

std::optional<TunnelHeader> read_vxlan(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < udp_tunnel_bytes || (bytes[0] & vxlan_has_vni) == 0) return std::nullopt;
  return TunnelHeader{udp_tunnel_bytes, ethertype_ethernet, u24(&bytes[4]), true};
}

std::optional<TunnelHeader> read_geneve(std::span<const std::uint8_t> bytes) noexcept {
  constexpr std::uint8_t control = 0x80, critical = 0x40;
  if (bytes.size() < udp_tunnel_bytes || bytes[0] >> 6U != 0) return std::nullopt;
  // RFC 8926 section 3.4: no options are known here, so critical ones are not either.
  if ((bytes[1] & (control | critical)) != 0) return std::nullopt;
  const std::uint32_t size = udp_tunnel_bytes + (bytes[0] & 0x3fU) * 4U;
  if (bytes.size() < size) return std::nullopt;
  return TunnelHeader{size, u16(&bytes[2]), u24(&bytes[4]), true};
}

std::optional<TunnelHeader> read_gre(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < 4) return std::nullopt;
  const unsigned flags = u16(bytes.data());
  if ((flags & gre_refused) != 0) return std::nullopt;
  TunnelHeader header{4, u16(&bytes[2])};
  if ((flags & gre_checksum) != 0) header.bytes += 4;
  const std::uint32_t key_at = header.bytes;
  header.has_id = (flags & gre_key) != 0;
  if (header.has_id) header.bytes += 4;
  if ((flags & gre_sequence) != 0) header.bytes += 4;
  if (bytes.size() < header.bytes) return std::nullopt;
  if (header.has_id) header.id = at<Be32>(&bytes[key_at]).get();
  return header;
}

bool right_gre_checksum(std::span<const std::uint8_t> bytes) noexcept {
  return (u16(bytes.data()) & gre_checksum) == 0 || finish(sum_words(bytes.data(), bytes.size())) == 0;
}

std::uint32_t write_vxlan(std::uint8_t* to, std::uint32_t vni) noexcept {
  std::memset(to, 0, udp_tunnel_bytes);
  to[0] = vxlan_has_vni;
  put_u24(to + 4, vni);
  return udp_tunnel_bytes;
}

std::uint32_t write_geneve(std::uint8_t* to, std::uint32_t vni, std::uint16_t ethertype) noexcept {
  std::memset(to, 0, udp_tunnel_bytes);
  at<Be16>(to + 2) = ethertype;
  put_u24(to + 4, vni);
  return udp_tunnel_bytes;
}

std::uint32_t write_gre(std::uint8_t* to, std::uint16_t ethertype, bool with_key, std::uint32_t key) noexcept {
  at<Be16>(to) = static_cast<std::uint16_t>(with_key ? gre_key : 0);
  at<Be16>(to + 2) = ethertype;
  if (with_key) at<Be32>(to + 4) = key;
  return gre_bytes(with_key);
}

}  // namespace sallyport::dataplane::wire
