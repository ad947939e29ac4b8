// Parse: TCP and UDP headers, for both ways through parse. What is checked is taken afterwards, or read where it lies.
#pragma once

#include <cstdint>

#include "dataplane/stages/parse.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

// `l4`: so many bytes of an IP packet. False: it ends under `why`.
[[nodiscard]] inline bool check_tcp(const std::uint8_t* l4, std::uint32_t bytes, Drop& why) noexcept {
  using wire::Tcp;
  const auto fail = [&why](Drop reason) { return why = reason, false; };
  if (bytes < sizeof(Tcp)) return fail(Drop::l4_truncated);
  const auto& header = wire::at<Tcp>(l4);
  if (header.header_bytes() < sizeof(Tcp) || header.header_bytes() > bytes) return fail(Drop::l4_bad_length);
  const std::uint8_t flags = header.flags & (Tcp::fin | Tcp::syn | Tcp::rst | Tcp::ack);
  if (flags == Tcp::ack) [[likely]]
    return true;
  const bool senseless = flags == 0 || ((flags & Tcp::syn) != 0 && (flags & (Tcp::fin | Tcp::rst)) != 0) ||
                         ((flags & Tcp::fin) != 0 && (flags & (Tcp::ack | Tcp::rst)) == 0);
  return !senseless || fail(Drop::tcp_bad_flags);
}

[[nodiscard]] inline bool check_udp(const std::uint8_t* l4, std::uint32_t bytes, Family family, Drop& why) noexcept {
  using wire::Udp;
  const auto fail = [&why](Drop reason) { return why = reason, false; };
  if (bytes < sizeof(Udp)) return fail(Drop::l4_truncated);
  const auto& header = wire::at<Udp>(l4);
  const std::uint32_t length = header.length.get();
  if (length < sizeof(Udp) || length > bytes) return fail(Drop::l4_bad_length);
  return family == Family::v4 || header.checksum.raw() != 0 || fail(Drop::udp6_zero_checksum);
}

template <typename Header>
inline void take_ports(const Header& header, Parsed& parsed) noexcept {
  parsed.key.source_port = header.source_port.raw();
  parsed.key.destination_port = header.destination_port.raw();
}

// Of a header that was checked, behind the IP header that `parsed` speaks of.
inline void take_tcp(const std::uint8_t* l4, Parsed& parsed) noexcept {
  const auto& header = wire::at<wire::Tcp>(l4);
  take_ports(header, parsed);
  parsed.kind = PacketKind::tcp;
  parsed.tcp_flags = header.flags;
  parsed.payload_offset = parsed.l4_offset + header.header_bytes();
  parsed.payload_bytes = parsed.l4_bytes() - header.header_bytes();
}

inline void take_udp(const std::uint8_t* l4, Parsed& parsed) noexcept {
  constexpr auto header_bytes = static_cast<std::uint32_t>(sizeof(wire::Udp));
  const auto& header = wire::at<wire::Udp>(l4);
  take_ports(header, parsed);
  parsed.kind = PacketKind::udp;
  parsed.payload_offset = parsed.l4_offset + header_bytes;
  parsed.payload_bytes = header.length.get() - header_bytes;
}

}  // namespace sallyport::dataplane
