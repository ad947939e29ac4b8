// Parse: the first stage. Every length is checked here, once; the later stages trust what they are given.
#pragma once

#include <cstdint>

#include "dataplane/drop.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/packet.h"
#include "dataplane/wire/headers.h"
#include "dataplane/wire/vlan.h"

namespace sallyport::dataplane {

enum class PacketKind : std::uint8_t {
  tcp,
  udp,
  sctp,
  echo_request,
  echo_reply,
  portless,  // GRE, ESP, and whatever else has no ports that are understood here
  icmp_error,
  other,  // a fragment, of which nobody knows yet
};

// What is known of a packet after parsing. Offsets are from Packet::data; a reassembled or rewritten packet is parsed
// again rather than patched.
struct Parsed {
  FlowKey key;  // as on the wire; for echo the identifier is source_port (in replies, too)
  PacketKind kind = PacketKind::other;
  std::uint8_t ip_protocol = 0;  // the last header's
  std::uint8_t ttl = 0;
  std::uint8_t tcp_flags = 0;
  std::uint16_t l3_offset = 0;
  std::uint16_t l4_offset = 0;
  std::uint32_t l3_bytes = 0;        // of the IP packet, header included
  std::uint32_t payload_offset = 0;  // TCP and UDP payload
  std::uint32_t payload_bytes = 0;
  bool dont_fragment = false;

  // IP fragments: nothing behind the IP headers was looked at.
  bool fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_header = 0;      // IPv6: offset of the fragment header
  std::uint16_t unfragmentable_next = 0;  // IPv6: offset of the next-header byte that names the fragment header
  std::uint32_t fragment_offset = 0;      // bytes
  std::uint32_t identification = 0;

  [[nodiscard]] bool is(IpProtocol protocol) const noexcept {
    return ip_protocol == static_cast<std::uint8_t>(protocol);
  }
  [[nodiscard]] std::uint32_t l4_bytes() const noexcept { return l3_offset + l3_bytes - l4_offset; }
  // IPv6: all of its datagram, behind a fragment header (RFC 6946).
  [[nodiscard]] bool is_atomic() const noexcept { return fragment && !more_fragments && fragment_offset == 0; }
  friend bool operator==(const Parsed&, const Parsed&) noexcept = default;
};

struct ParseRules {
  bool any_vlan = false;  // skip any tags
  wire::VlanTags vlan{};  // else: exactly these
  bool verify_ip_checksum = true;
};

enum class ParseResult : std::uint8_t {
  ok,
  kernel,  // ARP, neighbour discovery, multicast listeners: the kernel's business
  drop,    // under `why`
};

// The IP packet at `l3_offset`, whatever stands in front of it.
[[nodiscard]] ParseResult parse_ip(const Packet& packet, std::uint16_t l3_offset, const ParseRules& rules,
                                   Parsed& parsed, Drop& why) noexcept;
[[nodiscard]] ParseResult parse(const Packet& packet, const ParseRules& rules, Parsed& parsed, Drop& why) noexcept;
// Of a first fragment: all headers behind the fragment header are in it, and the transport's whole (RFC 1858, RFC
// 7112).
[[nodiscard]] bool holds_all_headers(const Packet& packet, const Parsed& fragment) noexcept;

}  // namespace sallyport::dataplane
