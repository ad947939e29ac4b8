// Parse: TCP and UDP headers, for both ways through parse.
#pragma once

#include <cstdint>

#include "dataplane/stages/parse.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

template <typename Header>
inline void take_ports(const Header& header, Parsed& parsed) noexcept {
  parsed.key.source_port = header.source_port.raw();
  parsed.key.destination_port = header.destination_port.raw();
}

// `l4`: so many bytes of the IP packet that `parsed` speaks of. False: it ends under `why`.
[[nodiscard]] inline bool parse_tcp(const std::uint8_t* l4, std::uint32_t bytes, Parsed& parsed, Drop& why) noexcept {
  using wire::Tcp;
  const auto fail = [&why](Drop reason) { return why = reason, false; };
  if (bytes < sizeof(Tcp)) return fail(Drop::l4_truncated);
  const auto& header = wire::at<Tcp>(l4);
  if (header.header_bytes() < sizeof(Tcp) || header.header_bytes() > bytes) return fail(Drop::l4_bad_length);
  const std::uint8_t flags = header.flags & (Tcp::fin | Tcp::syn | Tcp::rst | Tcp::ack);
  const bool senseless = flags == 0 || ((flags & Tcp::syn) != 0 && (flags & (Tcp::fin | Tcp::rst)) != 0) ||
                         ((flags & Tcp::fin) != 0 && (flags & (Tcp::ack | Tcp::rst)) == 0);
  if (senseless) return fail(Drop::tcp_bad_flags);
  take_ports(header, parsed);
  parsed.kind = PacketKind::tcp;
  parsed.tcp_flags = header.flags;
  parsed.payload_offset = parsed.l4_offset + header.header_bytes();
  parsed.payload_bytes = bytes - header.header_bytes();
  return true;
}

[[nodiscard]] inline bool parse_udp(const std::uint8_t* l4, std::uint32_t bytes, Parsed& parsed, Drop& why) noexcept {
  using wire::Udp;
  const auto fail = [&why](Drop reason) { return why = reason, false; };
  if (bytes < sizeof(Udp)) return fail(Drop::l4_truncated);
  const auto& header = wire::at<Udp>(l4);
  const std::uint32_t length = header.length.get();
  if (length < sizeof(Udp) || length > bytes) return fail(Drop::l4_bad_length);
  if (parsed.key.family == Family::v6 && header.checksum.raw() == 0) return fail(Drop::udp6_zero_checksum);
  take_ports(header, parsed);
  parsed.kind = PacketKind::udp;
  parsed.payload_offset = parsed.l4_offset + static_cast<std::uint32_t>(sizeof(Udp));
  parsed.payload_bytes = length - static_cast<std::uint32_t>(sizeof(Udp));
  return true;
}

}  // namespace sallyport::dataplane
