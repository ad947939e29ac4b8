// What asks for a link-layer address and what answers: ARP (RFC 826) for Ethernet and IPv4, neighbour discovery of
// IPv6.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {

using Mac = std::array<std::uint8_t, 6>;

struct Arp {
  Be16 hardware{1};
  Be16 protocol{ethertype_ipv4};
  std::uint8_t hardware_bytes = 6;
  std::uint8_t protocol_bytes = 4;
  Be16 operation{request};
  Mac sender_mac{};
  std::array<std::uint8_t, 4> sender{};
  Mac target_mac{};
  std::array<std::uint8_t, 4> target{};

  static constexpr std::uint16_t request = 1;
  static constexpr std::uint16_t reply = 2;
};
static_assert(sizeof(Arp) == 28);

inline constexpr std::uint8_t icmp6_neighbour_solicitation = 135;
inline constexpr std::uint8_t icmp6_neighbour_advertisement = 136;
inline constexpr std::uint8_t neighbour_hop_limit = 255;  // nothing else is from this link (RFC 4861 section 7.1)
inline constexpr std::array<std::uint8_t, 16> all_nodes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
inline constexpr Mac all_nodes_mac = {0x33, 0x33, 0, 0, 0, 1};

// RFC 4861 section 4.3, without options
struct Solicitation {
  std::uint8_t type;
  std::uint8_t code;
  Be16 checksum;
  Be32 reserved;
  std::array<std::uint8_t, 16> target;
};
static_assert(sizeof(Solicitation) == 24);

// RFC 4861 section 4.4, with the target link-layer address option
struct Advertisement {
  std::uint8_t type = icmp6_neighbour_advertisement;
  std::uint8_t code = 0;
  Be16 checksum{0};
  std::array<std::uint8_t, 4> flags{overrides, 0, 0, 0};
  std::array<std::uint8_t, 16> target{};
  std::uint8_t option = 2;
  std::uint8_t option_eights = 1;
  Mac mac{};

  static constexpr std::uint8_t router = 0x80;
  static constexpr std::uint8_t solicited = 0x40;
  static constexpr std::uint8_t overrides = 0x20;
};
static_assert(sizeof(Advertisement) == 32);

}  // namespace sallyport::dataplane::wire
