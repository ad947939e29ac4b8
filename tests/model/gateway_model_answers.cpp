// What the model gateway says itself: resets, ICMP errors, the segment sizes that it changes; and the errors of others.
#include <algorithm>

#include "gateway_model.h"

namespace sallyport::model {
namespace {

constexpr std::size_t tcp_header_bytes = 20;

// The link header of a packet that came, turned round for an answer.
Bytes link_of(const Bytes& frame, std::size_t ip, bool answer) {
  Bytes link(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(ip));
  if (answer) std::swap_ranges(link.begin(), link.begin() + 6, link.begin() + 6);
  return link;
}

void add_reset(Bytes& frame, const End& from, const End& to, std::uint32_t sequence, std::uint32_t acknowledgment) {
  const Layers at = begin_packet(frame, from.ip, to.ip, protocol::tcp, tcp_header_bytes);
  put16(frame, at.transport, from.port);
  put16(frame, at.transport + 2, to.port);
  put32(frame, at.transport + 4, sequence);
  put32(frame, at.transport + 8, acknowledgment);
  frame[at.transport + 12] = 5U << 4U;
  frame[at.transport + 13] = flag::rst | flag::ack;
  settle_right(frame, at);
}

}  // namespace

void GatewayModel::send_back(const Packet& like, Bytes frame) {
  if (like.hairpin) {
    again_.push_back({.frame = std::move(frame), .port = like.port, .hairpin = true, .weight = 0});
  } else {
    outcome_.sent[like.port].push_back(std::move(frame));
  }
}

// RFC 9293 section 3.10.7.1.
void GatewayModel::refuse(const Packet& packet) {
  if (!policy_->defaults.deny_resets) return;
  const Reading& is = packet.is;
  if (!is.is_tcp()) return send_icmp(packet, 3, 13, 1, 1);
  if (is.has(flag::rst)) return;
  const std::uint32_t one = is.has(flag::syn | flag::fin) ? 1 : 0;
  Bytes frame = link_of(packet.frame, is.at.ip, true);
  add_reset(frame, is.to, is.from, is.has(flag::ack) ? is.acknowledgment : 0,
            is.sequence + static_cast<std::uint32_t>(is.payload_bytes) + one);
  send_back(packet, std::move(frame));
}

void GatewayModel::refuse_denied(const Packet& packet, const Flow& flow) {
  flow.host_unreachable ? send_host_unreachable(packet) : refuse(packet);
}

// Of an established flow both sides are told; of UDP its client alone.
void GatewayModel::refuse_removed(const Packet& packet, const Flow& flow, Direction direction) {
  const bool is_tcp = flow.name.protocol == protocol::tcp;
  if (is_tcp || direction == to_server) refuse(packet);
  if (!is_tcp || !policy_->defaults.deny_resets) return;
  const Direction other = direction == to_server ? to_client : to_server;
  if (flow.packets[direction] <= 1 && flow.packets[other] == 0) return;  // never heard of it
  const End& client = direction == to_server ? flow.egress.value_or(flow.name.client) : flow.name.client;
  const End& from = direction == to_server ? client : flow.name.server;
  const End& to = direction == to_server ? flow.name.server : client;
  const std::uint32_t sequence = flow.spoken[direction].end.value_or(0);
  const std::uint32_t acknowledged = flow.spoken[other].end.value_or(0);
  if (direction == to_server && is_ours(to.ip)) {
    Bytes frame = link_of(packet.frame, packet.is.at.ip, false);
    add_reset(frame, from, to, sequence, acknowledged);
    again_.push_back({.frame = std::move(frame), .port = packet.port, .hairpin = true, .weight = 0});
    return;
  }
  const dataplane::Hop hop = next_hop(to.ip, direction);
  if (hop.state == dataplane::Hop::State::no_route) return;
  Bytes frame;
  add_reset(frame, from, to, sequence, acknowledged);
  send_frame(hop, frame, 0);
}

// RFC 1812 section 4.3.2, RFC 4443 section 2.4 (f): at most so many, and to one sender no more than are left.
bool GatewayModel::may_say_error(const IpAddress& to) {
  constexpr unsigned a_second = 1000;
  if (now_ >= errors_since_ + 1000) {
    errors_since_ = now_;
    errors_said_ = 0;
    errors_said_to_.clear();
  }
  unsigned& own = errors_said_to_[to];
  if (errors_said_ >= a_second || own >= a_second - errors_said_) return false;
  ++errors_said_;
  ++own;
  return true;
}

// RFC 1812 section 4.3.2, RFC 4443 section 2.4: never about an error, with as much of the packet as fits.
void GatewayModel::send_icmp(const Packet& about, unsigned type4, unsigned code4, unsigned type6, unsigned code6,
                             std::uint32_t argument) {
  const Reading& is = about.is;
  if (is.kind == Kind::icmp_error || !may_say_error(is.from.ip)) return;
  const bool v4 = is.at.family == Family::v4;
  const std::size_t room = v4 ? 576 - 28 : 1280 - 48;
  const std::size_t quoted = std::min(is.ip_bytes(), room);
  IpAddress from = is.to.ip;
  for (auto l = site_.locals.rbegin(); l != site_.locals.rend(); ++l)
    if (l->port == about.port && l->address.family == is.at.family) from = l->address;
  Bytes frame = link_of(about.frame, is.at.ip, true);
  const Layers at = begin_packet(frame, from, is.from.ip, v4 ? protocol::icmp : protocol::icmp6, 8 + quoted);
  frame[at.transport] = static_cast<std::uint8_t>(v4 ? type4 : type6);
  frame[at.transport + 1] = static_cast<std::uint8_t>(v4 ? code4 : code6);
  put32(frame, at.transport + 4, argument);
  std::copy_n(about.frame.begin() + static_cast<std::ptrdiff_t>(is.at.ip), quoted,
              frame.begin() + static_cast<std::ptrdiff_t>(at.transport + 8));
  settle_right(frame, at);
  send_back(about, std::move(frame));
}

// RFC 879: what both ways can carry, less the headers.
void GatewayModel::clamp_segment_size(Packet& packet, unsigned out) const {
  const Layers& at = packet.is.at;
  const unsigned mtu = std::min(site_.settings.ports[out].mtu, site_.settings.ports[packet.port].mtu);
  const unsigned largest = mtu - (at.family == Family::v4 ? 40 : 60);
  const std::size_t end = at.transport + (packet.frame[at.transport + 12] >> 4U) * 4U;
  for (std::size_t i = at.transport + tcp_header_bytes; i < end && packet.frame[i] != 0;) {
    if (packet.frame[i] == 1) {
      ++i;
      continue;
    }
    if (i + 1 >= end || packet.frame[i + 1] < 2 || i + packet.frame[i + 1] > end) return;
    if (packet.frame[i] == 2 && packet.frame[i + 1] == 4) {
      if (get16(packet.frame, i + 2) <= largest) return;
      const auto wrong = wrong_by(packet.frame, at);
      put16(packet.frame, i + 2, largest);
      settle(packet.frame, at, wrong);
      return;
    }
    i += packet.frame[i + 1];
  }
}

void GatewayModel::handle_error(Packet& packet) {
  const auto quote = read_quote(packet.frame, packet.is);
  // What is quoted went the other way.
  Flow* flow = nullptr;
  if (quote && packet.from_inside()) {
    FlowName name{quote->at.protocol, quote->to, quote->from};
    if (protocol::is_icmp(quote->at.protocol)) std::swap(name.client.port, name.server.port);
    flow = peek(name);
  } else if (quote) {
    const auto found = outside_.find({quote->at.protocol, quote->from, quote->to});
    if (found != outside_.end()) flow = peek(found->second);
  }
  Drop why{};
  if (!packet.hairpin && is_local(packet.is.to.ip) && flow == nullptr) return to_kernel(packet);
  if (!packet.hairpin && is_martian(packet, why)) {
    return is_for_all_on_link(packet.is.to.ip) ? to_kernel(packet) : drop(packet, why);
  }
  if (!policy_) return drop(packet, Drop::no_policy);
  if (packet.from_inside() && fails_source_check(packet)) return drop(packet, Drop::source_check);
  if (!quote) return drop(packet, Drop::icmp_error_bad);
  const bool was_denied = flow != nullptr && flow->denied;
  if (flow != nullptr && flow->generation != generation_ && !goes_on(*flow)) {
    return drop(packet, was_denied ? Drop::icmp_error_no_flow : Drop::policy_removed);
  }
  if (flow == nullptr || flow->denied) return drop(packet, Drop::icmp_error_no_flow);
  // To whom it quotes, from the host that it is about or from no other's workload.
  const bool elsewhere = packet.is.to.ip != quote->from.ip;
  const bool anothers =
      packet.is.from.ip != quote->to.ip && !Oracle(*policy_).owner(packet.is.from.ip).workload.empty();
  if (packet.from_inside() && (elsewhere || anothers)) return drop(packet, Drop::icmp_error_no_flow);
  forward_error(packet, *quote, *flow, packet.from_inside() ? to_server : to_client);
}

void GatewayModel::forward_error(Packet& packet, const Quote& quote, const Flow& flow, Direction direction) {
  const bool around = direction == to_server && flow.hairpin;
  dataplane::Hop hop;
  if (around) {
    if (packet.is.ttl <= 1) return drop(packet, Drop::ttl_exceeded);
  } else if (!may_leave(packet, direction == to_server ? packet.is.to.ip : flow.name.client.ip, direction, hop)) {
    return;
  }
  if (flow.egress) {
    // Both headers: the client sees itself, the server the egress address (RFC 5508 REQ-4, REQ-5).
    const auto wrong = quote.at.protocol == protocol::sctp ? std::nullopt : wrong_by(packet.frame, quote.at);
    if (direction == to_client) {
      put_source(packet.frame, quote.at, flow.name.client);
      put_destination(packet.frame, packet.is.at, flow.name.client);
    } else {
      packet.renumbered = packet.is.at.family == Family::v6;
      put_destination(packet.frame, quote.at, *flow.egress);
      if (protocol::is_icmp(quote.at.protocol)) put16(packet.frame, quote.at.transport + 4, flow.egress->port);
      const IpAddress& egress = flow.egress->ip;
      put_address(packet.frame, packet.is.at.ip + (egress.family == Family::v4 ? 12 : 8), egress);
    }
    settle(packet.frame, quote.at, wrong);
    settle_header(packet.frame, quote.at);
    settle_header(packet.frame, packet.is.at);
    settle_right(packet.frame, packet.is.at);
  }
  if (around) {
    packet.hairpin = true;
    again_.push_back(packet);
  } else {
    send(packet, hop);
  }
}

}  // namespace sallyport::model
