#include "dataplane/stages/tunnel.h"

#include <algorithm>

#include "dataplane/stages/treat.h"
#include "dataplane/stages/tunnel_host.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "dataplane/wire/traffic_class.h"
#include "dataplane/wire/tunnel_header.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;
using config::TunnelType;

constexpr std::uint8_t own_ttl = 64;
constexpr std::uint32_t ip_bytes_max = 65535;
constexpr std::uint16_t entropy_least = 0xc000;
constexpr std::uint32_t link_bytes_max = sizeof(Ethernet) + 2 * sizeof(VlanTag);

// RFC 6040 section 4.2: what the outer header says of congestion goes into the inner one. False: it says that there was
// some, and nobody inside would hear of it.
[[nodiscard]] bool merge_ecn(std::uint8_t outer_class, std::uint8_t* inner_l3) noexcept {
  constexpr unsigned ect1 = 1, ect0 = 2, congested = 3;
  const std::uint8_t inner_class = traffic_class(inner_l3);
  const unsigned outer = outer_class & ecn_bits;
  const unsigned inner = inner_class & ecn_bits;
  unsigned merged = inner;
  if (outer == congested) {
    if (inner == 0) return false;
    merged = congested;
  } else if (outer == ect1 && inner == ect0) {
    merged = ect1;
  }
  if (merged != inner) {
    set_traffic_class(inner_l3, static_cast<std::uint8_t>((inner_class & ~unsigned{ecn_bits}) | merged));
  }
  return true;
}

// The packet is its inner frame now. One without Ethernet gets a header that only says what follows: the outer one has
// left more room than that.
[[nodiscard]] bool open(Packet& packet, Tunnels::Inner& inner) noexcept {
  const bool bridged = inner.peer.ethertype == ethertype_ethernet;
  if (bridged && inner.bytes < sizeof(Ethernet)) return false;
  const std::uint32_t begin = bridged ? inner.offset : inner.offset - static_cast<std::uint32_t>(sizeof(Ethernet));
  packet.length = inner.offset + inner.bytes - begin;
  packet.data += begin;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom + begin);
  auto& link = at<Ethernet>(packet.data);
  if (bridged) {
    inner.peer.mac = link.source;
    inner.peer.our_mac = link.destination;
  } else {
    link = {{}, {}, Be16(inner.peer.ethertype)};
    inner.peer.ethertype = 0;
  }
  return true;
}

[[nodiscard]] Unwrapped end(Core& core, Packet& packet, Drop why) noexcept {
  core.drop(packet, why);
  return Unwrapped::ended;
}

}  // namespace

Unwrapped unwrap(Core& core, Packet& packet, Parsed& parsed, std::size_t slot) noexcept {
  Tunnels::Inner inner;
  Drop why{};
  switch (core.snapshot->tunnels->find(packet, parsed, inner, why)) {
    case Tunnels::Found::none:
      return Unwrapped::plain;
    case Tunnels::Found::refused:
      return end(core, packet, why);
    case Tunnels::Found::inner:
      break;
  }
  if (packet.reassembled) return end(core, packet, Drop::tunnel_fragmented);
  const std::uint8_t outer_class = traffic_class(packet.data + parsed.l3_offset);
  if (!open(packet, inner)) return end(core, packet, Drop::tunnel_malformed);
  core.arrived_from[slot] = inner.peer;
  packet.tunnel = static_cast<std::uint16_t>(slot + 1);
  switch (parse(packet, core.parse_rules(packet), parsed, why)) {
    case ParseResult::drop:
      return end(core, packet, why);
    case ParseResult::kernel:
      answer_neighbour(core, packet, parsed);
      core.to_kernel(packet);
      return Unwrapped::ended;
    case ParseResult::ok:
      break;
  }
  if (!merge_ecn(outer_class, packet.data + parsed.l3_offset)) return end(core, packet, Drop::tunnel_congested);
  if (!parsed.fragment && is_for_tunnel_host(core, packet, parsed)) return end(core, packet, Drop::tunnel_to_gateway);
  return Unwrapped::inner;
}

bool find_tunnel(Core& core, const Flow& flow, const Packet& packet, Direction direction) noexcept {
  if (core.snapshot->tunnels == nullptr) return true;
  const std::uint32_t sender = core.flows.facts(flow).sender;
  if (direction == to_client) {
    const std::uint32_t last = sender != 0 ? core.tunnel_peers.share(core.sources[sender].tunnel) : 0;
    core.flows.note(flow, &FlowExtras::tunnel, last);
    return true;
  }
  const TunnelPeer* peer = peer_of(core, packet);
  if (peer == nullptr) return true;
  const std::uint32_t number = core.tunnel_peers.take(*peer);
  if (number == 0) return false;
  core.flows.own_extras(flow).tunnel = number;
  if (sender != 0) {
    std::uint32_t& last = core.sources[sender].tunnel;
    core.tunnel_peers.give_back(last);
    last = core.tunnel_peers.share(number);
  }
  return true;
}

bool comes_home(Core& core, Flow& flow, const Packet& packet) noexcept {
  const TunnelPeer* now = peer_of(core, packet);
  if (core.flows.extras(flow).tunnel == TunnelBook::unknown) {
    core.flows.own_extras(flow).tunnel = now != nullptr ? core.tunnel_peers.take(*now) : 0;
    flow.hops[to_client] = 0;
    find_treatment(core, flow);
    return true;
  }
  const TunnelPeer* then = peer_of(core, flow);
  if (now == nullptr || then == nullptr) return now == then;
  if (*now == *then) return true;
  if (!now->is_beside(*then)) return false;
  std::uint32_t& number = core.flows.own_extras(flow).tunnel;
  const std::uint32_t moved = core.tunnel_peers.take(*now);
  if (moved == 0) return true;
  core.tunnel_peers.give_back(number);
  number = moved;
  flow.hops[to_client] = 0;
  return true;
}

void save_tunnel(const Core& core, const Flow& flow, SavedFlow& saved) noexcept {
  const std::uint32_t number = core.flows.extras(flow).tunnel;
  saved.tunnelled = number != 0 && number != TunnelBook::unknown;
  if (!saved.tunnelled) return;
  const TunnelPeer& peer = core.tunnel_peers[number];
  const Tunnels::Tunnel& tunnel = (*core.snapshot->tunnels)[peer.tunnel];
  saved.tunnel = {tunnel.type, tunnel.local, peer};
}

void take_tunnel_back(Core& core, Flow& flow, const SavedFlow& saved) noexcept {
  if (!saved.tunnelled || !core.settings.tunnels) return;
  std::uint32_t& own = core.flows.own_extras(flow).tunnel;
  own = TunnelBook::unknown;
  if (core.snapshot->tunnels == nullptr) return;
  const SavedTunnel& then = saved.tunnel;
  const auto place = core.snapshot->tunnels->place_for(then.type, then.local, then.peer);
  if (!place) return;
  TunnelPeer peer = then.peer;
  peer.tunnel = *place;
  if (const std::uint32_t number = core.tunnel_peers.take(peer); number != 0) {
    own = number;
    flow.set(Flow::treated);
  }
}

std::uint16_t mtu_of(const Core& core, PortIndex out, const TunnelPeer* into) noexcept {
  const std::uint16_t mtu = core.port(out).mtu;
  if (into == nullptr) return mtu;
  const std::uint16_t overhead = core.snapshot->tunnels->overhead(*into);
  return static_cast<std::uint16_t>(mtu > overhead ? mtu - overhead : 0);
}

namespace {

// Room in front of what is there already; the caller has seen to it that there is some.
[[nodiscard]] std::uint8_t* prepend(Packet& packet, std::uint32_t bytes) noexcept {
  packet.data -= bytes;
  packet.length += bytes;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom - bytes);
  return packet.data;
}

// RFC 7348 section 5, RFC 8926 section 3.3: of the inner flow, so that routers in between spread by it.
[[nodiscard]] std::uint16_t entropy(const std::uint8_t* inner_l3) noexcept {
  const bool v4 = inner_l3[0] >> 4U == 4;
  const std::uint32_t addresses_at = v4 ? 12 : 8;
  const std::uint32_t ports_at = v4 ? at<Ipv4>(inner_l3).header_bytes() : static_cast<std::uint32_t>(sizeof(Ipv6));
  const bool whole = v4 ? (at<Ipv4>(inner_l3).fragment.get() & (Ipv4::more_fragments | Ipv4::offset_mask)) == 0
                        : at<Ipv6>(inner_l3).next_header != next_fragment;
  Sum sum = sum_words(inner_l3 + addresses_at, v4 ? 8 : 32);
  if (whole) sum += Sum{0x9e37U} * sum_words(inner_l3 + ports_at, 4);
  return static_cast<std::uint16_t>(entropy_least | (fold(sum) & 0x3fffU));
}

void put_outer_v4(Packet& packet, const Tunnels::Tunnel& tunnel, const IpAddress& remote, std::uint8_t protocol,
                  std::uint8_t service) noexcept {
  auto& ip = at<Ipv4>(prepend(packet, sizeof(Ipv4)));
  ip = {};
  ip.version_length = 0x45;
  ip.service = service;
  ip.total_length = static_cast<std::uint16_t>(packet.length);
  ip.identification = 0;  // RFC 6864 section 4.1: atomic
  ip.fragment = Ipv4::dont_fragment;
  ip.ttl = own_ttl;
  ip.protocol = protocol;
  std::copy_n(tunnel.local.bytes.begin(), 4, ip.source.begin());
  std::copy_n(remote.bytes.begin(), 4, ip.destination.begin());
  ip.checksum.set_raw(0);
  ip.checksum.set_raw(finish(sum_plain_ipv4(packet.data)));
}

void put_outer_v6(Packet& packet, const Tunnels::Tunnel& tunnel, const IpAddress& remote, std::uint8_t protocol,
                  std::uint8_t service) noexcept {
  const auto payload = static_cast<std::uint16_t>(packet.length);
  auto& ip = at<Ipv6>(prepend(packet, sizeof(Ipv6)));
  ip.version_class_flow = 6U << 28U | std::uint32_t{service} << 20U;
  ip.payload_length = payload;
  ip.next_header = protocol;
  ip.hop_limit = own_ttl;
  ip.source = tunnel.local.bytes;
  ip.destination = remote.bytes;
}

// Without a checksum over IPv4 (RFC 7348 section 5), with one over IPv6 (RFC 6935 wants both ends to agree otherwise).
void put_udp(Packet& packet, const Tunnels::Tunnel& tunnel, const IpAddress& remote, std::uint16_t source) noexcept {
  auto& udp = at<Udp>(prepend(packet, sizeof(Udp)));
  udp.source_port = source;
  udp.destination_port = tunnel.udp_port;
  udp.length = static_cast<std::uint16_t>(packet.length);
  udp.checksum.set_raw(0);
  if (tunnel.local.family == Family::v4) return;
  const std::uint16_t sum = finish(pseudo_header(tunnel.local.bytes, remote.bytes, protocol_udp, packet.length) +
                                   sum_words(packet.data, packet.length));
  udp.checksum.set_raw(sum == 0 ? 0xffffU : sum);
}

// Answers the protocol of the outer IP header.
[[nodiscard]] std::uint8_t put_tunnel_header(Packet& packet, const Tunnels::Tunnel& tunnel, const TunnelPeer& into,
                                             std::uint16_t ethertype, std::uint16_t source_port) noexcept {
  switch (tunnel.type) {
    case TunnelType::vxlan:
      write_vxlan(prepend(packet, udp_tunnel_bytes), into.id);
      break;
    case TunnelType::geneve:
      write_geneve(prepend(packet, udp_tunnel_bytes), into.id, ethertype);
      break;
    case TunnelType::gre:
      write_gre(prepend(packet, gre_bytes(into.has_id)), ethertype, into.has_id, into.id);
      return protocol_gre;
    case TunnelType::ipip:
      return ethertype == ethertype_ipv4 ? protocol_ipv4 : protocol_ipv6;
  }
  put_udp(packet, tunnel, into.remote, source_port);
  return protocol_udp;
}

}  // namespace

bool wrap(const Core& core, Packet& packet, std::uint16_t l3_offset, const TunnelPeer& into) noexcept {
  const Tunnels& tunnels = *core.snapshot->tunnels;
  const Tunnels::Tunnel& tunnel = tunnels[into.tunnel];
  const std::uint32_t overhead = tunnels.overhead(into);
  if (packet.headroom + std::uint32_t{l3_offset} < overhead + link_bytes_max) return false;
  if (packet.length - l3_offset + overhead > ip_bytes_max) return false;
  packet.data += l3_offset;
  packet.length -= l3_offset;
  packet.headroom = static_cast<std::uint16_t>(packet.headroom + l3_offset);

  const bool arp = packet.data[0] == 0;  // no version of IP begins so
  const std::uint8_t service = arp ? std::uint8_t{0} : traffic_class(packet.data);
  const std::uint16_t source_port = arp ? entropy_least : entropy(packet.data);
  std::uint16_t ethertype = arp ? ethertype_arp : packet.data[0] >> 4U == 4 ? ethertype_ipv4 : ethertype_ipv6;
  if (into.ethertype == ethertype_ethernet) {
    at<Ethernet>(prepend(packet, sizeof(Ethernet))) = {into.mac, into.our_mac, Be16(ethertype)};
    ethertype = ethertype_ethernet;
  }
  const std::uint8_t protocol = put_tunnel_header(packet, tunnel, into, ethertype, source_port);
  if (tunnel.local.family == Family::v4) {
    put_outer_v4(packet, tunnel, into.remote, protocol, service);
  } else {
    put_outer_v6(packet, tunnel, into.remote, protocol, service);
  }
  return true;
}

}  // namespace sallyport::dataplane
