#include "dataplane/stages/forward.h"

#include <algorithm>
#include <cstring>

#include "dataplane/stages/fragment.h"
#include "dataplane/stages/hairpin.h"
#include "dataplane/stages/link.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/treat.h"
#include "dataplane/stages/tunnel.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "dataplane/wire/tcp_options.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

void decrement_ttl(std::uint8_t* l3, Family family) noexcept {
  if (family == Family::v6) {
    --at<Ipv6>(l3).hop_limit;
    return;
  }
  auto& ip = at<Ipv4>(l3);
  std::uint16_t before;
  std::memcpy(&before, &ip.ttl, 2);
  --ip.ttl;
  std::uint16_t after;
  std::memcpy(&after, &ip.ttl, 2);
  Delta delta;
  delta.replace(before, after);
  update(ip.checksum, delta);
}

// Where a packet goes, and where an answer to its sender would.
struct Way {
  Hop hop;
  const TunnelPeer* into = nullptr;  // it leaves in this tunnel
  const TunnelPeer* from = nullptr;  // its sender is behind this one
  const Flow* flow = nullptr;        // it is of this one; null: the gateway's own
};

// nat.md 13: a segment size that the way out can carry, and the way back, on SYNs of either side.
void clamp_mss(const Core& core, const Packet& packet, const Parsed& parsed, const Way& way) noexcept {
  constexpr std::uint8_t segment_size = 2;
  const std::uint16_t mtu = std::min(mtu_of(core, way.hop.port, way.into), mtu_of(core, packet.port, way.from));
  const std::uint32_t headers = parsed.key.family == Family::v4 ? 40 : 60;
  const auto largest = static_cast<std::uint16_t>(mtu > headers ? mtu - headers : 0);
  const TcpOptions options(packet.data + parsed.l4_offset);
  options.for_each([&](std::uint8_t kind, unsigned place, unsigned count) {
    if (kind != segment_size || count != 4) return false;
    auto& size = at<Be16>(options[place + 2]);
    if (size.get() > largest) options.change(place, count, [&] { size = largest; });
    return true;
  });
}

[[nodiscard]] bool is_syn(const Parsed& parsed) noexcept {
  return parsed.kind == PacketKind::tcp && (parsed.tcp_flags & Tcp::syn) != 0;
}

[[nodiscard]] bool reads_streams(const Core& core, const Flow& flow) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  return facts.asks_name || facts.reads_requests;
}

// RFC 8684: a server puts the stream of a multipath connection together by numbers of its own, which would be another
// stream than the one that is read here. A client whose SYN does not offer it goes on without.
[[gnu::noinline]] void hide_multipath(const Packet& packet, const Parsed& parsed) noexcept {
  constexpr std::uint8_t multipath = 30, no_operation = 1;
  const TcpOptions options(packet.data + parsed.l4_offset);
  options.for_each([&](std::uint8_t kind, unsigned place, unsigned count) {
    if (kind == multipath) options.change(place, count, [&] { std::memset(options[place], no_operation, count); });
    return false;
  });
}

// It waits for its next hop's address. What answers nobody's packet is counted by where it goes.
void await_neighbour(Core& core, Packet& packet, const Way& way) noexcept {
  const Hop& hop = way.hop;
  const IpAddress sender = way.flow != nullptr ? core.flows.source(*way.flow) : hop.next_hop;
  switch (core.neighbours.add(hop, packet, sender, core.tick)) {
    case NeighbourQueue::Result::first:
      core.world.resolve(hop.port, hop.next_hop);
      [[fallthrough]];
    case NeighbourQueue::Result::waits:
      core.counters.held.add(packet.weight);
      break;
    case NeighbourQueue::Result::full:
      core.drop(packet, Drop::neighbour_queue_full);
      break;
  }
}

void place(Core& core, Packet& packet, std::uint16_t l3_offset, const Way& way, std::uint16_t weight) noexcept {
  const Hop& hop = way.hop;
  packet.weight = weight;
  if (way.into == nullptr) {
    put_link(core, packet, l3_offset, hop);
  } else if (wrap(core, packet, l3_offset, *way.into)) {
    write_link(core, packet, 0, hop);
  } else {
    core.drop(packet, Drop::buffers_exhausted);
    return;
  }
  if (hop.state == Hop::State::resolved) {
    core.transmit(hop.port, packet, weight);
    return;
  }
  await_neighbour(core, packet, way);
}

// What is for a client stays inside: the route of an outside port, which is the default for all that has none, is none
// for it.
[[nodiscard]] Hop next_hop(const Core& core, const IpAddress& destination, bool outbound) noexcept {
  const Hop hop = core.routing().next(destination, outbound);
  const bool leaves = hop.port != no_port && core.port(hop.port).role == config::PortRole::outside;
  return leaves && !outbound ? Hop{} : hop;
}

[[nodiscard]] Hop hop_for(Core& core, Flow& flow, const IpAddress& destination, Direction direction) noexcept {
  if (flow.hops[direction] != 0) return core.hops[flow.hops[direction]];
  const Hop hop = next_hop(core, destination, direction == to_server);
  flow.hops[direction] = core.hops.number_of(hop);
  return hop;
}

// Where a packet of the flow in this direction goes; its next hop is to be added.
[[nodiscard]] Way way_of(const Core& core, const Flow& flow, Direction direction) noexcept {
  const TunnelPeer* peer = peer_of(core, flow);
  return direction == to_client ? Way{{}, peer, nullptr, &flow} : Way{{}, nullptr, peer, &flow};
}

[[nodiscard]] IpAddress destination_of(const Core& core, const Flow& flow, const Parsed& parsed, const Way& way,
                                       Direction direction) noexcept {
  if (way.into != nullptr) return way.into->remote;
  return direction == to_server ? parsed.key.destination_address() : core.flows.source(flow);
}

enum class Size : std::uint8_t { fits, cut, too_big };

// Captured before segmentation (replay): longer than what the wire that it came by carries.
[[nodiscard]] bool is_super_frame(const Core& core, const Packet& packet, const Parsed& parsed,
                                  const TunnelPeer* from) noexcept {
  return core.settings.unsegmented && (parsed.kind == PacketKind::tcp || parsed.kind == PacketKind::udp) &&
         parsed.l3_bytes > mtu_of(core, packet.port, from);
}

[[nodiscard]] Size size_for(const Core& core, const Packet& packet, const Parsed& parsed, const TunnelPeer* from,
                            std::uint16_t mtu) noexcept {
  if (packet.fragment_size != 0) {
    return parsed.dont_fragment && packet.fragment_size > mtu ? Size::too_big : Size::cut;
  }
  if (parsed.l3_bytes <= mtu || is_super_frame(core, packet, parsed, from)) return Size::fits;
  return parsed.dont_fragment ? Size::too_big : Size::cut;
}

// The way out of a packet that is about to be rewritten. False: it has ended.
[[nodiscard]] bool way_out(Core& core, Packet& packet, const Parsed& parsed, const Way& way, Size& size) noexcept {
  if (parsed.ttl <= 1) {
    send_time_exceeded(core, packet, parsed, way.from);
    core.drop(packet, Drop::ttl_exceeded);
    return false;
  }
  if (way.hop.state == Hop::State::no_route) {
    send_host_unreachable(core, packet, parsed, way.from);
    core.drop(packet, Drop::no_route);
    return false;
  }
  const std::uint16_t mtu = mtu_of(core, way.hop.port, way.into);
  size = size_for(core, packet, parsed, way.from, mtu);
  if (size != Size::too_big) return true;
  send_too_big(core, packet, parsed, mtu, way.from);
  core.drop(packet, Drop::too_big);
  return false;
}

// Cuts the packet and sends the pieces; the received packets it stands for end with the first one.
void send_pieces(Core& core, Packet& packet, const Parsed& parsed, const Way& way) noexcept {
  const std::uint16_t mtu = mtu_of(core, way.hop.port, way.into);
  const std::uint16_t limit = packet.fragment_size != 0 ? std::min(packet.fragment_size, mtu) : mtu;
  Fragmenter fragmenter(packet, parsed, limit, core.identifications.next4());
  std::uint16_t weight = packet.weight;
  while (!fragmenter.done()) {
    Packet piece;
    if (!core.world.allocate(fragmenter.next_bytes(), piece)) {
      if (weight != 0) {
        core.drop(packet, Drop::buffers_exhausted);
        return;
      }
      break;
    }
    piece.port = packet.port;
    fragmenter.make(piece);
    place(core, piece, parsed.l3_offset, way, weight);
    weight = 0;
  }
  core.release(packet);
}

void send(Core& core, Packet& packet, const Parsed& parsed, const Way& way, Size size) noexcept {
  packet.length = parsed.l3_offset + parsed.l3_bytes;  // what trails the IP packet stays here
  decrement_ttl(packet.data + parsed.l3_offset, parsed.key.family);
  if (size == Size::cut) {
    send_pieces(core, packet, parsed, way);
  } else {
    place(core, packet, parsed.l3_offset, way, packet.weight);
  }
}

}  // namespace

void forward(Core& core, Packet& packet, const Parsed& parsed, Flow& flow, Direction direction) noexcept {
  if (direction == to_server && flow.has(Flow::hairpin)) {
    if (is_syn(parsed) && reads_streams(core, flow)) hide_multipath(packet, parsed);
    hairpin(core, packet, parsed, flow);
    return;
  }
  Way way = way_of(core, flow, direction);
  way.hop = hop_for(core, flow, destination_of(core, flow, parsed, way, direction), direction);
  Size size{};
  if (!way_out(core, packet, parsed, way, size)) return;
  if (is_syn(parsed)) {
    if (core.settings.nat.mss_clamp) clamp_mss(core, packet, parsed, way);
    if (direction == to_server && reads_streams(core, flow)) hide_multipath(packet, parsed);
  }
  if (flow.has(Flow::treated) && !treat(core, packet, parsed, flow, direction)) return;
  translate(core, flow, packet, parsed, direction);
  send(core, packet, parsed, way, size);
}

namespace {

// An error to the other side of a hairpin, about what that one sent.
void hairpin_error(Core& core, Packet& packet, const Parsed& parsed, const Parsed& quoted, const Flow& flow) noexcept {
  if (parsed.ttl <= 1) {
    core.drop(packet, Drop::ttl_exceeded);
  } else if (translate_error(core, flow, packet, parsed, quoted, to_server)) {
    come_in_again(core, packet, parsed);
  } else {
    core.drop(packet, Drop::icmp_error_bad);
  }
}

}  // namespace

void forward_error(Core& core, Packet& packet, const Parsed& parsed, const Parsed& quoted, Flow& flow,
                   Direction direction) noexcept {
  if (direction == to_server && flow.has(Flow::hairpin)) {
    hairpin_error(core, packet, parsed, quoted, flow);
    return;
  }
  Way way = way_of(core, flow, direction);
  way.hop = next_hop(core, destination_of(core, flow, parsed, way, direction), direction == to_server);
  Size size{};
  if (!way_out(core, packet, parsed, way, size)) return;
  if (!translate_error(core, flow, packet, parsed, quoted, direction)) {
    core.drop(packet, Drop::icmp_error_bad);
    return;
  }
  send(core, packet, parsed, way, size);
}

void pass_on(Core& core, Packet& packet, const Parsed& parsed, const IpAddress& to) noexcept {
  const Way way{next_hop(core, to, false), nullptr, nullptr};
  Size size{};
  if (way_out(core, packet, parsed, way, size)) send(core, packet, parsed, way, size);
}

void route(Core& core, Packet& packet, std::uint16_t l3_offset, const IpAddress& destination, bool outbound,
           const TunnelPeer* into, std::uint16_t weight) noexcept {
  if (outbound && core.policy() != nullptr && core.policy()->gives_out(destination)) {
    Parsed parsed;
    parsed.l3_offset = l3_offset;
    come_in_again(core, packet, parsed);
    return;
  }
  const Hop hop = next_hop(core, into != nullptr ? into->remote : destination, outbound);
  if (hop.state == Hop::State::no_route) {
    core.drop(packet, Drop::no_route);
    return;
  }
  place(core, packet, l3_offset, Way{hop, into}, weight);
}

void serve_neighbours(Core& core) noexcept {
  if (core.neighbours.empty()) return;
  core.neighbours.each([&](NeighbourQueue::Entry& entry) {
    const Hop hop = core.routing().next_on_link(entry.port, entry.next_hop);
    const bool late = since(entry.since, core.tick) >= NeighbourQueue::timeout_ms;
    if (hop.state != Hop::State::resolved && !late) return false;
    for (std::size_t i = 0; i < entry.count; ++i) {
      Packet& packet = entry.packets[i];
      core.counters.held.subtract(packet.weight);
      if (hop.state == Hop::State::resolved) {
        at<Ethernet>(packet.data).destination = hop.destination_mac;
        core.transmit(entry.port, packet, packet.weight);
      } else {
        core.drop(packet, Drop::neighbour_unresolved);
      }
    }
    return true;
  });
}

}  // namespace sallyport::dataplane
