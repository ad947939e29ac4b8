// The 5-tuple of a flow, as the inside sees it and as the outside sees it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "config/address.h"

namespace sallyport::dataplane {

// IP protocol numbers, in the one spelling of the headers (IPv6 ICMP is 58).
enum class IpProtocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmp6 = 58, sctp = 132 };

inline constexpr IpProtocol gre{47}, esp{50}, dccp{33}, udp_lite{136};

[[nodiscard]] constexpr bool has_ports(IpProtocol protocol) noexcept {
  return protocol == IpProtocol::tcp || protocol == IpProtocol::udp || protocol == IpProtocol::sctp;
}
// Neither ports nor identifiers that would be understood here: GRE, ESP and all others.
[[nodiscard]] constexpr bool is_portless(IpProtocol protocol) noexcept {
  return !has_ports(protocol) && protocol != IpProtocol::icmp && protocol != IpProtocol::icmp6;
}

// From a sender to a receiver. Addresses as in IpAddress (IPv4 in the first four bytes); ports in network byte order,
// for ICMP echo the identifier in source_port and 0 in destination_port, both 0 for protocols without. No padding:
// compared and hashed as bytes.
struct FlowKey {
  static constexpr std::size_t ports_at = 32;
  std::array<std::uint8_t, 16> source{};
  std::array<std::uint8_t, 16> destination{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  IpProtocol protocol = IpProtocol::tcp;
  Family family = Family::v4;

  // In one store, since the hash reads both at once.
  void set_ports(std::uint16_t from, std::uint16_t to) noexcept {
    const std::uint32_t both = std::uint32_t{to} << 16U | from;
    std::memcpy(reinterpret_cast<std::uint8_t*>(this) + ports_at, &both, sizeof both);
  }
  [[nodiscard]] IpAddress source_address() const noexcept { return {family, source}; }
  [[nodiscard]] IpAddress destination_address() const noexcept { return {family, destination}; }
  [[nodiscard]] FlowKey reversed() const noexcept {
    return {destination, source, destination_port, source_port, protocol, family};
  }

  friend bool operator==(const FlowKey& a, const FlowKey& b) noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }
};
static_assert(offsetof(FlowKey, source_port) == FlowKey::ports_at);
static_assert(sizeof(FlowKey) == 38 && std::has_unique_object_representations_v<FlowKey>);

}  // namespace sallyport::dataplane
