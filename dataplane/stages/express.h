// Express: the straight way of the commonest packet, that of a decided flow with nothing about it that needs thought.
// One of these takes a burst; what holds for all of it is read once. Inline: a call would cost a tenth of what it does.
#pragma once

#include <cstring>

#include "dataplane/core.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/link.h"
#include "dataplane/stages/look_ahead.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

class Express {
 public:
  explicit Express(Core& core) noexcept
      : core_(core),
        epoch_(core.epoch),
        tick_(core.tick),
        shortest_timeout_ms_(core.shortest_timeout_ms),
        inbound_refreshes_(core.settings.nat.udp_inbound_refresh),
        ports_rest_(core.mappings.resting()) {}

  // True: the packet was translated and transmitted, as track and forward would have done it. False: nothing was done,
  // take the long way.
  [[nodiscard]] bool take(const InFlight& p, Flow& flow) const noexcept {
    const Parsed& parsed = p.parsed;
    const bool plain = (parsed.kind == PacketKind::udp || parsed.kind == PacketKind::tcp) && parsed.ttl > 1 &&
                       p.packet->fragment_size == 0 && p.packet->tunnel == 0;
    if (!plain) return false;
    const Where where{parsed.key.family, parsed.kind == PacketKind::tcp, parsed.l3_offset, parsed.l4_offset,
                      parsed.l3_bytes};
    return is_straight(flow, where) && pass(*p.packet, flow, direction_of(p), where);
  }

  // The same of a plain packet and the flow that the index hints at, whether it is the packet's or not.
  [[nodiscard]] bool take_plain(const InFlight& p) const noexcept {
    switch (p.plain) {
      case PlainKind::udp4:
        return take_plain<Family::v4, false>(p);
      case PlainKind::tcp4:
        return take_plain<Family::v4, true>(p);
      case PlainKind::udp6:
        return take_plain<Family::v6, false>(p);
      case PlainKind::tcp6:
        return take_plain<Family::v6, true>(p);
      case PlainKind::none:
        return false;
    }
    return false;
  }

 private:
  // Where what is read and written lies in a packet.
  struct Where {
    Family family;
    bool tcp;
    std::uint16_t l3_offset, l4_offset;
    std::uint32_t l3_bytes;
  };

  [[nodiscard]] static Direction direction_of(const InFlight& p) noexcept {
    return p.from_inside ? to_server : to_client;
  }

  template <Family family, bool tcp>
  [[nodiscard]] bool take_plain(const InFlight& p) const noexcept {
    using Layout = PlainLayout<family>;
    Packet& packet = *p.packet;
    const FlowTable::Side side = side_of(p);
    if ((p.glanced & 1U) != static_cast<std::uint32_t>(side)) return false;
    const FlowNumber number = p.glanced >> 1U;
    Flow& flow = core_.flows[number];
    const auto& ip = wire::at<typename Layout::Ip>(packet.data + Layout::l3);
    std::uint32_t l3_bytes;
    bool lives;
    if constexpr (family == Family::v4) {
      l3_bytes = ip.total_length.get();
      lives = ip.ttl > 1;
    } else {
      l3_bytes = static_cast<std::uint32_t>(sizeof ip) + ip.payload_length.get();
      lives = ip.hop_limit > 1;
    }
    const Where where{family, tcp, Layout::l3, Layout::l4, l3_bytes};
    return lives && is_straight(flow, where) && core_.flows.has_tuple<family>(number, Layout::tuple(packet), side) &&
           pass(packet, flow, direction_of(p), where);
  }

  // Of the packet's protocol and family, translated, allowed, under the present policy and routing, alive for certain,
  // and nothing special: a TCP connection is established, and nobody waits for DNS.
  [[nodiscard]] bool is_straight(const Flow& flow, const Where& where) const noexcept {
    const bool v4 = where.family == Family::v4;
    const std::uint32_t straight = where.tcp ? (v4 ? tcp4 : tcp6) : (v4 ? udp4 : udp6);
    return (flow.what() & what_matters) == straight && flow.epoch == epoch_ && flow.nat_address != 0 &&
           since(flow.last_seen, tick_) < shortest_timeout_ms_ && !is_dns(flow);
  }
  [[nodiscard]] static std::uint32_t all_that_matters() noexcept {
    Flow all{};
    std::memset(reinterpret_cast<std::uint8_t*>(&all) + Flow::what_at, 0xff, sizeof(std::uint32_t));
    all.flags = Flow::treated | Flow::listened_to;
    return all.what();
  }
  [[nodiscard]] static std::uint32_t what_of(Family family, bool tcp) noexcept {
    Flow flow{};
    flow.protocol = tcp ? IpProtocol::tcp : IpProtocol::udp;
    flow.family = family;
    flow.verdict = Verdict::allowed;
    flow.tcp = tcp ? TcpState::established : TcpState::none;
    flow.live = 2;
    return flow.what();
  }
  // Flow::what() of flows that are straight. Made once: of what was written in pieces a whole word is dear to read.
  static inline const std::uint32_t what_matters = all_that_matters();
  static inline const std::uint32_t udp4 = what_of(Family::v4, false), tcp4 = what_of(Family::v4, true),
                                    udp6 = what_of(Family::v6, false), tcp6 = what_of(Family::v6, true);

  // Of a flow that is straight, if the packet and its way are.
  [[nodiscard, gnu::always_inline]] inline bool pass(Packet& packet, Flow& flow, Direction direction,
                                                     const Where& where) const noexcept {
    const std::uint16_t hop = flow.hops[direction];
    if (hop == 0) return false;
    const HopBook::Way& way = core_.hops.way(hop);
    if (where.l3_bytes > way.mtu) return false;
    if (where.tcp && !follow(packet, flow, direction, where)) return false;

    count(packet, flow, direction, where);
    rewrite(packet, flow, direction, where);
    const std::uint32_t length = where.l3_offset + where.l3_bytes;  // what trails the IP packet stays here
    if (way.link == HopBook::Way::Link::macs && where.l3_offset == sizeof(wire::Ethernet)) {
      std::memcpy(packet.data, way.macs.data(), way.macs.size());
    } else if (way.link != HopBook::Way::Link::kept) {
      packet.length = length;
      write_link(core_, packet, where.l3_offset, core_.hops[hop]);
      core_.transmit(way.port, packet, packet.weight);
      return true;
    }
    core_.transmit(way.port, packet, length, packet.weight);
    return true;
  }

  // A segment in the middle of the connection, and its numbers are known.
  [[nodiscard]] bool follow(const Packet& packet, const Flow& flow, Direction direction,
                            const Where& where) const noexcept {
    using wire::Tcp;
    const auto& tcp = wire::at<Tcp>(packet.data + where.l4_offset);
    if ((tcp.flags & (Tcp::syn | Tcp::fin | Tcp::rst | Tcp::ack)) != Tcp::ack) return false;
    const std::uint32_t headers = where.l4_offset - where.l3_offset + tcp.header_bytes();
    return track_middle(core_.flows.track(flow), tcp, where.l3_bytes - headers, direction);
  }

  // RFC 4787 REQ-6, as count_packet().
  void count(const Packet& packet, Flow& flow, Direction direction, const Where& where) const noexcept {
    flow.counts[direction].add(packet.length);
    if (direction == to_server || where.tcp || inbound_refreshes_) {
      flow.last_seen = tick_;
      if (ports_rest_) [[unlikely]]
        core_.mappings.refresh(core_.flows.facts(flow).mapping, tick_);
    } else {
      flow.last_packet = tick_;
    }
  }

  void rewrite(const Packet& packet, const Flow& flow, Direction direction, const Where& where) const noexcept {
    std::uint8_t* l3 = packet.data + where.l3_offset;
    const wire::Delta transport =
        where.family == Family::v4 ? rewrite_v4(l3, flow, direction) : rewrite_v6(l3, flow, direction);
    auto& ports = wire::at<wire::Udp>(packet.data + where.l4_offset);  // TCP's lie in the same place
    if (direction == to_server) {
      ports.source_port.set_raw(flow.nat_port);
    } else {
      ports.destination_port.set_raw(flow.source_port);
    }
    if (where.tcp) {
      wire::update(wire::at<wire::Tcp>(packet.data + where.l4_offset).checksum, transport);
    } else {
      wire::update_udp(ports.checksum, transport);
    }
  }

  // TTL less one, and the address; both are in the header's checksum. Answers the change of the transport's, which the
  // port is in, too.
  [[nodiscard]] static wire::Delta rewrite_v4(std::uint8_t* l3, const Flow& flow, Direction direction) noexcept {
    auto& ip = wire::at<wire::Ipv4>(l3);
    wire::Delta change;
    if (direction == to_server) {
      change.replace(flow.source4, flow.nat_address4);
      std::memcpy(ip.source.data(), &flow.nat_address4, sizeof flow.nat_address4);
    } else {
      change.replace(flow.nat_address4, flow.source4);
      std::memcpy(ip.destination.data(), &flow.source4, sizeof flow.source4);
    }
    --ip.ttl;
    wire::Delta header = change;
    header.replace(wire::Be16(1U << 8U).raw(), 0);  // the word of TTL and protocol is 0x0100 less
    wire::update(ip.checksum, header);
    if (direction == to_server) {
      change.replace(flow.source_port, flow.nat_port);
    } else {
      change.replace(flow.nat_port, flow.source_port);
    }
    return change;
  }

  [[nodiscard]] wire::Delta rewrite_v6(std::uint8_t* l3, const Flow& flow, Direction direction) const noexcept {
    auto& ip = wire::at<wire::Ipv6>(l3);
    --ip.hop_limit;
    if (direction == to_server) {
      ip.source = core_.addresses[flow.nat_address].bytes;
      return wire::Delta(flow.delta6);
    }
    ip.destination = core_.flows.inside_addresses6(flow).source;
    return wire::Delta(flow.delta6).inverse();
  }

  Core& core_;
  const std::uint32_t epoch_;
  const Tick tick_;
  const std::int32_t shortest_timeout_ms_;
  const bool inbound_refreshes_, ports_rest_;
};

}  // namespace sallyport::dataplane
