// Where the TCP or UDP packet in a frame lies, and its payload: what a translator leaves as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "config/address.h"

namespace sallyport::pktgen {

inline constexpr std::uint8_t protocol_tcp = 6;
inline constexpr std::uint8_t protocol_udp = 17;

struct Network {
  Family family = Family::v4;
  std::size_t ip = 0;  // offset of a header whose fixed part is whole
};

// Ethernet with VLAN tags, IPv4 or IPv6. Nothing: nothing such.
[[nodiscard]] std::optional<Network> find_network(std::span<const std::uint8_t> frame) noexcept;

// Offsets into the frame, all within it.
struct Transport {
  Family family = Family::v4;
  std::uint8_t protocol = 0;
  std::size_t ip = 0;
  std::size_t header = 0;  // of TCP or UDP, whole
  std::size_t payload = 0;
  std::size_t end = 0;  // of the payload; padding may follow
};

// The same without extension headers; no fragments.
[[nodiscard]] std::optional<Transport> find_transport(std::span<const std::uint8_t> frame) noexcept;
// Empty: none.
[[nodiscard]] std::span<const std::uint8_t> transport_payload(std::span<const std::uint8_t> frame) noexcept;

}  // namespace sallyport::pktgen
