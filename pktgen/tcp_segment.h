// TCP segments without anything around them that costs: what the two ends of `connect` say to each other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "config/address.h"
#include "dataplane/routing.h"
#include "dataplane/wire/headers.h"
#include "pktgen/payload.h"

namespace sallyport::pktgen {

// What a segment says beside its endpoints.
struct TcpWords {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  std::uint8_t flags = 0;
};

struct TcpEndpoint {
  std::span<const std::uint8_t> address;  // 4 or 16 bytes
  std::uint16_t port = 0;
};

// A segment that came in, laid over its frame.
struct TcpSegment {
  TcpEndpoint from;
  TcpEndpoint to;
  TcpWords words;
  std::size_t payload_bytes = 0;

  // What the sender's next byte will be numbered: SYN and FIN count as one each.
  [[nodiscard]] std::uint32_t next_sequence() const noexcept {
    const bool syn = (words.flags & dataplane::wire::Tcp::syn) != 0;
    const bool fin = (words.flags & dataplane::wire::Tcp::fin) != 0;
    return words.sequence + static_cast<std::uint32_t>(payload_bytes) + static_cast<std::uint32_t>(syn) +
           static_cast<std::uint32_t>(fin);
  }
};

// Nothing: no TCP. Checksums are not looked at: the device or whoever is measured does that.
[[nodiscard]] std::optional<TcpSegment> read_tcp(std::span<const std::uint8_t> frame) noexcept;

// Where the payload of a written segment begins: IP without options, and 4 bytes of TCP options with a SYN.
[[nodiscard]] std::size_t tcp_payload_offset(std::size_t ip_at, Family family, std::uint8_t flags) noexcept;

// Writes IP and TCP headers, in front of the payload that already stands at tcp_payload_offset(). Ethernet is the
// caller's. A SYN says the maximum segment size. How many bytes the frame has.
std::uint32_t write_tcp(std::uint8_t* frame, std::size_t ip_at, const TcpEndpoint& from, const TcpEndpoint& to,
                        const TcpWords& words, std::size_t payload_bytes, std::uint16_t segment_bytes_max) noexcept;

}  // namespace sallyport::pktgen
