// Express: the straight way of the commonest packet, that of a decided flow with nothing about it that needs thought.
// Inline: the call would cost a tenth of what it does.
#pragma once

#include <cstring>

#include "dataplane/core.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/link.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

class Express {
 public:
  Express(Core& core, Packet& packet, const Parsed& parsed, Flow& flow, Direction direction) noexcept
      : core_(core), packet_(packet), parsed_(parsed), flow_(flow), direction_(direction) {}

  [[nodiscard]] bool run() noexcept {
    if (!flow_is_plain() || !packet_is_plain()) return false;
    const Hop& hop = core_.hops[flow_.hops[direction_]];
    const PortSettings& out = core_.port(hop.port);
    if (parsed_.l3_bytes > out.mtu) return false;

    if (parsed_.kind == PacketKind::tcp && !track_middle(core_, flow_, packet_, parsed_, direction_)) return false;
    count_packet(core_, flow_, packet_, direction_);
    rewrite();
    packet_.length = parsed_.l3_offset + parsed_.l3_bytes;  // what trails the IP packet stays here
    if (parsed_.l3_offset == sizeof(wire::Ethernet) && out.vlan.ids() == 0 && !hop.keep_macs) {
      write_macs(packet_, out, hop);
    } else {
      put_link(core_, packet_, parsed_.l3_offset, hop);
    }
    core_.transmit(hop.port, packet_, packet_.weight);
    return true;
  }

 private:
  // Translated, allowed, under the present policy and routing, alive for certain, its next hop known, and nothing
  // special.
  [[nodiscard]] bool flow_is_plain() const noexcept {
    return flow_.verdict == Verdict::allowed && flow_.is_plain() && flow_.epoch == core_.epoch &&
           flow_.nat_address != 0 && flow_.hops[direction_] != 0 &&
           since(flow_.last_seen, core_.tick) < core_.shortest_timeout_ms;
  }

  // UDP, or a segment in the middle of an established connection.
  [[nodiscard]] bool packet_is_plain() const noexcept {
    using wire::Tcp;
    constexpr std::uint8_t marks = Tcp::syn | Tcp::fin | Tcp::rst;
    const bool middle = parsed_.kind == PacketKind::tcp && (parsed_.tcp_flags & (marks | Tcp::ack)) == Tcp::ack &&
                        flow_.tcp == TcpState::established;
    return (parsed_.kind == PacketKind::udp || middle) && parsed_.ttl > 1 && packet_.fragment_size == 0 &&
           packet_.tunnel == 0 && !is_dns(flow_);
  }

  [[nodiscard]] bool outbound() const noexcept { return direction_ == to_server; }

  void rewrite() noexcept {
    std::uint8_t* l3 = packet_.data + parsed_.l3_offset;
    std::uint8_t* l4 = packet_.data + parsed_.l4_offset;
    const wire::Delta transport = parsed_.key.family == Family::v4 ? rewrite_v4(l3) : rewrite_v6(l3);
    auto& ports = wire::at<wire::Udp>(l4);  // TCP's lie in the same place
    if (outbound()) {
      ports.source_port.set_raw(flow_.nat_port);
    } else {
      ports.destination_port.set_raw(flow_.source_port);
    }
    if (parsed_.kind == PacketKind::udp) {
      wire::update_udp(ports.checksum, transport);
    } else {
      wire::update(wire::at<wire::Tcp>(l4).checksum, transport);
    }
  }

  // TTL less one, and the address; both are in the header's checksum. Answers the change of the transport's, which the
  // port is in, too.
  wire::Delta rewrite_v4(std::uint8_t* l3) noexcept {
    auto& ip = wire::at<wire::Ipv4>(l3);
    wire::Delta change;
    if (outbound()) {
      change.replace(flow_.source4, flow_.nat_address4);
      std::memcpy(ip.source.data(), &flow_.nat_address4, sizeof flow_.nat_address4);
    } else {
      change.replace(flow_.nat_address4, flow_.source4);
      std::memcpy(ip.destination.data(), &flow_.source4, sizeof flow_.source4);
    }
    --ip.ttl;
    wire::Delta header = change;
    header.replace(wire::Be16(1U << 8U).raw(), 0);  // the word of TTL and protocol is 0x0100 less
    wire::update(ip.checksum, header);
    if (outbound()) {
      change.replace(flow_.source_port, flow_.nat_port);
    } else {
      change.replace(flow_.nat_port, flow_.source_port);
    }
    return change;
  }

  wire::Delta rewrite_v6(std::uint8_t* l3) noexcept {
    auto& ip = wire::at<wire::Ipv6>(l3);
    if (outbound()) {
      ip.source = core_.addresses[flow_.nat_address].bytes;
    } else {
      ip.destination = core_.flows.inside_addresses6(flow_).source;
    }
    --ip.hop_limit;
    return outbound() ? wire::Delta(flow_.delta6) : wire::Delta(flow_.delta6).inverse();
  }

  Core& core_;
  Packet& packet_;
  const Parsed& parsed_;
  Flow& flow_;
  const Direction direction_;
};

// True: the packet was translated and transmitted, as track and forward would have done it. False: nothing was done,
// take the long way.
[[nodiscard]] inline bool express(Core& core, Packet& packet, const Parsed& parsed, Flow& flow,
                                  Direction direction) noexcept {
  return Express(core, packet, parsed, flow, direction).run();
}

}  // namespace sallyport::dataplane
