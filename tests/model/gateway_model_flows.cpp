// Flows of the model gateway: their lives, and the states of TCP.
#include <algorithm>
#include <optional>
#include <utility>

#include "gateway_model.h"

namespace sallyport::model {
namespace {

// Sequence numbers compare by what is nearer (RFC 9293 section 3.4).
bool is_after(std::uint32_t a, std::uint32_t b) { return a != b && a - b < 0x80000000U; }

// RFC 7323 section 2.3: at most 14.
std::optional<unsigned> window_scale(const Bytes& frame, const Layers& at) {
  const std::size_t end = at.transport + (frame[at.transport + 12] >> 4U) * 4U;
  for (std::size_t i = at.transport + 20; i < end && frame[i] != 0;) {
    if (frame[i] == 1) {
      ++i;
      continue;
    }
    if (i + 1 >= end || frame[i + 1] < 2 || i + frame[i + 1] > end) break;
    if (frame[i] == 3 && frame[i + 1] == 3) return std::min<unsigned>(frame[i + 2], 14);
    i += frame[i + 1];
  }
  return std::nullopt;
}

}  // namespace

// nat.md 8.
std::uint64_t GatewayModel::timeout(const Flow& flow) const {
  const config::Timeouts& timeouts = site_.settings.timeouts;
  const auto ms = [](std::chrono::milliseconds time) { return static_cast<std::uint64_t>(time.count()); };
  if (flow.denied) return 60'000;
  if (protocol::is_icmp(flow.name.protocol)) return ms(timeouts.icmp);
  if (flow.name.protocol != protocol::tcp) return ms(timeouts.udp);
  const bool established =
      flow.tcp == TcpState::established || flow.tcp == TcpState::fin_client || flow.tcp == TcpState::fin_server;
  return ms(established ? timeouts.tcp_established : timeouts.tcp_transitory);
}

std::optional<std::uint64_t> GatewayModel::next_deadline() const {
  std::optional<std::uint64_t> next;
  for (const auto& [name, flow] : flows_) {
    const std::uint64_t deadline = flow.seen + timeout(flow);
    if (deadline > now_ && (!next || deadline < *next)) next = deadline;
  }
  return next;
}

Outcome GatewayModel::advance(std::uint64_t now) {
  outcome_ = {};
  now_ = now;
  expire_datagrams();
  std::vector<FlowName> cleared;
  for (auto& [name, flow] : flows_) {
    if (is_alive(flow)) continue;
    if (flow.cleared_from == 0) flow.cleared_from = now;
    if (now >= std::max(flow.seen + timeout(flow), flow.kept_until) + clearing_ms) cleared.push_back(name);
  }
  for (const FlowName& name : cleared) end(name, flows_.at(name).cleared_from, now);
  std::erase_if(mappings_, [&](const auto& entry) {
    const Mapping& mapping = entry.second;
    return mapping.flows.empty() && now >= mapping.freed_until + rest_ms();
  });
  give_up_waiting();
  return std::move(outcome_);
}

// One that is over ends where somebody asks for it.
GatewayModel::Flow* GatewayModel::find(const FlowName& name) {
  const auto found = flows_.find(name);
  if (found == flows_.end()) return nullptr;
  if (is_alive(found->second)) return &found->second;
  end_noticed(name);
  return nullptr;
}

GatewayModel::Flow* GatewayModel::peek(const FlowName& name) {
  const auto found = flows_.find(name);
  return found != flows_.end() && is_alive(found->second) ? &found->second : nullptr;
}

GatewayModel::Flow* GatewayModel::find_answered(const Packet& packet) {
  const Reading& is = packet.is;
  FlowName name{is.at.protocol, is.to, is.from};
  if (protocol::is_icmp(name.protocol)) std::swap(name.client.port, name.server.port);
  const auto found = outside_.find(name);
  return found == outside_.end() ? nullptr : find(FlowName(found->second));
}

GatewayModel::Flow& GatewayModel::enter(Flow flow, Direction direction) {
  if (!flow.denied) {
    flow.known_outside = true;
    FlowName answered = flow.name;
    answered.client = flow.egress.value_or(flow.name.client);
    if (const auto old = outside_.find(answered); old != outside_.end()) end(FlowName(old->second));
    outside_[answered] = flow.name;
    Source& source = sources_[flow.name.client.ip];
    if (!source.flows.empty() && !is_alive(source)) source.certain = false;
    source.flows.insert(flow.name);
    if (flow.egress) {
      auto& paired = source.paired;
      if (std::find(paired.begin(), paired.end(), flow.egress->ip) == paired.end()) {
        paired.insert(paired.begin(), flow.egress->ip);
        if (paired.size() > 4) paired.pop_back();
      }
    }
  }
  Flow& entered = flows_[flow.name] = flow;
  count(entered, direction);
  return entered;
}

void GatewayModel::end(const FlowName& name, std::uint64_t from, std::uint64_t until) {
  const Flow& flow = flows_.at(name);
  if (flow.known_outside) {
    FlowName answered = flow.name;
    answered.client = flow.egress.value_or(flow.name.client);
    outside_.erase(answered);
    Source& source = sources_.at(name.client.ip);
    source.flows.erase(name);
    if (source.flows.empty()) sources_.erase(name.client.ip);
  }
  if (flow.egress && maps_endpoints(name.protocol)) {
    const auto mapping = mappings_.find({name.protocol, *flow.egress});
    mapping->second.flows.erase(name);
    mapping->second.freed_from = std::max(mapping->second.freed_from, from);
    mapping->second.freed_until = std::max(mapping->second.freed_until, until);
    if (mapping->second.flows.empty() && rest_ms() == 0) mappings_.erase(mapping);
  }
  flows_.erase(name);
}

void GatewayModel::end_noticed(const FlowName& name) {
  const std::uint64_t from = flows_.at(name).cleared_from;
  end(FlowName(name), from != 0 ? from : now_, now_);
}

// RFC 4787 REQ-6: outbound packets refresh; of TCP both sides do.
void GatewayModel::count(Flow& flow, Direction direction) {
  ++flow.packets[direction];
  const bool refreshes =
      direction == to_server || flow.name.protocol == protocol::tcp || site_.settings.nat.udp_inbound_refresh;
  if (!refreshes) return;
  flow.seen = now_;
  if (flow.egress && maps_endpoints(flow.name.protocol)) {
    mappings_.at({flow.name.protocol, *flow.egress}).refreshed = now_;
  }
}

// TCP

bool GatewayModel::follow_tcp(const Packet& packet, Flow& flow, Direction direction) {
  const TcpState before = flow.tcp;
  if (!track_tcp(packet, flow, direction)) return false;
  const Reading& is = packet.is;
  if (is.is_first_syn() && direction == to_server && flow.tcp == TcpState::syn_client) {
    flow.first_byte = is.sequence + 1;
    flow.unanswered = true;
  }
  // Of several SYNs the server has answered one. A SYN-ACK of the client's own, met in the middle, is the only one.
  const bool opening = before == TcpState::syn_client || before == TcpState::syn_crossed;
  const bool answers_syn = direction == to_client && opening && is.has(flag::syn) && is.has(flag::ack) &&
                           std::exchange(flow.unanswered, false);
  const std::uint32_t said = flow.spoken[to_server].end.value_or(0) - flow.first_byte;
  if (answers_syn && is.acknowledgment - flow.first_byte > said) flow.first_byte = is.acknowledgment;
  return true;
}

bool GatewayModel::track_tcp(const Packet& packet, Flow& flow, Direction direction) {
  const Reading& is = packet.is;
  if (is.has(flag::rst) && !reset_counts(packet, flow, direction)) return false;
  if (is_nobody_s_syn(is, flow, direction)) return true;
  Spoken& spoken = flow.spoken[direction];
  if (!is.has(flag::rst)) {
    const std::uint32_t one = is.has(flag::syn | flag::fin) ? 1 : 0;
    const std::uint32_t end = is.sequence + static_cast<std::uint32_t>(is.payload_bytes) + one;
    if (!spoken.end || is.has(flag::syn) || is_after(end, *spoken.end)) spoken.end = end;
  }
  Spoken& other = flow.spoken[direction == to_server ? to_client : to_server];
  if (is.has(flag::syn)) {
    const auto scale = window_scale(packet.frame, is.at);
    spoken.shift = scale.value_or(0);
    if (!scale && is.has(flag::ack)) other.shift = 0;
  }
  if (is.has(flag::ack) && !is.has(flag::rst)) acknowledge(is, spoken, other);
  spoken.at_all = true;
  // RFC 7323 section 2.2: that of a SYN is said as it is; rounded up, since what is kept is scaled.
  const unsigned shift = is.has(flag::syn) ? spoken.shift : 0;
  spoken.window = std::max<std::uint32_t>((is.window + (1U << shift) - 1) >> shift, 1);
  flow.tcp = after(flow, is, direction);
  return true;
}

// RFC 5961 section 4: a server's SYN in the middle of a connection, but for the answer to one of the client's.
bool GatewayModel::is_nobody_s_syn(const Reading& is, const Flow& flow, Direction direction) {
  using enum TcpState;
  const bool middle = flow.tcp == established || flow.tcp == fin_client || flow.tcp == fin_server ||
                      flow.tcp == closing || flow.tcp == reset;
  const bool answers = is.has(flag::ack) && flow.spoken[to_server].end == is.acknowledgment;
  return is.has(flag::syn) && direction == to_client && middle && !answers;
}

// Only what was said is acknowledged. Who answers a SYN begins a connection: what its sender has acknowledged was of
// another one.
void GatewayModel::acknowledge(const Reading& is, Spoken& spoken, Spoken& other) {
  if (is.has(flag::syn) && other.end == is.acknowledgment) {
    spoken.acked = is.acknowledgment;
    other.acked.reset();
    return;
  }
  if (other.end && is_after(is.acknowledgment, *other.end)) return;
  if (!spoken.acked || is_after(is.acknowledgment, *spoken.acked)) spoken.acked = is.acknowledgment;
}

// What nobody can guess: a number in the window that the other side has opened, or up to as much behind it. In the
// middle of a connection windows may be scaled by anything.
std::uint32_t GatewayModel::believed(const Flow& flow, const Spoken& other) {
  return std::max(other.window << (flow.midstream ? 14U : other.shift), 65'535U);
}

// RFC 5961 section 3.2: inside of the window that the other side has opened, or at the end of what was said and not far
// from it; as an answer to a SYN, and from who has said or knows nothing, it acknowledges that.
bool GatewayModel::reset_counts(const Packet& packet, const Flow& flow, Direction direction) {
  const Reading& is = packet.is;
  const Spoken& other = flow.spoken[direction == to_server ? to_client : to_server];
  const auto& end = flow.spoken[direction].end;
  const bool refuses = is.has(flag::ack) && is.acknowledgment == other.end;
  if (direction == to_client && flow.tcp == TcpState::syn_client) return refuses;
  if (refuses && (!end || is.sequence == 0)) return true;
  if (!other.acked) return is.sequence == end || flow.midstream;
  const std::uint32_t window = std::max<std::uint32_t>(other.window << other.shift, 1);
  return is.sequence - *other.acked < window + (is.sequence == end ? believed(flow, other) : 0);
}

// RFC 5382 REQ-2, RFC 7857 section 2.
GatewayModel::TcpState GatewayModel::after(const Flow& flow, const Reading& segment, Direction direction) {
  using enum TcpState;
  const TcpState state = flow.tcp;
  const bool client = direction == to_server;
  if (segment.has(flag::rst)) return reset;
  if (segment.has(flag::syn)) {
    if (state == nothing) return client ? syn_client : segment.has(flag::ack) ? syn_both : syn_server;
    if (state == syn_server && client) return segment.has(flag::ack) ? syn_answered : syn_both;
    if (state == syn_server && segment.has(flag::ack)) return syn_both;
    if (state == syn_answered && !client && segment.has(flag::ack)) return established;
    // In a simultaneous open both sides answer the other's SYN by a SYN-ACK.
    if (state == syn_both && client && segment.has(flag::ack)) return syn_crossed;
    if (state == syn_crossed && !client && segment.has(flag::ack)) return established;
    return state == syn_client && !client ? syn_both : state;
  }
  // A FIN out of the window is no FIN.
  const Spoken& other = flow.spoken[client ? to_client : to_server];
  const std::uint32_t last = segment.sequence + static_cast<std::uint32_t>(segment.payload_bytes);
  const std::uint32_t window = std::max<std::uint32_t>(other.window << other.shift, 1);
  if (segment.has(flag::fin) && (!other.acked || last - *other.acked < window + believed(flow, other))) {
    if (state == nothing || state == syn_both || state == syn_crossed || state == syn_server || state == syn_answered ||
        state == established)
      return client ? fin_client : fin_server;
    if (state == fin_client && !client) return closing;
    if (state == fin_server && client) return closing;
    return state;
  }
  // Data after a reset revives the connection.
  if (state == nothing || state == reset) return established;
  if (state == syn_answered && !client) {
    return segment.acknowledgment == flow.spoken[to_server].end ? established : state;
  }
  return (state == syn_both || state == syn_crossed || state == syn_answered) && client ? established : state;
}

// nat.md 10: a SYN on a closing flow; on one that was denied, or is half closed, it may be a repetition.
bool GatewayModel::begins_anew(const Packet& packet, const Flow& flow) {
  using enum TcpState;
  const bool repeated = flow.first_byte == packet.is.sequence + 1;
  if (flow.denied) return !repeated;
  if (flow.tcp == closing || flow.tcp == reset) return true;
  return (flow.tcp == fin_client || flow.tcp == fin_server) && !repeated;
}

}  // namespace sallyport::model
