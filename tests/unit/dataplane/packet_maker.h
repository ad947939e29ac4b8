// Packets for the tests: made from what matters, with right lengths and checksums; and checked the same way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.h"
#include "dataplane/stages/parse.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/crc32c.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::test {

using Frame = std::vector<std::uint8_t>;

[[nodiscard]] inline IpAddress address(std::string_view text) { return parse_address(text).value(); }

// One end of a flow.
struct End {
  End(std::string_view text, std::uint16_t p = 0) : ip(address(text)), port(p) {}
  IpAddress ip;
  std::uint16_t port;
};

struct IpOptions {
  std::uint8_t ttl = 64;
  bool dont_fragment = false;
  std::uint16_t id = 0x1234;
};

namespace detail {

inline void put(Frame& frame, const void* bytes, std::size_t count) {
  const auto* p = static_cast<const std::uint8_t*>(bytes);
  frame.insert(frame.end(), p, p + count);
}

inline Frame ip_frame(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, const Frame& l4,
                      const IpOptions& options) {
  using namespace wire;
  Frame frame;
  Ethernet link{
      {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, Be16(from.family == Family::v4 ? ethertype_ipv4 : ethertype_ipv6)};
  put(frame, &link, sizeof link);
  if (from.family == Family::v4) {
    Ipv4 ip{};
    ip.version_length = 0x45;
    ip.total_length = static_cast<std::uint16_t>(sizeof ip + l4.size());
    ip.identification = options.id;
    ip.fragment = options.dont_fragment ? Ipv4::dont_fragment : std::uint16_t{0};
    ip.ttl = options.ttl;
    ip.protocol = protocol;
    std::copy_n(from.bytes.begin(), 4, ip.source.begin());
    std::copy_n(to.bytes.begin(), 4, ip.destination.begin());
    ip.checksum.set_raw(0);
    ip.checksum.set_raw(finish(sum_words(reinterpret_cast<const std::uint8_t*>(&ip), sizeof ip)));
    put(frame, &ip, sizeof ip);
  } else {
    Ipv6 ip{};
    ip.version_class_flow = 6U << 28U;
    ip.payload_length = static_cast<std::uint16_t>(l4.size());
    ip.next_header = protocol;
    ip.hop_limit = options.ttl;
    ip.source = from.bytes;
    ip.destination = to.bytes;
    put(frame, &ip, sizeof ip);
  }
  frame.insert(frame.end(), l4.begin(), l4.end());
  return frame;
}

inline wire::Sum pseudo(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, std::size_t bytes) {
  const std::size_t count = address_bytes(from.family);
  return wire::pseudo_header({from.bytes.data(), count}, {to.bytes.data(), count}, protocol,
                             static_cast<std::uint32_t>(bytes));
}

}  // namespace detail

struct TcpOptions {
  std::uint32_t seq = 1000;
  std::uint32_t ack = 0;
  Frame payload = {};
  Frame options = {};  // a multiple of four
  IpOptions ip = {};
};

[[nodiscard]] inline Frame tcp(const End& from, const End& to, std::uint8_t flags, const TcpOptions& t = {}) {
  using namespace wire;
  Tcp header{};
  header.source_port = from.port;
  header.destination_port = to.port;
  header.sequence = t.seq;
  header.acknowledgment = t.ack;
  header.offset = static_cast<std::uint8_t>((5 + t.options.size() / 4) << 4U);
  header.flags = flags;
  header.window = 65535;
  Frame l4;
  detail::put(l4, &header, sizeof header);
  l4.insert(l4.end(), t.options.begin(), t.options.end());
  l4.insert(l4.end(), t.payload.begin(), t.payload.end());
  at<Tcp>(l4.data()).checksum.set_raw(
      finish(detail::pseudo(from.ip, to.ip, 6, l4.size()) + sum_words(l4.data(), l4.size())));
  return detail::ip_frame(from.ip, to.ip, 6, l4, t.ip);
}

[[nodiscard]] inline Frame udp(const End& from, const End& to, const Frame& payload = {1, 2, 3, 4},
                               bool checksum = true, const IpOptions& ip = {}) {
  using namespace wire;
  Udp header{};
  header.source_port = from.port;
  header.destination_port = to.port;
  header.length = static_cast<std::uint16_t>(sizeof header + payload.size());
  Frame l4;
  detail::put(l4, &header, sizeof header);
  l4.insert(l4.end(), payload.begin(), payload.end());
  if (checksum) {
    const std::uint16_t sum = finish(detail::pseudo(from.ip, to.ip, 17, l4.size()) + sum_words(l4.data(), l4.size()));
    at<Udp>(l4.data()).checksum.set_raw(sum == 0 ? 0xffff : sum);
  }
  return detail::ip_frame(from.ip, to.ip, 17, l4, ip);
}

[[nodiscard]] inline Frame icmp(const IpAddress& from, const IpAddress& to, std::uint8_t type, std::uint8_t code,
                                std::uint32_t word, const Frame& rest = {}, const IpOptions& ip = {}) {
  using namespace wire;
  Frame l4{type, code, 0, 0};
  Be32 argument(word);
  detail::put(l4, &argument, 4);
  l4.insert(l4.end(), rest.begin(), rest.end());
  const bool v4 = from.family == Family::v4;
  Sum sum = sum_words(l4.data(), l4.size());
  if (!v4) sum += detail::pseudo(from, to, 58, l4.size());
  at<Icmp>(l4.data()).checksum.set_raw(finish(sum));
  return detail::ip_frame(from, to, v4 ? 1 : 58, l4, ip);
}

[[nodiscard]] inline Frame echo(const IpAddress& from, const IpAddress& to, std::uint16_t id, bool reply = false) {
  const bool v4 = from.family == Family::v4;
  const std::uint8_t type = v4 ? (reply ? 0 : 8) : (reply ? 129 : 128);
  return icmp(from, to, type, 0, std::uint32_t{id} << 16U | 1U, {'p', 'i', 'n', 'g'});
}

// An INIT chunk, or an answer to one (RFC 9260 section 3.3.2).
[[nodiscard]] inline Frame sctp(const End& from, const End& to, std::uint8_t chunk = 1) {
  using namespace wire;
  Frame l4(sizeof(Sctp) + 20);
  auto& header = at<Sctp>(l4.data());
  header.source_port = from.port;
  header.destination_port = to.port;
  l4[sizeof(Sctp)] = chunk;
  l4[sizeof(Sctp) + 3] = 20;
  header.checksum = sctp_checksum({l4.data(), l4.size()});
  return detail::ip_frame(from.ip, to.ip, 132, l4, {});
}

// The IP packet of a frame, for quoting.
[[nodiscard]] inline Frame l3(const Frame& frame) { return {frame.begin() + 14, frame.end()}; }

// What a frame is; a broken one throws.
struct Seen {
  Parsed parsed;
  Frame frame;

  [[nodiscard]] std::string from() const { return to_string(parsed.key.source_address()); }
  [[nodiscard]] std::string to() const { return to_string(parsed.key.destination_address()); }
  [[nodiscard]] std::uint16_t from_port() const { return __builtin_bswap16(parsed.key.source_port); }
  [[nodiscard]] std::uint16_t to_port() const { return __builtin_bswap16(parsed.key.destination_port); }
  [[nodiscard]] const wire::Tcp& tcp() const { return wire::at<wire::Tcp>(frame.data() + parsed.l4_offset); }
  [[nodiscard]] const wire::Icmp& icmp() const { return wire::at<wire::Icmp>(frame.data() + parsed.l4_offset); }
  [[nodiscard]] std::span<const std::uint8_t> payload() const {
    return std::span(frame).subspan(parsed.payload_offset, parsed.payload_bytes);
  }
  [[nodiscard]] std::string payload_text() const { return {payload().begin(), payload().end()}; }
  [[nodiscard]] bool l4_checksum_right() const {
    using namespace wire;
    const std::uint8_t* l4 = frame.data() + parsed.l4_offset;
    if (parsed.kind == PacketKind::udp && at<Udp>(l4).checksum.raw() == 0) return parsed.key.family == Family::v4;
    if (parsed.kind == PacketKind::sctp) return at<Sctp>(l4).checksum.get() == sctp_checksum({l4, parsed.l4_bytes()});
    const Sum sum = sum_words(l4, parsed.l4_bytes());
    if (parsed.ip_protocol == 1) return finish(sum) == 0;
    return finish(sum + detail::pseudo(parsed.key.source_address(), parsed.key.destination_address(),
                                       parsed.ip_protocol, parsed.l4_bytes())) == 0;
  }
};

[[nodiscard]] inline Seen look_at(const Frame& frame) {
  Seen seen;
  seen.frame = frame;
  Packet packet;
  packet.data = seen.frame.data();
  packet.length = static_cast<std::uint32_t>(seen.frame.size());
  ParseRules rules;
  rules.any_vlan = true;
  Drop why{};
  if (parse(packet, rules, seen.parsed, why) != ParseResult::ok) {
    throw std::runtime_error("broken frame: " + std::string(to_string(why)));
  }
  return seen;
}

}  // namespace sallyport::dataplane::test
