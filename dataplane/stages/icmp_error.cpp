#include "dataplane/stages/icmp_error.h"

#include <algorithm>

#include "dataplane/stages/forward.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

[[nodiscard]] bool quoted_v4(bool verify, const std::uint8_t* data, std::uint32_t left, Parsed& quoted) noexcept {
  if (left < sizeof(Ipv4)) return false;
  const auto& ip = at<Ipv4>(data + quoted.l3_offset);
  const unsigned header = ip.header_bytes();
  if (ip.version_length >> 4U != 4 || header < sizeof(Ipv4) || header > left) return false;
  if (verify && finish(sum_words(data + quoted.l3_offset, header)) != 0) return false;
  if ((ip.fragment.get() & Ipv4::offset_mask) != 0) return false;
  std::copy(ip.source.begin(), ip.source.end(), quoted.key.source.begin());
  std::copy(ip.destination.begin(), ip.destination.end(), quoted.key.destination.begin());
  quoted.ip_protocol = ip.protocol;
  quoted.l4_offset = static_cast<std::uint16_t>(quoted.l3_offset + header);
  return true;
}

[[nodiscard]] bool quoted_v6(const std::uint8_t* data, std::uint32_t end, Parsed& quoted) noexcept {
  if (end - quoted.l3_offset < sizeof(Ipv6)) return false;
  const auto& ip = at<Ipv6>(data + quoted.l3_offset);
  if (ip.version_class_flow.get() >> 28U != 6) return false;
  quoted.key.source = ip.source;
  quoted.key.destination = ip.destination;
  std::uint8_t next = ip.next_header;
  std::uint32_t offset = quoted.l3_offset + static_cast<std::uint32_t>(sizeof(Ipv6));
  for (unsigned seen = 0; seen < 8; ++seen) {
    const bool extension = next == next_hop_by_hop || next == next_routing || next == next_destination ||
                           next == next_fragment || next == next_authentication;
    if (!extension) break;
    if (end - offset < 8) return false;
    if (next == next_fragment && (at<Ipv6Fragment>(data + offset).offset.get() & 0xfff8U) != 0) return false;
    const std::uint32_t bytes = next == next_fragment         ? 8U
                                : next == next_authentication ? (data[offset + 1] + 2U) * 4U
                                                              : (data[offset + 1] + 1U) * 8U;
    if (bytes > end - offset) return false;
    next = data[offset];
    offset += bytes;
  }
  quoted.ip_protocol = next;
  quoted.l4_offset = static_cast<std::uint16_t>(offset);
  return true;
}

}  // namespace

bool parse_quoted(bool verify_ip_checksum, const Packet& packet, const Parsed& parsed, Parsed& quoted) noexcept {
  const std::uint32_t end = parsed.l3_offset + parsed.l3_bytes;
  quoted = Parsed{};
  quoted.key.family = parsed.key.family;
  quoted.l3_offset = static_cast<std::uint16_t>(parsed.l4_offset + sizeof(Icmp));
  const bool header = parsed.key.family == Family::v4
                          ? quoted_v4(verify_ip_checksum, packet.data, end - quoted.l3_offset, quoted)
                          : quoted_v6(packet.data, end, quoted);
  if (!header) return false;
  // The ports are what tells the flow; RFC 792 quotes eight bytes, or what there is.
  quoted.key.protocol = static_cast<IpProtocol>(quoted.ip_protocol);
  if (end - quoted.l4_offset < 8) return is_portless(quoted.key.protocol);
  const std::uint8_t* l4 = packet.data + quoted.l4_offset;
  switch (quoted.key.protocol) {
    case IpProtocol::tcp:
    case IpProtocol::udp:
    case IpProtocol::sctp:
      quoted.key.source_port = at<Udp>(l4).source_port.raw();
      quoted.key.destination_port = at<Udp>(l4).destination_port.raw();
      return true;
    case IpProtocol::icmp:
    case IpProtocol::icmp6: {
      const std::uint8_t type = l4[0];
      quoted.key.source_port = at<Icmp>(l4).identifier.raw();
      return type == icmp_echo_request || type == icmp_echo_reply || type == icmp6_echo_request ||
             type == icmp6_echo_reply;
    }
  }
  return true;  // no ports
}

QuotedFlow quoted_flow(const Core& core, const Packet& packet, const Parsed& parsed, bool from_inside) noexcept {
  QuotedFlow found;
  if (!parse_quoted(core.settings.verify_ip_checksum, packet, parsed, found.quoted)) {
    found.broken = true;
    return found;
  }
  // What is quoted went the other way.
  FlowKey key = found.quoted.key.reversed();
  if (FlowTable::is_echo(key.protocol)) {
    key.source_port = found.quoted.key.source_port;
    key.destination_port = 0;
  }
  found.flow = core.flows.find(key, from_inside ? FlowTable::Side::inside : FlowTable::Side::outside);
  if (found.flow != 0 && expired(core, core.flows[found.flow])) found.flow = 0;
  return found;
}

namespace {

// Whoever sends an error inside speaks to the flow's server and nobody else, and is the flow's client or what stands on
// the way to it: no other workload.
[[nodiscard]] bool is_to_the_point(const Core& core, const Parsed& parsed, const QuotedFlow& of) noexcept {
  if (parsed.key.destination != of.quoted.key.source) return false;
  return parsed.key.source == of.quoted.key.destination ||
         core.policy()->find_source(parsed.key.source_address()).workload == 0;
}

}  // namespace

void relay_error(Core& core, Packet& packet, const Parsed& parsed, const QuotedFlow& of, bool from_inside) noexcept {
  if (of.broken) {
    core.drop(packet, Drop::icmp_error_bad);
  } else if (of.flow == 0 || core.flows[of.flow].verdict == Verdict::denied ||
             (from_inside && core.flows[of.flow].verdict == Verdict::waiting) ||
             (from_inside && !is_to_the_point(core, parsed, of))) {
    // What the client of an undecided flow quotes is of its own choosing, and would reach the server.
    core.drop(packet, Drop::icmp_error_no_flow);
  } else {
    forward_error(core, packet, parsed, of.quoted, core.flows[of.flow], from_inside ? to_server : to_client);
  }
}

}  // namespace sallyport::dataplane
