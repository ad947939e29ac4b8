// Packets as the model gateway reads and writes them: byte by byte, every checksum summed up anew. Shares nothing with
// the dataplane but the reasons of drop.h.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/address.h"
#include "dataplane/drop.h"

namespace sallyport::model {

using Bytes = std::vector<std::uint8_t>;
using dataplane::Drop;

// One end of a flow. Of ICMP echo: the identifier is the client's port, the server's is 0.
struct End {
  IpAddress ip;
  std::uint16_t port = 0;
  friend auto operator<=>(const End&, const End&) = default;
};
[[nodiscard]] std::string to_string(const End& end);

namespace protocol {
inline constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, dccp = 33, gre = 47, esp = 50, icmp6 = 58, sctp = 132,
                              udp_lite = 136;
[[nodiscard]] constexpr bool has_ports(std::uint8_t p) { return p == tcp || p == udp || p == sctp; }
[[nodiscard]] constexpr bool is_icmp(std::uint8_t p) { return p == icmp || p == icmp6; }
}  // namespace protocol

namespace flag {
inline constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32;
}

enum class Kind : std::uint8_t { tcp, udp, sctp, echo_request, echo_reply, portless, icmp_error, fragment };

// Where the parts of a packet lie in a frame, the packet that an ICMP error quotes included.
struct Layers {
  Family family = Family::v4;
  std::uint8_t protocol = 0;
  std::size_t ip = 0, transport = 0, end = 0;
  [[nodiscard]] std::size_t transport_bytes() const { return end - transport; }
};

// What a frame is.
struct Reading {
  enum class Fate : std::uint8_t { packet, kernel, dropped } fate = Fate::packet;
  Drop why = Drop::not_ip;  // where dropped
  Layers at;
  Kind kind = Kind::portless;
  End from, to;
  std::uint8_t ttl = 0;
  bool dont_fragment = false;
  std::uint8_t flags = 0;  // of TCP
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint16_t window = 0;
  std::size_t payload_bytes = 0;
  // Of a fragment.
  bool more = false;
  std::size_t offset = 0;
  std::uint32_t identification = 0;
  std::size_t fragment_header = 0, names_fragment_header = 0;  // IPv6

  [[nodiscard]] bool is_tcp() const { return kind == Kind::tcp; }
  [[nodiscard]] bool has(std::uint8_t flags_asked) const { return (flags & flags_asked) != 0; }
  [[nodiscard]] bool is_first_syn() const { return is_tcp() && (flags & (flag::syn | flag::ack)) == flag::syn; }
  [[nodiscard]] std::size_t ip_bytes() const { return at.end - at.ip; }
};

[[nodiscard]] Reading read_frame(const Bytes& frame);
// The packet that the ICMP error quotes: its layers and ends. Nothing: it is broken.
struct Quote {
  Layers at;
  End from, to;
};
[[nodiscard]] std::optional<Quote> read_quote(const Bytes& frame, const Reading& error);

// The Internet checksum's sum of words (RFC 1071), folded.
[[nodiscard]] std::uint32_t add_words(std::uint32_t sum, const Bytes& bytes, std::size_t from, std::size_t to);
// Where a packet's IP header has its addresses.
[[nodiscard]] std::size_t source_at(const Layers& at);
[[nodiscard]] std::size_t destination_at(const Layers& at);

[[nodiscard]] std::uint16_t get16(const Bytes& bytes, std::size_t at);
[[nodiscard]] std::uint32_t get32(const Bytes& bytes, std::size_t at);
void put16(Bytes& bytes, std::size_t at, std::uint32_t value);
void put32(Bytes& bytes, std::size_t at, std::uint32_t value);
void put_address(Bytes& bytes, std::size_t at, const IpAddress& address);

// By how much the transport's checksum is wrong; nothing where there is none. What was wrong stays as wrong: take it
// before a change and settle it afterwards.
[[nodiscard]] std::optional<std::uint32_t> wrong_by(const Bytes& frame, const Layers& at);
void settle(Bytes& frame, const Layers& at, const std::optional<std::uint32_t>& wrong);
// The IPv4 header's, which is always right; nothing to do for IPv6.
void settle_header(Bytes& frame, const Layers& at);
// A checksum made anew, where it was right before or is to be made.
void settle_right(Bytes& frame, const Layers& at);

// An IP header behind `frame`, as one makes it who has nothing to say by it, and room for the transport.
[[nodiscard]] Layers begin_packet(Bytes& frame, const IpAddress& from, const IpAddress& to, std::uint8_t protocol,
                                  std::size_t transport_bytes);

// The packet in fragments of at most `limit` bytes (RFC 791 section 3.2, RFC 8200 section 4.5), without their link.
[[nodiscard]] std::vector<Bytes> cut(const Bytes& frame, const Layers& at, std::size_t limit,
                                     std::uint32_t identification);
// The type of what follows the link header.
void put_link_type(Bytes& link, Family family);

void put_source(Bytes& frame, const Layers& at, const End& end);
void put_destination(Bytes& frame, const Layers& at, const End& end);

}  // namespace sallyport::model
