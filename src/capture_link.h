// Link layers of captures: what stands before the network layer, as LINKTYPE_ values say
// (https://www.tcpdump.org/linktypes.html).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sallyport {

inline constexpr std::uint32_t link_type_ethernet = 1;

struct LinkPayload {
  std::uint32_t offset = 0;     // where it begins
  std::uint16_t ethertype = 0;  // what it is; for Ethernet and PPP offset 0 and an EtherType that says so
};

// Ethernet, raw IP, Linux cooked v1 and v2, BSD loopback, PPP, Cisco HDLC.
[[nodiscard]] bool is_known_link_type(std::uint32_t link_type) noexcept;
// Nothing where the frame is too short or holds nothing that has an EtherType.
[[nodiscard]] std::optional<LinkPayload> find_link_payload(std::uint32_t link_type,
                                                           std::span<const std::uint8_t> frame) noexcept;

}  // namespace sallyport
