// The way of a packet through the model gateway.
#include "gateway_model.h"

#include <algorithm>

namespace sallyport::model {
namespace {

FlowName name_of(const Reading& packet) { return {packet.at.protocol, packet.from, packet.to}; }

bool martian(const IpAddress& address) {
  const auto& a = address.bytes;
  if (address.family == Family::v4) return a[0] == 0 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254);
  static const std::vector<Prefix> prefixes = [] {
    std::vector<Prefix> made;
    for (const char* text : {"::/128", "::1/128", "::ffff:0:0/96", "fe80::/10", "ff00::/8"})
      made.push_back(parse_prefix(text)->prefix);
    return made;
  }();
  return in_any(prefixes, address);
}

}  // namespace

std::string to_string(const FlowName& name) {
  return "protocol " + std::to_string(name.protocol) + " " + to_string(name.client) + " -> " + to_string(name.server);
}

bool GatewayModel::is_for_all_on_link(const IpAddress& address) {
  const auto& a = address.bytes;
  if (address.family == Family::v4) return a[0] == 224 && a[1] == 0 && a[2] == 0;
  return a[0] == 0xff && (a[1] & 15U) == 2;
}

void GatewayModel::load(std::shared_ptr<const config::PolicyModel> policy) {
  policy_ = std::move(policy);
  ++generation_;
  egress_addresses_.clear();
  const auto give = [&](const std::vector<IpAddress>& addresses) {
    egress_addresses_.insert(addresses.begin(), addresses.end());
  };
  give(policy_->snat.addresses);
  for (const config::Egress& egress : policy_->egresses) give(egress.egress_ips);
}

Outcome GatewayModel::receive(unsigned port, const Bytes& frame, const Chosen& chosen) {
  outcome_ = {};
  chosen_ = &chosen;
  handle({.frame = frame, .port = port});
  while (!again_.empty()) {
    Packet packet = std::move(again_.front());
    again_.pop_front();
    handle(std::move(packet));
  }
  return std::move(outcome_);
}

void GatewayModel::handle(Packet packet) {
  packet.is = read_frame(packet.frame);
  switch (packet.is.fate) {
    case Reading::Fate::dropped:
      drop(packet, packet.is.why);
      return;
    case Reading::Fate::kernel:
      // Neighbour discovery comes in no fragments (RFC 6980 section 5).
      packet.largest_fragment != 0 ? drop(packet, Drop::fragment_bad) : to_kernel(packet);
      return;
    case Reading::Fate::packet:
      break;
  }
  if (packet.is.kind == Kind::fragment) {
    collect(packet);
  } else if (packet.is.kind == Kind::icmp_error) {
    handle_error(packet);
  } else {
    handle_flow_packet(packet);
  }
}

void GatewayModel::handle_flow_packet(Packet& packet) {
  Flow* flow = packet.from_inside() ? find(name_of(packet.is)) : find_answered(packet);
  if (flow == nullptr) {
    without_flow(packet);
  } else if (packet.from_inside()) {
    from_client(packet, *flow);
  } else {
    from_server(packet, *flow);
  }
}

void GatewayModel::without_flow(Packet& packet) {
  Drop why{};
  if (packet.hairpin) {
    if (!opens_from_outside(packet)) drop(packet, Drop::hairpin_refused);
  } else if (is_local(packet.is.to.ip)) {
    to_kernel(packet);
  } else if (is_martian(packet, why)) {
    is_for_all_on_link(packet.is.to.ip) ? to_kernel(packet) : drop(packet, why);
  } else if (packet.from_inside()) {
    open(packet);
  } else if (!policy_) {
    drop(packet, Drop::no_policy);
  } else if (!opens_from_outside(packet)) {
    wait_for_outside_syn(packet);
  }
}

void GatewayModel::open(Packet& packet) {
  const Reading& is = packet.is;
  if (!policy_) return drop(packet, Drop::no_policy);
  if (is.kind == Kind::echo_reply) return drop(packet, Drop::icmp_lone_reply);
  const bool midstream = is.is_tcp() && !is.is_first_syn();
  const bool lives_on = is.has(flag::ack) && !is.has(flag::rst);
  if (midstream && !(site_.settings.nat.tcp_midstream && lives_on)) return drop(packet, Drop::no_flow_midstream);

  Flow flow;
  flow.name = name_of(is);
  flow.seen = now_;
  flow.generation = generation_;
  flow.midstream = midstream;
  flow.first_byte = is.sequence + (is.has(flag::syn) ? 1 : 0);
  flow.unanswered = is.is_first_syn();
  const Oracle oracle(*policy_);
  if (fails_source_check(packet)) return drop(packet, Drop::source_check);
  flow.hairpin = is_ours(is.to.ip);
  if (flow.hairpin) {
    const Taken held = may_hairpin(flow.name);
    if (held == Taken::no ||
        (held == Taken::maybe && chosen_->dropped(Drop::hairpin_refused) && !chosen_->translation(flow.name))) {
      return drop(packet, Drop::hairpin_refused);
    }
  }
  Drop why = Drop::policy_denied;
  std::optional<Flow> opened;
  if (oracle.decide(question(flow.name)).action == "allow") opened = translated(flow, why);
  if (!opened) {
    flow.denied = true;
    flow.host_unreachable = why != Drop::policy_denied;
    refuse_denied(packet, enter(flow, to_server));
    return drop(packet, why);
  }
  Flow& entered = enter(*opened, to_server);
  if (is.is_tcp()) (void)track_tcp(packet, entered, to_server);
  forward(packet, entered, to_server);
}

bool GatewayModel::opens_from_outside(Packet& packet) {
  using config::Filtering;
  const Reading& is = packet.is;
  const Filtering filtering = site_.settings.nat.filtering;
  if (is.kind != Kind::udp && !is.is_first_syn()) return false;
  if (filtering == Filtering::address_and_port_dependent) return false;
  const OutsideEndpoint endpoint{is.at.protocol, is.to};
  const auto found = mappings_.find(endpoint);
  if (found == mappings_.end() || found->second.flows.empty()) return false;
  const Mapping& mapping = found->second;
  Flow flow;
  flow.name = {is.at.protocol, mapping.client, is.from};
  Taken open = is_open(mapping);
  if (filtering == Filtering::address_dependent) open = std::min(open, knows_server(mapping, is.from.ip));
  flow.generation = generation_;
  flow.seen = now_;
  // Whoever finds the mapping open does not hold it open.
  flow.uninvited = is.is_tcp();
  if (is.kind == Kind::udp && !site_.settings.nat.udp_inbound_refresh) flow.seen = mapping.refreshed;
  // Of one that is over it shows in what became of the packet whether it was found open.
  const bool found_open =
      chosen_->translation(flow.name) || chosen_->dropped(Drop::policy_denied) || chosen_->dropped(Drop::flow_denied);
  if (open == Taken::maybe && !found_open) return false;
  if (open == Taken::no || !is_alive(flow)) return false;
  if (Oracle(*policy_).decide(question(flow.name)).action != "allow") {
    drop(packet, Drop::policy_denied);
    return true;
  }
  // The client has that flow already: it may not answer, or would under another address.
  if (Flow* own = find(flow.name); own != nullptr) {
    if (!own->denied) return false;
    if (own->generation == generation_) {
      drop(packet, Drop::flow_denied);
      return true;
    }
    end(FlowName(own->name));
  }
  flow.hairpin = is_ours(is.from.ip);
  if (!use_mapping(flow, endpoint)) return false;
  Flow& entered = enter(flow, to_client);
  if (is.is_tcp()) (void)track_tcp(packet, entered, to_client);
  forward(packet, entered, to_client);
  return true;
}

void GatewayModel::from_client(Packet& packet, Flow& flow) {
  if (flow.generation != generation_ && !asked_again(packet, flow, to_server)) return;
  if (packet.is.is_first_syn() && begins_anew(packet, flow)) {
    end(FlowName(flow.name));
    open(packet);
    return;
  }
  if (flow.denied) {
    count(flow, to_server);
    refuse_denied(packet, flow);
    return drop(packet, Drop::flow_denied);
  }
  if (packet.is.is_tcp() && !follow_tcp(packet, flow, to_server)) return drop(packet, Drop::tcp_rst_invalid);
  const bool turns_away = flow.uninvited && packet.is.has(flag::rst);
  if (!turns_away) flow.uninvited = false;
  const std::uint64_t seen = flow.seen;
  count(flow, to_server);
  if (turns_away) flow.seen = seen;
  forward(packet, flow, to_server);
}

void GatewayModel::from_server(Packet& packet, Flow& flow) {
  if (flow.generation != generation_ && !asked_again(packet, flow, to_client)) return;
  if (flow.denied) return drop(packet, Drop::flow_denied);
  if (packet.is.kind == Kind::echo_request) return drop(packet, Drop::no_mapping);
  if (flow.uninvited && !packet.is.is_first_syn() && !packet.is.has(flag::rst)) return drop(packet, Drop::no_mapping);
  if (packet.is.is_tcp() && !follow_tcp(packet, flow, to_client)) return drop(packet, Drop::tcp_rst_invalid);
  const std::uint64_t seen = flow.seen;
  count(flow, to_client);
  if (flow.uninvited) flow.seen = seen;
  forward(packet, flow, to_client);
}

bool GatewayModel::asked_again(Packet& packet, Flow& flow, Direction direction) {
  const bool was_denied = flow.denied;
  if (goes_on(flow)) return true;
  if (was_denied) {
    direction == to_server ? without_flow(packet) : drop(packet, Drop::no_mapping);
    return false;
  }
  refuse_removed(packet, flow, direction);
  drop(packet, Drop::policy_removed);
  return false;
}

bool GatewayModel::goes_on(Flow& flow) {
  flow.generation = generation_;
  if (flow.denied) {
    end(FlowName(flow.name));
    return false;
  }
  flow.hairpin = is_ours(flow.name.server.ip);
  const bool address_stays = !flow.egress || is_ours(flow.egress->ip);
  const bool allowed =
      !policy_->defaults.reload_reevaluates || Oracle(*policy_).decide(question(flow.name)).action == "allow";
  if (address_stays && allowed) return true;
  flow.denied = true;
  flow.kept_until = now_ + timeout(flow);
  return false;
}

void GatewayModel::forward(Packet& packet, const Flow& flow, Direction direction) {
  if (direction == to_server && flow.hairpin) {
    if (packet.is.ttl <= 1) {
      send_time_exceeded(packet);
      return drop(packet, Drop::ttl_exceeded);
    }
    translate(packet, flow, to_server);
    packet.hairpin = true;
    again_.push_back(packet);
    return;
  }
  dataplane::Hop hop;
  if (!may_leave(packet, direction == to_server ? packet.is.to.ip : flow.name.client.ip, direction, hop)) return;
  if (packet.is.is_tcp() && packet.is.has(flag::syn) && site_.settings.nat.mss_clamp) {
    clamp_segment_size(packet, hop.port);
  }
  translate(packet, flow, direction);
  send(packet, hop);
}

bool GatewayModel::may_leave(Packet& packet, const IpAddress& destination, Direction direction, dataplane::Hop& hop) {
  if (packet.is.ttl <= 1) {
    send_time_exceeded(packet);
    drop(packet, Drop::ttl_exceeded);
    return false;
  }
  hop = next_hop(destination, direction);
  if (hop.state == dataplane::Hop::State::no_route) {
    send_host_unreachable(packet);
    drop(packet, Drop::no_route);
    return false;
  }
  // What came in fragments leaves in fragments, no larger ones.
  const unsigned mtu = site_.settings.ports[hop.port].mtu;
  const std::size_t bytes = packet.largest_fragment != 0 ? packet.largest_fragment : packet.is.ip_bytes();
  if (bytes <= mtu || !packet.is.dont_fragment) return true;
  send_icmp(packet, 3, 4, 2, 0, mtu);
  drop(packet, Drop::too_big);
  return false;
}

void GatewayModel::send(Packet& packet, const dataplane::Hop& hop) {
  const Layers& at = packet.is.at;
  packet.frame.resize(at.end);
  --packet.frame[at.ip + (at.family == Family::v4 ? 8 : 7)];
  settle_header(packet.frame, at);
  if (!must_cut(packet, hop)) {
    send_frame(hop, {packet.frame.begin() + static_cast<std::ptrdiff_t>(at.ip), packet.frame.end()}, packet.weight);
    return;
  }
  std::size_t limit = site_.settings.ports[hop.port].mtu;
  if (packet.largest_fragment != 0) limit = std::min(limit, packet.largest_fragment);
  for (const Bytes& piece : cut(packet.frame, at, limit, packet.fragment_identification)) {
    if (at.family == Family::v4 || packet.renumbered)
      outcome_.identified_freely.emplace_back(hop.port, outcome_.sent[hop.port].size());
    send_frame(hop, piece, packet.weight);
    packet.weight = 0;
  }
}

bool GatewayModel::must_cut(const Packet& packet, const dataplane::Hop& hop) const {
  return packet.largest_fragment != 0 || packet.is.ip_bytes() > site_.settings.ports[hop.port].mtu;
}

void GatewayModel::send_frame(const dataplane::Hop& hop, const Bytes& ip_packet, unsigned weight) {
  Bytes frame(hop.destination_mac.begin(), hop.destination_mac.end());
  const auto& own = site_.settings.ports[hop.port].mac;
  frame.insert(frame.end(), own.begin(), own.end());
  put_link_type(frame, ip_packet[0] >> 4U == 4 ? Family::v4 : Family::v6);
  frame.insert(frame.end(), ip_packet.begin(), ip_packet.end());
  if (hop.state == dataplane::Hop::State::resolved) {
    outcome_.sent[hop.port].push_back(std::move(frame));
    return;
  }
  Waiting& waiting = waiting_.try_emplace({hop.port, hop.next_hop}, Waiting{now_, {}}).first->second;
  const Packet packet{.frame = std::move(frame), .port = hop.port, .weight = weight};
  waiting.packets.size() == 8 ? drop(packet, Drop::neighbour_queue_full) : waiting.packets.push_back(packet);
}

// RFC 5382 REQ-4: the client's own SYN may be on its way.
void GatewayModel::wait_for_outside_syn(const Packet& packet) {
  const auto same = [&](const auto& other) {
    return other.second.is.from == packet.is.from && other.second.is.to == packet.is.to;
  };
  const auto of_the_sender = std::count_if(unsolicited_.begin(), unsolicited_.end(), [&](const auto& other) {
    return other.second.is.from.ip == packet.is.from.ip;
  });
  const bool waits = site_.settings.nat.unsolicited_icmp && packet.is.is_first_syn() && packet.largest_fragment == 0 &&
                     is_ours(packet.is.to.ip) && unsolicited_.size() < 256 && of_the_sender < 64 &&
                     std::none_of(unsolicited_.begin(), unsolicited_.end(), same);
  if (!waits) return drop(packet, Drop::no_mapping);
  unsolicited_.emplace_back(now_, packet);
}

void GatewayModel::give_up_waiting() {
  while (!unsolicited_.empty() && now_ >= unsolicited_.front().first + 6'000) {
    const Packet packet = std::move(unsolicited_.front().second);
    unsolicited_.pop_front();
    // Who looks whether it was met ends nothing.
    const auto met = outside_.find({packet.is.at.protocol, packet.is.to, packet.is.from});
    if (met == outside_.end() || peek(met->second) == nullptr) send_icmp(packet, 3, 3, 1, 4);
    drop(packet, Drop::no_mapping);
  }
  std::erase_if(waiting_, [&](const auto& entry) {
    if (now_ < entry.second.since + 3'000) return false;
    for (const Packet& packet : entry.second.packets) drop(packet, Drop::neighbour_unresolved);
    return true;
  });
}

void GatewayModel::to_kernel(const Packet& packet) {
  drop(packet, Drop::to_gateway);
  std::vector<Bytes>& kernel = outcome_.kernel[packet.port];
  if (packet.largest_fragment == 0) return kernel.push_back(packet.frame);
  // It gets a datagram in pieces as it came.
  for (const Bytes& piece : cut(packet.frame, packet.is.at, packet.largest_fragment, packet.fragment_identification)) {
    kernel.emplace_back(packet.frame.begin(), packet.frame.begin() + static_cast<std::ptrdiff_t>(packet.is.at.ip));
    kernel.back().insert(kernel.back().end(), piece.begin(), piece.end());
  }
}

bool GatewayModel::is_martian(const Packet& packet, Drop& why) const {
  const IpAddress& from = packet.is.from.ip;
  const IpAddress& to = packet.is.to.ip;
  if (martian(from)) {
    why = Drop::martian_source;
  } else if (martian(to)) {
    why = Drop::martian_destination;
  } else if (from == to) {
    why = Drop::martian_land;
  } else if (!packet.from_inside() && is_ours(from)) {
    why = Drop::martian_own_address;
  } else {
    return false;
  }
  return true;
}

bool GatewayModel::fails_source_check(const Packet& packet) const {
  const IpAddress& from = packet.is.from.ip;
  return site_.settings.nat.source_check && policy_ && Oracle(*policy_).owner(from) == Owner{} &&
         !in_any(site_.settings.inside_networks, from);
}

bool GatewayModel::is_local(const IpAddress& address) const {
  return std::any_of(site_.locals.begin(), site_.locals.end(), [&](const auto& l) { return l.address == address; });
}

bool GatewayModel::is_ours(const IpAddress& address) const { return egress_addresses_.contains(address); }

dataplane::Hop GatewayModel::next_hop(const IpAddress& destination, Direction direction) const {
  const dataplane::RouteEntry* best = nullptr;
  for (const dataplane::RouteEntry& route : site_.routes) {
    if (!route.prefix.contains(destination)) continue;
    if (best == nullptr || route.prefix.length > best->prefix.length) best = &route;
  }
  dataplane::Hop hop;
  if (best == nullptr || best->port == dataplane::no_port) return hop;
  if (direction == to_client && best->port == outside) return hop;  // what is for a client stays inside
  hop.state = dataplane::Hop::State::unresolved;
  hop.port = best->port;
  hop.next_hop = best->gateway.value_or(destination);
  for (const dataplane::NeighbourEntry& neighbour : site_.neighbours) {
    if (neighbour.port != hop.port || neighbour.address != hop.next_hop) continue;
    hop.state = dataplane::Hop::State::resolved;
    hop.destination_mac = neighbour.mac;
  }
  return hop;
}

Question GatewayModel::question(const FlowName& name) const {
  using config::Protocol;
  Question asked;
  asked.source = name.client.ip;
  asked.destination = name.server.ip;
  asked.port = name.server.port;
  asked.protocol = name.protocol == protocol::tcp     ? Protocol::tcp
                   : name.protocol == protocol::udp   ? Protocol::udp
                   : name.protocol == protocol::sctp  ? Protocol::sctp
                   : protocol::is_icmp(name.protocol) ? Protocol::icmp
                                                      : Protocol::other;
  return asked;
}

}  // namespace sallyport::model
