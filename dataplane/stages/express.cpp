#include "dataplane/stages/express.h"

#include <cstring>

#include "dataplane/stages/learn.h"
#include "dataplane/stages/link.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

// Translated, allowed, under the present policy and routing, alive for certain, its next hop known, and nothing
// special.
[[nodiscard]] bool flow_is_plain(const Core& core, const Flow& flow, Direction direction) noexcept {
  return flow.verdict == Verdict::allowed && flow.is_plain() && flow.epoch == core.epoch && flow.nat_address != 0 &&
         flow.hops[direction] != 0 && since(flow.last_seen, core.tick) < core.shortest_timeout_ms;
}

// UDP, or a segment in the middle of an established connection.
[[nodiscard]] bool packet_is_plain(const Packet& packet, const Parsed& parsed, const Flow& flow) noexcept {
  constexpr std::uint8_t marks = Tcp::syn | Tcp::fin | Tcp::rst;
  const bool middle = parsed.kind == PacketKind::tcp && (parsed.tcp_flags & (marks | Tcp::ack)) == Tcp::ack &&
                      flow.tcp == TcpState::established;
  return (parsed.kind == PacketKind::udp || middle) && parsed.ttl > 1 && packet.fragment_size == 0 &&
         packet.tunnel == 0 && !is_dns(flow);
}

// TTL less one, and the address; both are in the header's checksum.
void rewrite_v4(std::uint8_t* l3, const Flow& flow, bool outbound, Delta& transport) noexcept {
  auto& ip = at<Ipv4>(l3);
  if (outbound) {
    transport.replace(flow.source4, flow.nat_address4);
    std::memcpy(ip.source.data(), &flow.nat_address4, sizeof flow.nat_address4);
  } else {
    transport.replace(flow.nat_address4, flow.source4);
    std::memcpy(ip.destination.data(), &flow.source4, sizeof flow.source4);
  }
  --ip.ttl;
  Delta header = transport;
  header.replace(Be16(1U << 8U).raw(), 0);  // the word of TTL and protocol is 0x0100 less
  update(ip.checksum, header);
}

void rewrite_v6(const Core& core, std::uint8_t* l3, const Flow& flow, bool outbound, Delta& transport) noexcept {
  auto& ip = at<Ipv6>(l3);
  transport = outbound ? Delta(flow.delta6) : Delta(flow.delta6).inverse();
  if (outbound) {
    ip.source = core.addresses[flow.nat_address].bytes;
  } else {
    ip.destination = core.flows.inside_addresses6(flow).source;
  }
  --ip.hop_limit;
}

void rewrite(const Core& core, Packet& packet, const Parsed& parsed, const Flow& flow, Direction direction) noexcept {
  const bool outbound = direction == to_server;
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  std::uint8_t* l4 = packet.data + parsed.l4_offset;
  Delta transport;
  if (parsed.key.family == Family::v4) {
    rewrite_v4(l3, flow, outbound, transport);
    if (outbound) {
      transport.replace(flow.source_port, flow.nat_port);
    } else {
      transport.replace(flow.nat_port, flow.source_port);
    }
  } else {
    rewrite_v6(core, l3, flow, outbound, transport);
  }
  auto& ports = at<Udp>(l4);  // TCP's lie in the same place
  if (outbound) {
    ports.source_port.set_raw(flow.nat_port);
  } else {
    ports.destination_port.set_raw(flow.source_port);
  }
  if (parsed.kind == PacketKind::udp) {
    update_udp(ports.checksum, transport);
  } else {
    update(at<Tcp>(l4).checksum, transport);
  }
}

}  // namespace

bool express(Core& core, Packet& packet, const Parsed& parsed, Flow& flow, Direction direction) noexcept {
  if (!flow_is_plain(core, flow, direction) || !packet_is_plain(packet, parsed, flow)) return false;
  const Hop& hop = core.hops[flow.hops[direction]];
  if (parsed.l3_bytes > core.port(hop.port).mtu) return false;

  if (parsed.kind == PacketKind::tcp && !track_tcp(core, flow, packet, parsed, direction)) return false;
  count_packet(core, flow, packet, direction);
  rewrite(core, packet, parsed, flow, direction);
  packet.length = parsed.l3_offset + parsed.l3_bytes;  // what trails the IP packet stays here
  put_link(core, packet, parsed.l3_offset, hop);
  core.transmit(hop.port, packet, packet.weight);
  return true;
}

}  // namespace sallyport::dataplane
