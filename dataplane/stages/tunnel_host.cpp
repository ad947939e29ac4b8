#include "dataplane/stages/tunnel_host.h"

#include <algorithm>
#include <cstring>

#include "dataplane/stages/forward.h"
#include "dataplane/stages/tunnel.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/neighbour.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

constexpr std::uint8_t own_ttl = 64;
constexpr std::uint32_t link_bytes = sizeof(Ethernet);

[[nodiscard]] bool has_address(const Core& core, const TunnelPeer& peer, const IpAddress& address) noexcept {
  const std::vector<IpAddress>& own = (*core.snapshot->tunnels)[peer.tunnel].addresses;
  return std::find(own.begin(), own.end(), address) != own.end();
}

// Room for so many bytes behind a link header, for the same tunnel.
[[nodiscard]] bool begin(Core& core, const Packet& question, std::uint32_t bytes, Packet& made) noexcept {
  if (!core.world.allocate(link_bytes + bytes, made)) return false;
  made.length = link_bytes + bytes;
  made.weight = 0;
  made.port = question.port;
  made.tunnel = question.tunnel;
  core.counters.originated.add();
  return true;
}

void send(Core& core, Packet& made, const TunnelPeer& into) noexcept {
  route(core, made, link_bytes, into.remote, false, &into, 0);
}

void answer_arp(Core& core, const Packet& packet, const Parsed& parsed, TunnelPeer into) noexcept {
  if (packet.length < parsed.l3_offset + sizeof(Arp)) return;
  const auto& question = at<Arp>(packet.data + parsed.l3_offset);
  const Arp known;
  constexpr std::size_t kind_bytes = 6;  // both address spaces and their lengths
  if (std::memcmp(&question, &known, kind_bytes) != 0 || question.operation.get() != Arp::request) return;
  IpAddress target;
  std::copy(question.target.begin(), question.target.end(), target.bytes.begin());
  if (!has_address(core, into, target)) return;
  Packet made;
  if (!begin(core, packet, sizeof(Arp), made)) return;
  Arp answer;
  answer.operation = Arp::reply;
  answer.sender_mac = into.our_mac;
  answer.sender = question.target;
  answer.target_mac = question.sender_mac;
  answer.target = question.sender;
  std::memcpy(made.data + link_bytes, &answer, sizeof answer);
  send(core, made, into);
}

void put_ip6(std::uint8_t* l3, const std::array<std::uint8_t, 16>& source,
             const std::array<std::uint8_t, 16>& destination) noexcept {
  auto& ip = at<Ipv6>(l3);
  ip.version_class_flow = 6U << 28U;
  ip.payload_length = static_cast<std::uint16_t>(sizeof(Advertisement));
  ip.next_header = static_cast<std::uint8_t>(IpProtocol::icmp6);
  ip.hop_limit = neighbour_hop_limit;
  ip.source = source;
  ip.destination = destination;
}

// RFC 4861 sections 7.1.1 and 7.2.4; its checksum was verified where it was parsed.
void answer_solicitation(Core& core, const Packet& packet, const Parsed& parsed, TunnelPeer into) noexcept {
  if (parsed.l4_bytes() < sizeof(Solicitation) || parsed.ttl != neighbour_hop_limit) return;
  const auto& question = at<Solicitation>(packet.data + parsed.l4_offset);
  if (question.type != icmp6_neighbour_solicitation || question.code != 0) return;
  if (!has_address(core, into, {Family::v6, question.target})) return;
  Packet made;
  if (!begin(core, packet, sizeof(Ipv6) + sizeof(Advertisement), made)) return;
  const bool nobody = parsed.key.source == IpAddress{}.bytes;  // looks whether the address is taken
  if (nobody) into.mac = all_nodes_mac;
  Advertisement answer;
  answer.flags[0] = Advertisement::router | Advertisement::overrides | (nobody ? 0 : Advertisement::solicited);
  answer.target = question.target;
  answer.mac = into.our_mac;
  const auto& destination = nobody ? all_nodes : parsed.key.source;
  Sum sum = pseudo_header(question.target, destination, static_cast<std::uint8_t>(IpProtocol::icmp6), sizeof answer);
  sum += sum_words(reinterpret_cast<const std::uint8_t*>(&answer), sizeof answer);
  answer.checksum.set_raw(finish(sum));
  put_ip6(made.data + link_bytes, question.target, destination);
  std::memcpy(made.data + link_bytes + sizeof(Ipv6), &answer, sizeof answer);
  send(core, made, into);
}

// The request, turned round; its type is the only other thing that changes.
void turn_round(std::uint8_t* l3, const Parsed& parsed) noexcept {
  std::uint8_t* l4 = l3 + (parsed.l4_offset - parsed.l3_offset);
  auto& icmp = at<Icmp>(l4);
  std::uint16_t before, after;
  std::memcpy(&before, l4, sizeof before);
  icmp.type = parsed.key.family == Family::v4 ? icmp_echo_reply : icmp6_echo_reply;
  std::memcpy(&after, l4, sizeof after);
  Delta delta;
  delta.replace(before, after);
  update(icmp.checksum, delta);
  if (parsed.key.family == Family::v6) {
    auto& ip = at<Ipv6>(l3);
    std::swap(ip.source, ip.destination);
    ip.hop_limit = own_ttl;
    return;
  }
  auto& ip = at<Ipv4>(l3);
  std::swap(ip.source, ip.destination);
  ip.ttl = own_ttl;
  ip.checksum.set_raw(0);
  ip.checksum.set_raw(finish(sum_words(l3, ip.header_bytes())));
}

void answer_echo(Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer& into) noexcept {
  if (parsed.l3_bytes > mtu_of(core, packet.port, &into)) return;
  Packet made;
  if (!begin(core, packet, parsed.l3_bytes, made)) return;
  std::memcpy(made.data + link_bytes, packet.data + parsed.l3_offset, parsed.l3_bytes);
  turn_round(made.data + link_bytes, parsed);
  send(core, made, into);
}

}  // namespace

void answer_neighbour(Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  TunnelPeer into = *peer_of(core, packet);
  into.our_mac = core.port(packet.port).mac;  // it asked everybody
  if (at<Ethernet>(packet.data).type.get() == ethertype_arp) {
    answer_arp(core, packet, parsed, into);
  } else {
    answer_solicitation(core, packet, parsed, into);
  }
}

bool is_for_tunnel_host(Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  const TunnelPeer& peer = *peer_of(core, packet);
  if (!has_address(core, peer, parsed.key.destination_address())) return false;
  if (parsed.kind == PacketKind::echo_request) answer_echo(core, packet, parsed, peer);
  return true;
}

}  // namespace sallyport::dataplane
