#include "pktgen/tcp_segment.h"

#include <algorithm>

#include "dataplane/wire/checksum.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;

constexpr std::uint8_t usual_ttl = 64;
constexpr std::uint16_t window = 65535;
constexpr std::size_t mss_option_bytes = 4;
constexpr std::uint8_t mss_option = 2;  // RFC 9293 section 3.2

Family family_of(const TcpEndpoint& end) noexcept { return end.address.size() == 4 ? Family::v4 : Family::v6; }

std::size_t ip_bytes(Family family) noexcept { return family == Family::v4 ? sizeof(wire::Ipv4) : sizeof(wire::Ipv6); }

std::size_t tcp_bytes(std::uint8_t flags) noexcept {
  return sizeof(wire::Tcp) + ((flags & wire::Tcp::syn) != 0 ? mss_option_bytes : 0);
}

void write_ip(std::uint8_t* packet, const TcpEndpoint& from, const TcpEndpoint& to,
              std::size_t segment_bytes) noexcept {
  if (family_of(from) == Family::v4) {
    auto& ip = wire::at<wire::Ipv4>(packet);
    ip = {};
    ip.version_length = 0x45;
    ip.total_length = static_cast<std::uint16_t>(sizeof ip + segment_bytes);
    ip.fragment = wire::Ipv4::dont_fragment;
    ip.ttl = usual_ttl;
    ip.protocol = protocol_tcp;
    std::copy_n(from.address.begin(), 4, ip.source.begin());
    std::copy_n(to.address.begin(), 4, ip.destination.begin());
    ip.checksum.set_raw(wire::finish(wire::sum_plain_ipv4(packet)));
    return;
  }
  auto& ip = wire::at<wire::Ipv6>(packet);
  ip.version_class_flow = 0x60000000U;
  ip.payload_length = static_cast<std::uint16_t>(segment_bytes);
  ip.next_header = protocol_tcp;
  ip.hop_limit = usual_ttl;
  std::copy_n(from.address.begin(), 16, ip.source.begin());
  std::copy_n(to.address.begin(), 16, ip.destination.begin());
}

}  // namespace

std::optional<TcpSegment> read_tcp(std::span<const std::uint8_t> frame) noexcept {
  const std::optional<Transport> found = find_transport(frame);
  if (!found || found->protocol != protocol_tcp) return std::nullopt;
  const auto& tcp = wire::at<wire::Tcp>(frame.data() + found->header);
  const std::size_t bytes = address_bytes(found->family);
  const std::size_t source =
      found->ip + (found->family == Family::v4 ? offsetof(wire::Ipv4, source) : offsetof(wire::Ipv6, source));
  TcpSegment segment;
  segment.from = {frame.subspan(source, bytes), tcp.source_port.get()};
  segment.to = {frame.subspan(source + bytes, bytes), tcp.destination_port.get()};
  segment.words = {tcp.sequence.get(), tcp.acknowledgment.get(), tcp.flags};
  segment.payload_bytes = found->end - found->payload;
  return segment;
}

std::size_t tcp_payload_offset(std::size_t ip_at, Family family, std::uint8_t flags) noexcept {
  return ip_at + ip_bytes(family) + tcp_bytes(flags);
}

std::uint32_t write_tcp(std::uint8_t* frame, std::size_t ip_at, const TcpEndpoint& from, const TcpEndpoint& to,
                        const TcpWords& words, std::size_t payload_bytes, std::uint16_t segment_bytes_max) noexcept {
  const std::size_t header_bytes = tcp_bytes(words.flags);
  const std::size_t segment_bytes = header_bytes + payload_bytes;
  write_ip(frame + ip_at, from, to, segment_bytes);
  std::uint8_t* const start = frame + ip_at + ip_bytes(family_of(from));
  auto& tcp = wire::at<wire::Tcp>(start);
  tcp.source_port = from.port;
  tcp.destination_port = to.port;
  tcp.sequence = words.sequence;
  tcp.acknowledgment = words.acknowledgment;
  tcp.offset = static_cast<std::uint8_t>(header_bytes / 4 << 4U);
  tcp.flags = words.flags;
  tcp.window = window;
  tcp.checksum.set_raw(0);
  tcp.urgent = 0;
  if (header_bytes > sizeof tcp) {
    start[sizeof tcp] = mss_option;
    start[sizeof tcp + 1] = mss_option_bytes;
    wire::at<wire::Be16>(start + sizeof tcp + 2) = segment_bytes_max;
  }
  tcp.checksum.set_raw(wire::finish(
      wire::pseudo_header(from.address, to.address, protocol_tcp, static_cast<std::uint32_t>(segment_bytes)) +
      wire::sum_words(start, segment_bytes)));
  return static_cast<std::uint32_t>(static_cast<std::size_t>(start - frame) + segment_bytes);
}

}  // namespace sallyport::pktgen
