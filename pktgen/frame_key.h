// By what a captured frame is known again behind a translator: a hash of what no translator touches.
//
//   UDP                   destination and its port, the payload
//   TCP                   destination and its port, the payload; of a segment without any, sequence number and flags
//   SCTP                  destination and its port, verification tag, the chunks
//   ICMP, ICMPv6          destination, type and code; of an echo, its number and data
//   a later fragment      destination, protocol, offset, the content
//   other IP              destination, protocol, the content
//   no IP                 everything behind the MAC addresses but the padding
//
// Left out is what a gateway may write anew: MAC addresses, VLAN tags, source address and port, TTL, identification,
// checksums, options, and the identifier of an echo. Of a payload its length, its beginning and its end are looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sallyport::pktgen {

[[nodiscard]] std::uint64_t frame_key(std::span<const std::uint8_t> frame) noexcept;
// The key of the datagram that the far side has sent back as this one, with its ends exchanged. Nothing: it is not UDP.
[[nodiscard]] std::optional<std::uint64_t> key_of_what_was_sent_back(std::span<const std::uint8_t> frame) noexcept;

}  // namespace sallyport::pktgen
