#include "dataplane/stages/refuse.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "dataplane/stages/forward.h"
#include "dataplane/stages/hairpin.h"
#include "dataplane/stages/pages.h"
#include "dataplane/stages/tunnel.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

constexpr std::uint8_t own_ttl = 64;
constexpr std::uint32_t icmp4_bytes_max = 576;   // RFC 1812 section 4.3.2.3
constexpr std::uint32_t icmp6_bytes_max = 1280;  // RFC 4443 section 2.4 (c)

struct Segment {
  IpAddress source, destination;
  std::uint16_t source_port, destination_port;  // network byte order
  std::uint32_t sequence, acknowledgment;
};

// A new packet with the link header of `like` (its addresses swapped for an answer) and room for `l3_bytes` behind it.
[[nodiscard]] bool begin(Core& core, const Packet& like, const Parsed& parsed, bool answer, std::uint32_t l3_bytes,
                         Packet& made) noexcept {
  if (!core.world.allocate(parsed.l3_offset + l3_bytes, made)) return false;
  made.length = parsed.l3_offset + l3_bytes;
  made.weight = 0;
  made.port = like.port;
  made.tunnel = like.tunnel;
  std::memcpy(made.data, like.data, parsed.l3_offset);
  if (answer) {
    auto& link = at<Ethernet>(made.data);
    std::swap(link.source, link.destination);
  }
  core.counters.originated.add();
  return true;
}

void put_ip(std::uint8_t* l3, const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
            std::uint32_t l4_bytes) noexcept {
  if (source.family == Family::v4) {
    auto& ip = at<Ipv4>(l3);
    ip = {};
    ip.version_length = 0x45;
    ip.total_length = static_cast<std::uint16_t>(sizeof(Ipv4) + l4_bytes);
    ip.identification = 0;
    ip.fragment = Ipv4::dont_fragment;
    ip.ttl = own_ttl;
    ip.protocol = protocol;
    std::copy_n(source.bytes.begin(), 4, ip.source.begin());
    std::copy_n(destination.bytes.begin(), 4, ip.destination.begin());
    ip.checksum.set_raw(0);
    ip.checksum.set_raw(finish(sum_words(l3, sizeof(Ipv4))));
    return;
  }
  auto& ip = at<Ipv6>(l3);
  ip.version_class_flow = 6U << 28U;
  ip.payload_length = static_cast<std::uint16_t>(l4_bytes);
  ip.next_header = protocol;
  ip.hop_limit = own_ttl;
  ip.source = source.bytes;
  ip.destination = destination.bytes;
}

[[nodiscard]] std::uint32_t ip_bytes(Family family) noexcept {
  return family == Family::v4 ? sizeof(Ipv4) : sizeof(Ipv6);
}

[[nodiscard]] Sum pseudo(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                         std::uint32_t bytes) noexcept {
  const std::size_t count = address_bytes(source.family);
  return pseudo_header({source.bytes.data(), count}, {destination.bytes.data(), count}, protocol, bytes);
}

[[nodiscard]] bool make_segment(Core& core, const Packet& like, const Parsed& parsed, bool answer,
                                const Segment& segment, std::uint8_t flags, std::string_view payload,
                                Packet& made) noexcept {
  const std::uint32_t header = ip_bytes(segment.source.family);
  const auto l4_bytes = static_cast<std::uint32_t>(sizeof(Tcp) + payload.size());
  if (!begin(core, like, parsed, answer, header + l4_bytes, made)) return false;
  std::uint8_t* l3 = made.data + parsed.l3_offset;
  constexpr auto protocol = static_cast<std::uint8_t>(IpProtocol::tcp);
  put_ip(l3, segment.source, segment.destination, protocol, l4_bytes);
  auto& tcp = at<Tcp>(l3 + header);
  tcp.source_port.set_raw(segment.source_port);
  tcp.destination_port.set_raw(segment.destination_port);
  tcp.sequence = segment.sequence;
  tcp.acknowledgment = segment.acknowledgment;
  tcp.offset = 5U << 4U;
  tcp.flags = flags;
  tcp.window = payload.empty() ? 0 : 0xffff;
  tcp.urgent = 0;
  tcp.checksum.set_raw(0);
  std::copy(payload.begin(), payload.end(), l3 + header + sizeof(Tcp));
  tcp.checksum.set_raw(
      finish(pseudo(segment.source, segment.destination, protocol, l4_bytes) + sum_words(l3 + header, l4_bytes)));
  return true;
}

[[nodiscard]] bool make_reset(Core& core, const Packet& like, const Parsed& parsed, bool answer, const Segment& segment,
                              Packet& made) noexcept {
  return make_segment(core, like, parsed, answer, segment, Tcp::rst | Tcp::ack, {}, made);
}

// To the sender of a segment, as from its receiver, and acknowledging all of it.
[[nodiscard]] Segment answer_to(const Packet& packet, const Parsed& parsed, std::uint32_t sequence) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  const std::uint32_t consumed = parsed.payload_bytes + ((tcp.flags & (Tcp::syn | Tcp::fin)) != 0 ? 1 : 0);
  return {parsed.key.destination_address(),
          parsed.key.source_address(),
          parsed.key.destination_port,
          parsed.key.source_port,
          sequence,
          tcp.sequence.get() + consumed};
}

// Back over the port that the packet came in on, or into the tunnel that its sender is behind; to the other side of a
// hairpin by the way it came.
void send_back(Core& core, Packet& made, const Packet& like, const Parsed& parsed, const TunnelPeer* sender) noexcept {
  if (like.hairpin) {
    come_in_again(core, made, parsed);
  } else if (sender != nullptr) {
    route(core, made, parsed.l3_offset, parsed.key.source_address(), false, sender, 0);
  } else {
    core.transmit(like.port, made, 0);
  }
}

void reset_sender(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* sender) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  if ((tcp.flags & Tcp::rst) != 0) return;
  const Segment segment = answer_to(packet, parsed, (tcp.flags & Tcp::ack) != 0 ? tcp.acknowledgment.get() : 0);
  Packet made;
  if (make_reset(core, packet, parsed, true, segment, made)) send_back(core, made, packet, parsed, sender);
}

// As if the peer had sent it, in the packet's direction and behind it. Nothing where that side never heard of the flow.
void reset_receiver(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed,
                    Direction direction) noexcept {
  const Direction other = opposite(direction);
  if (flow.counts[direction].packets() <= 1 && flow.counts[other].packets() == 0) return;
  FlowKey key = core.flows.outside_key(flow).reversed();
  if (direction == to_client) key = core.flows.inside_key(flow).reversed();
  const TcpTrack& track = core.flows.track(flow);
  const Segment segment{key.source_address(), key.destination_address(), key.source_port,
                        key.destination_port, track.sent_end[direction], track.sent_end[other]};
  Packet made;
  if (!make_reset(core, packet, parsed, false, segment, made)) return;
  const TunnelPeer* into = direction == to_client ? peer_of(core, flow) : nullptr;
  route(core, made, parsed.l3_offset, key.destination_address(), direction == to_server, into, 0);
}

// The page, and the end of the stream behind it, as an answer to a segment that carries payload.
void send_page(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed,
               std::string_view page) noexcept {
  const Segment segment = answer_to(packet, parsed, core.flows.track(flow).sent_end[to_client]);
  Packet made;
  if (!make_segment(core, packet, parsed, true, segment, Tcp::ack | Tcp::psh | Tcp::fin, page, made)) return;
  send_back(core, made, packet, parsed, peer_of(core, flow));
}

// A client that was told reads it in peace: its acknowledgments go nowhere, a request sent again brings the page again,
// and only its own FIN ends what it still remembers. Frames are not repeated: they were made for their place.
void refuse_answered(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  const bool says = parsed.payload_bytes != 0;
  if (says && core.flows.facts(flow).told == FlowFacts::Told::by_page) {
    send_page(core, flow, packet, parsed, http1_page);
  } else if (says || (parsed.tcp_flags & Tcp::fin) != 0) {
    refuse_sender(core, packet, parsed);
  }
}

[[nodiscard]] bool may_be_told(const Parsed& parsed) noexcept { return parsed.kind != PacketKind::icmp_error; }

// The source of an error: our own address on that port; where we have none (replay of plain wires), the address that
// was asked for.
[[nodiscard]] IpAddress own_address(const Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  const IpAddress* own = core.routing().address_on(packet.port, parsed.key.family);
  return own != nullptr ? *own : parsed.key.destination_address();
}

// RFC 792, RFC 4443: type, code, 32 bits of the type's own, and as much of the packet as fits.
void send_error(Core& core, const Packet& packet, const Parsed& parsed, std::uint8_t type, std::uint8_t code,
                std::uint32_t argument, const TunnelPeer* sender) noexcept {
  if (!may_be_told(parsed) || core.icmp_limit.used_up(core.tick)) return;
  if (!core.icmp_limit.admit(core.place_of(parsed.key.source_address()), core.tick)) return;
  const Family family = parsed.key.family;
  const std::uint32_t header = ip_bytes(family);
  const std::uint32_t room = (family == Family::v4 ? icmp4_bytes_max : icmp6_bytes_max) - header - 8;
  const std::uint32_t quoted = std::min(parsed.l3_bytes, room);
  const std::uint32_t l4_bytes = 8 + quoted;
  Packet made;
  if (!begin(core, packet, parsed, true, header + l4_bytes, made)) return;
  const IpAddress source = own_address(core, packet, parsed);
  const IpAddress destination = parsed.key.source_address();
  const auto protocol = static_cast<std::uint8_t>(family == Family::v4 ? IpProtocol::icmp : IpProtocol::icmp6);
  std::uint8_t* l3 = made.data + parsed.l3_offset;
  put_ip(l3, source, destination, protocol, l4_bytes);
  std::uint8_t* l4 = l3 + header;
  l4[0] = type;
  l4[1] = code;
  l4[2] = l4[3] = 0;
  Be32 word(argument);
  std::memcpy(l4 + 4, &word, 4);
  std::memcpy(l4 + 8, packet.data + parsed.l3_offset, quoted);
  Sum sum = sum_words(l4, l4_bytes);
  if (family == Family::v6) sum += pseudo(source, destination, protocol, l4_bytes);
  at<Icmp>(l4).checksum.set_raw(finish(sum));
  send_back(core, made, packet, parsed, sender);
}

void refuse(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* sender) noexcept {
  if (core.policy() == nullptr || !core.policy()->model().defaults.deny_resets) return;
  if (parsed.kind == PacketKind::tcp) {
    reset_sender(core, packet, parsed, sender);
  } else if (parsed.key.family == Family::v4) {
    send_error(core, packet, parsed, icmp_unreachable, icmp_code_admin_prohibited, 0, sender);
  } else {
    send_error(core, packet, parsed, icmp6_unreachable, icmp6_code_admin_prohibited, 0, sender);
  }
}

}  // namespace

void refuse_sender(Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  // In a flood of what is refused the second's errors are used up, so this is asked first of all.
  if (parsed.kind != PacketKind::tcp && core.icmp_limit.used_up(core.tick)) return;
  refuse(core, packet, parsed, peer_of(core, packet));
}

void refuse_unopened(Core& core, Drop why, const Packet& packet, const Parsed& parsed) noexcept {
  switch (why) {
    case Drop::flows_exhausted:
    case Drop::source_limit:
    case Drop::policy_denied:
      refuse_sender(core, packet, parsed);
      break;
    case Drop::nat_ports_exhausted:
    case Drop::source_ports_exhausted:
    case Drop::nat_protocol_taken:
    case Drop::no_egress_address:
      send_host_unreachable(core, packet, parsed, peer_of(core, packet));
      break;
    default:
      break;
  }
}

void refuse_denied(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  using classifier::Reason;
  if (core.flows.facts(flow).told != FlowFacts::Told::no) {
    refuse_answered(core, flow, packet, parsed);
    return;
  }
  const Reason reason = core.flows.facts(flow).reason;
  // Of those that are remembered, the source's limit is that of its ports.
  const bool unreachable =
      reason == Reason::nat_ports_exhausted || reason == Reason::source_limit || reason == Reason::no_egress_address;
  if (unreachable) {
    send_host_unreachable(core, packet, parsed, peer_of(core, packet));
  } else {
    refuse_sender(core, packet, parsed);
  }
}

void refuse_both(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed,
                 Direction direction) noexcept {
  // Servers of denied UDP flows are told nothing: they would learn of a flow that is none of theirs any more.
  const TunnelPeer* sender = direction == to_server ? peer_of(core, flow) : nullptr;
  if (flow.is_tcp() || direction == to_server) refuse(core, packet, parsed, sender);
  if (flow.is_tcp() && core.policy()->model().defaults.deny_resets) {
    reset_receiver(core, flow, packet, parsed, direction);
  }
}

namespace {

// In the middle of one of the server's frames there is no place for another.
[[nodiscard]] bool may_answer(const Core& core, const Flow& flow, const RequestFollow& follow) noexcept {
  return follow.inflater == nullptr || follow.server.is_between(core.flows.track(flow).sent_end[to_client]);
}

}  // namespace

void refuse_request(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  const config::Defaults& defaults = core.policy()->model().defaults;
  FlowFacts& facts = core.flows.facts(flow);
  const RequestFollow& follow = core.follows[core.flows.extras(flow).follow];
  // A SYN's request: the client knows no sequence number of the server yet.
  if (!defaults.http_deny_responds || (parsed.tcp_flags & Tcp::syn) != 0 || !may_answer(core, flow, follow)) {
    refuse_both(core, flow, packet, parsed, to_server);
    return;
  }
  if (follow.inflater == nullptr) {
    facts.told = FlowFacts::Told::by_page;
    send_page(core, flow, packet, parsed, http1_page);
  } else {
    facts.told = FlowFacts::Told::by_frames;
    send_page(core, flow, packet, parsed, Http2Page(follow.http2.stream(), follow.grpc, follow.server.said()).bytes());
  }
  if (defaults.deny_resets) reset_receiver(core, flow, packet, parsed, to_server);
}

void send_time_exceeded(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* sender) noexcept {
  send_error(core, packet, parsed, parsed.key.family == Family::v4 ? icmp_time_exceeded : icmp6_time_exceeded, 0, 0,
             sender);
}

void send_too_big(Core& core, const Packet& packet, const Parsed& parsed, std::uint16_t mtu,
                  const TunnelPeer* sender) noexcept {
  if (parsed.key.family == Family::v4) {
    send_error(core, packet, parsed, icmp_unreachable, icmp_code_fragmentation_needed, mtu, sender);
  } else {
    send_error(core, packet, parsed, icmp6_too_big, 0, mtu, sender);
  }
}

void send_host_unreachable(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* sender) noexcept {
  if (parsed.key.family == Family::v4) {
    send_error(core, packet, parsed, icmp_unreachable, icmp_code_host_unreachable, 0, sender);
  } else {
    send_error(core, packet, parsed, icmp6_unreachable, icmp6_code_address_unreachable, 0, sender);
  }
}

void send_port_unreachable(Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  const bool v4 = parsed.key.family == Family::v4;
  send_error(core, packet, parsed, v4 ? icmp_unreachable : icmp6_unreachable,
             v4 ? icmp_code_port_unreachable : icmp6_code_port_unreachable, 0, peer_of(core, packet));
}

}  // namespace sallyport::dataplane
