// The payload of a TCP or UDP packet in a frame: what a translator leaves as it is.
#pragma once

#include <cstdint>
#include <span>

namespace sallyport::pktgen {

// Ethernet with VLAN tags, IPv4 or IPv6 without extension headers; no fragments. Empty: nothing such.
[[nodiscard]] std::span<const std::uint8_t> transport_payload(std::span<const std::uint8_t> frame) noexcept;

}  // namespace sallyport::pktgen
