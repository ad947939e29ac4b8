#include "dataplane/stages/track.h"

#include <algorithm>
#include <optional>

#include "dataplane/stages/guard.h"
#include "dataplane/stages/inspect.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/replicate.h"
#include "dataplane/stages/requests.h"
#include "dataplane/stages/shadow.h"
#include "dataplane/stages/turns.h"
#include "dataplane/wire/headers.h"
#include "dataplane/wire/tcp_options.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

// A denied flow is remembered so that its repetitions need no second decision and no second record.
constexpr std::uint32_t denied_ms = 60'000;
// A QUIC flow whose server did not answer in time takes no Initial any more (guard_overdue()); it is over soon, and the
// next Initial is judged anew. No server waits so long for the rest of a hello.
constexpr std::chrono::milliseconds unanswered{30'000};
constexpr std::uint32_t record_delay_ms = 1'000;

[[nodiscard]] TcpEvent event_of(std::uint8_t flags, Direction direction) noexcept {
  const bool client = direction == to_server;
  if ((flags & Tcp::rst) != 0) return TcpEvent::rst;
  if ((flags & (Tcp::syn | Tcp::ack)) == (Tcp::syn | Tcp::ack)) {
    return client ? TcpEvent::client_syn_ack : TcpEvent::server_syn_ack;
  }
  if ((flags & Tcp::syn) != 0) return client ? TcpEvent::client_syn : TcpEvent::server_syn;
  if ((flags & Tcp::fin) != 0) return client ? TcpEvent::client_fin : TcpEvent::server_fin;
  return client ? TcpEvent::client_ack : TcpEvent::server_ack;
}

constexpr std::uint8_t shift_most = 14;  // RFC 7323 section 2.3

// Bytes that a side's last window allows the other.
[[nodiscard]] std::uint32_t offered(const TcpTrack& track, Direction by, unsigned shift) noexcept {
  return std::uint32_t{track.window[by]} << shift;
}

// The receiver's window: from what it has acknowledged on. It is the other side's word, so whoever writes in the name
// of this one does not move it. `more`: behind its end, for a window that has shrunk, or is probed.
[[nodiscard]] bool in_window(const TcpTrack& track, std::uint32_t sequence, Direction direction,
                             std::uint32_t more) noexcept {
  const Direction other = opposite(direction);
  const std::uint32_t window = std::max(offered(track, other, track.window_shift[other]), 1U);
  return sequence - track.acked[other] < window + more;
}

// So much behind the window is still believed of what fits else. Of a connection that was met in the middle nobody
// knows by how much its windows are scaled.
[[nodiscard]] std::uint32_t leniency(const Flow& flow, const TcpTrack& track, Direction direction) noexcept {
  constexpr std::uint32_t unscaled_most = 65535;
  const Direction other = opposite(direction);
  const unsigned shift = flow.has(Flow::midstream) ? shift_most : track.window_shift[other];
  return std::max(offered(track, other, shift), unscaled_most);
}

// RFC 5961 section 3.2, without the challenge. Who has said nothing yet refuses with number zero, and acknowledges what
// it refuses (RFC 9293 section 3.10.7.1); so does whoever has forgotten the connection.
[[nodiscard]] bool reset_in_window(const Flow& flow, const TcpTrack& track, const Tcp& tcp,
                                   Direction direction) noexcept {
  const Direction other = opposite(direction);
  const std::uint32_t sequence = tcp.sequence.get();
  const bool refuses = (tcp.flags & Tcp::ack) != 0 && track.ends_at(other, tcp.acknowledgment.get());
  if (direction == to_client && flow.tcp == TcpState::syn_client) return refuses;
  if (refuses && (!track.knows(direction, TcpTrack::an_end) || sequence == 0)) return true;
  const bool at_end = track.ends_at(direction, sequence);
  // The other side has acknowledged nothing yet, and so opened no window.
  if (!track.knows(other, TcpTrack::an_acknowledgment)) return at_end || flow.has(Flow::midstream);
  return in_window(track, sequence, direction, at_end ? leniency(flow, track, direction) : 0);
}

// A FIN that anybody could have guessed ends nothing.
[[nodiscard]] bool ends_side(const Flow& flow, const TcpTrack& track, std::uint32_t last,
                             Direction direction) noexcept {
  return !track.knows(opposite(direction), TcpTrack::an_acknowledgment) ||
         in_window(track, last, direction, leniency(flow, track, direction));
}

[[nodiscard]] std::optional<std::uint8_t> window_scale(const TcpOptions& options) noexcept {
  constexpr std::uint8_t scale = 3;
  std::optional<std::uint8_t> shift;
  options.for_each([&](std::uint8_t kind, unsigned place, unsigned count) {
    if (kind != scale || count != 3) return false;
    shift = std::min<std::uint8_t>(*options[place + 2], shift_most);
    return true;
  });
  return shift;
}

// RFC 7323 section 2.2: windows are scaled if both sides have said by how much.
void note_scale(TcpTrack& track, const Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  const auto scale = window_scale(TcpOptions(packet.data + parsed.l4_offset));
  track.window_shift[direction] = scale.value_or(0);
  if (!scale && (tcp.flags & Tcp::ack) != 0) track.window_shift[opposite(direction)] = 0;
}

void note_acknowledged(TcpTrack& track, const Tcp& tcp, Direction direction) noexcept {
  const std::uint32_t number = tcp.acknowledgment.get();
  const Direction other = opposite(direction);
  if ((tcp.flags & Tcp::syn) != 0 && track.ends_at(other, number)) {
    // It answers the other's SYN: what was acknowledged before was of another connection.
    track.set_acked(direction, number);
    track.forget_acked(other);
  } else if (!may_acknowledge(track, number, direction)) {
    return;
  } else if (!track.knows(direction, TcpTrack::an_acknowledgment)) {
    track.set_acked(direction, number);
  } else if (after(number, track.acked[direction])) {
    track.acked[direction] = number;
  }
}

// A server's SYN in the middle of a connection is of another one or nobody's (RFC 5961 section 4), but where the client
// has asked for it.
[[nodiscard]] bool is_out_of_place(const Flow& flow, const TcpTrack& track, const Tcp& tcp,
                                   Direction direction) noexcept {
  if ((tcp.flags & Tcp::syn) == 0 || direction == to_server || is_opening(flow.tcp)) return false;
  return (tcp.flags & Tcp::ack) == 0 || !track.ends_at(to_server, tcp.acknowledgment.get());
}

// As the windows of later segments are said, rounded up: that of a SYN is not scaled (RFC 7323 section 2.2).
[[nodiscard]] std::uint16_t window_of(const TcpTrack& track, const Tcp& tcp, Direction direction) noexcept {
  const unsigned shift = (tcp.flags & Tcp::syn) != 0 ? track.window_shift[direction] : 0;
  const std::uint32_t window = (tcp.window.get() + (std::uint32_t{1} << shift) - 1) >> shift;
  return static_cast<std::uint16_t>(std::max(window, 1U));
}

// The sequence number behind the segment.
[[nodiscard]] std::uint32_t end_of(const Packet& packet, const Parsed& parsed) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  const bool counts = (tcp.flags & (Tcp::syn | Tcp::fin)) != 0;
  return tcp.sequence.get() + parsed.payload_bytes + (counts ? 1 : 0);
}

[[nodiscard]] TcpState state_after(const Flow& flow, const TcpTrack& track, const Tcp& tcp, std::uint32_t end,
                                   Direction direction) noexcept {
  std::uint8_t flags = tcp.flags;
  if ((flags & (Tcp::fin | Tcp::rst)) == Tcp::fin && !ends_side(flow, track, end - 1, direction)) flags = Tcp::ack;
  const TcpEvent event = event_of(flags, direction);
  // The third segment of the server's handshake is one that answers the second.
  if (flow.tcp == TcpState::syn_answered && event == TcpEvent::server_ack &&
      !track.ends_at(to_server, tcp.acknowledgment.get())) {
    return flow.tcp;
  }
  return next_state(flow.tcp, event);
}

// A connection that was reset or closed, and whose record says so, goes on: what it does from now on is recorded when
// it is over for good.
void record_again(Core& core, Flow& flow, bool news) noexcept {
  if (flow.verdict != Verdict::allowed || (flow.tcp != TcpState::established && !news)) return;
  flow.clear(Flow::recorded);
  core.flows.facts(flow).goes_on = true;
}

void drop_packets(Core& core, Inspection& inspection, Drop why) noexcept {
  Packet packet;
  while (core.held.next(inspection, packet)) {
    core.counters.held.subtract(packet.weight);
    core.drop(packet, why);
  }
}

}  // namespace

void note_sent(TcpTrack& track, const Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  const std::uint32_t end = end_of(packet, parsed);
  const bool syn = (parsed.tcp_flags & Tcp::syn) != 0;
  if (syn || !track.knows(direction, TcpTrack::an_end)) {
    track.set_end(direction, end);
  } else if (after(end, track.sent_end[direction])) {
    track.sent_end[direction] = end;
  }
}

bool track_tcp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  TcpTrack& track = core.flows.track(flow);
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  if ((tcp.flags & Tcp::rst) != 0 && !reset_in_window(flow, track, tcp, direction)) return false;
  if (is_out_of_place(flow, track, tcp, direction)) return true;
  // What waits for a verdict is not said yet; nor is the client's end behind it.
  const bool says = parsed.payload_bytes != 0 || (direction == to_server && (tcp.flags & Tcp::fin) != 0);
  const bool may_wait = flow.verdict == Verdict::waiting || (direction == to_server && flow.has(Flow::following));
  const bool waits = may_wait && says;
  // The first byte of a server's late answer is looked for where the server stands (guard.h), not behind a gap.
  const bool ahead = direction == to_client && flow.has(Flow::sealed) && flow.has(Flow::guarded) &&
                     track.knows(to_client, TcpTrack::an_end) && after(tcp.sequence.get(), track.sent_end[to_client]);
  const std::uint32_t end = end_of(packet, parsed);
  const bool news =
      parsed.payload_bytes != 0 && (!track.knows(direction, TcpTrack::an_end) || after(end, track.sent_end[direction]));
  if (!waits && !ahead && (tcp.flags & Tcp::rst) == 0) note_sent(track, packet, parsed, direction);
  if ((tcp.flags & Tcp::syn) != 0) note_scale(track, packet, parsed, direction);
  if ((tcp.flags & Tcp::ack) != 0 && (tcp.flags & Tcp::rst) == 0) note_acknowledged(track, tcp, direction);
  track.window[direction] = window_of(track, tcp, direction);
  flow.tcp = state_after(flow, track, tcp, end, direction);
  if (flow.has(Flow::recorded)) [[unlikely]]
    record_again(core, flow, news);
  return true;
}

std::uint32_t timeout_ms(const Core& core, const Flow& flow) noexcept {
  const auto& timeouts = core.settings.timeouts;
  if (flow.verdict == Verdict::denied) return denied_ms;
  std::chrono::milliseconds timeout = timeouts.udp;
  switch (flow.protocol) {
    case IpProtocol::tcp:
      timeout = is_transitory(flow.tcp) ? timeouts.tcp_transitory : timeouts.tcp_established;
      break;
    case IpProtocol::icmp:
    case IpProtocol::icmp6:
      timeout = timeouts.icmp;
      break;
    case IpProtocol::udp:
      if (flow.has(Flow::sealed)) timeout = std::min(timeout, unanswered);
      break;
    case IpProtocol::sctp:
      break;
  }
  return static_cast<std::uint32_t>(std::min<std::int64_t>(timeout.count(), 0x3fffffff));
}

bool expired(const Core& core, const Flow& flow) noexcept {
  return since(flow.last_seen, core.tick) >= static_cast<std::int32_t>(timeout_ms(core, flow));
}

bool ended_by_time(Core& core, FlowNumber number) noexcept {
  if (!expired(core, core.flows[number])) [[likely]]
    return false;
  end_flow(core, number, FlowEnd::timeout, Drop::hello_denied);
  return true;
}

FlowRecord record_of(const Core& core, const Flow& flow, FlowEnd end) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  const FlowExtras& extras = core.flows.extras(flow);
  FlowRecord record;
  const auto age_ms = [&](Tick then) { return static_cast<Instant>(std::max(since(then, core.tick), 0)) * 1'000'000; };
  const Tick last =
      since(flow.last_seen, flow.last_packet) > 0 && flow.last_packet != 0 ? flow.last_packet : flow.last_seen;
  core.flows.put_inside_key(flow, record.inside);
  record.id = core.hash(record.inside, facts.started) & 0x1fffffffffffffU;  // exact in a JSON number
  record.start_ns = facts.started;
  record.end_ns = std::max(facts.started, core.now - age_ms(last));
  record.written_ns = core.now;
  if (flow.nat_address != 0) {
    record.translated = true;
    record.nat_address = core.addresses[flow.nat_address];
    record.nat_port = flow.nat_port;
  }
  if (end == FlowEnd::none || end == FlowEnd::shutdown) {
    record.phase = !flow.is_tcp() || !is_transitory(flow.tcp)                     ? FlowPhase::established
                   : flow.tcp == TcpState::closing || flow.tcp == TcpState::reset ? FlowPhase::closing
                                                                                  : FlowPhase::opening;
  } else {
    record.phase = FlowPhase::closed;
  }
  record.end = end;
  record.allowed = flow.verdict == Verdict::allowed;
  record.waiting = flow.verdict == Verdict::waiting;
  record.audited = facts.audited;
  record.reason = facts.reason;
  record.layer = facts.layer;
  record.app = facts.app;
  record.ech = facts.ech;
  record.rule = facts.rule;
  record.network = facts.network;
  record.namespace_name = facts.namespace_name;
  record.workload = facts.workload;
  record.egress = facts.egress;
  record.generation = facts.generation;
  record_shadow(core, flow, record);
  record.quic_version = flow.is_tcp() ? 0 : extras.quic_version;
  for (const Direction d : {to_server, to_client}) {
    record.packets[d] = flow.counts[d].packets();
    record.bytes[d] = flow.counts[d].bytes();
  }
  const std::string_view name = facts.name != 0 ? core.names[facts.name] : std::string_view{};
  record.name_length = static_cast<std::uint16_t>(name.size());
  std::copy(name.begin(), name.end(), record.name.begin());
  const std::string_view method = extras.method != 0 ? core.names[extras.method] : std::string_view{};
  record.method_length = static_cast<std::uint8_t>(std::min(method.size(), record.method.size()));
  std::copy_n(method.begin(), record.method_length, record.method.begin());
  const std::string_view url = extras.url != 0 ? core.names[extras.url] : std::string_view{};
  record.url_length = static_cast<std::uint16_t>(url.size());
  std::copy(url.begin(), url.end(), record.url.begin());
  return record;
}

void write_record(Core& core, Flow& flow, FlowEnd end) noexcept {
  if (flow.has(Flow::recorded)) return;
  flow.set(Flow::recorded);
  if (!core.forwards && core.flows.facts(flow).shared) return;  // the other gateway has it, and will say what it was
  if (flow.verdict != Verdict::waiting) shadow_shown(core, flow, {});
  if (flow.verdict == Verdict::denied) {
    core.counters.flows_denied.add();
    core.counters.denied_by_reason[static_cast<std::size_t>(core.flows.facts(flow).reason)].add();
  }
  core.world.record(record_of(core, flow, end));
}

void record_translation(Core& core, const Flow& flow) noexcept {
  FlowRecord record = record_of(core, flow, FlowEnd::none);
  record.kind = RecordKind::translation_begun;
  core.world.record(record);
}

void drop_held(Core& core, Flow& flow, Drop why) noexcept {
  if (core.flows.extras(flow).inspection == 0) return;
  std::uint32_t& inspection = core.flows.own_extras(flow).inspection;
  drop_packets(core, core.held[inspection], why);
  core.held.end(inspection);
  inspection = 0;
}

void abandon_held(Core& core, Flow& flow) noexcept {
  const std::uint32_t number = core.flows.extras(flow).inspection;
  if (number == 0) return;
  Inspection& inspection = core.held[number];
  const bool said =
      inspection.base_known && (inspection.passed != 0 || inspection.base != core.flows.track(flow).first_byte);
  if (said) {
    drop_packets(core, inspection, Drop::hello_abandoned);
  } else {
    drop_held(core, flow, Drop::hello_abandoned);
  }
}

namespace {

// What a flow's extras refer to.
void give_extras_back(Core& core, Flow& flow) noexcept {
  FlowExtras& extras = core.flows.own_extras(flow);
  for (DnsStream& stream : extras.dns) core.dns.streams.forget(stream);
  core.names.give_back(extras.method);
  core.names.give_back(extras.url);
  stop_following(core, flow);
  core.tunnel_peers.give_back(extras.tunnel);
}

}  // namespace

void end_flow(Core& core, FlowNumber number, FlowEnd end, Drop held_as) noexcept {
  Flow& flow = core.flows[number];
  if ((end == FlowEnd::timeout || end == FlowEnd::shutdown) && flow.is_tcp() && flow.verdict == Verdict::allowed) {
    if (flow.tcp == TcpState::closing) end = FlowEnd::fin;
    if (flow.tcp == TcpState::reset) end = FlowEnd::rst;
  }
  if (flow.verdict == Verdict::waiting) {
    close_undecided(core, flow);
  }
  drop_held(core, flow, held_as);
  write_record(core, flow, end);
  note_ended(core, flow);
  core.counters.flows_ended.add();
  core.counters.flows_live.subtract(1);
  core.wheel.remove(number);
  core.flows.unlink(number, FlowTable::Side::inside);
  if (flow.live == 2) core.flows.unlink(number, FlowTable::Side::outside);
  if (flow.live == 1) core.denied_shares.give_back(core.place_of(flow));
  end_nat(core, flow);
  const FlowFacts& facts = core.flows.facts(flow);
  core.names.give_back(facts.name);
  if (facts.extras != 0) give_extras_back(core, flow);
  if (facts.sender != 0) {
    --core.sources[facts.sender].flows;
    core.sources.leave(facts.sender, core.tick);
  }
  core.flows.give_back(number);
}

void flow_due(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  if (expired(core, flow)) {
    if (holds_back(core, flow)) hello_overdue(core, number);
    end_flow(core, number, FlowEnd::timeout, Drop::hello_denied);
    return;
  }
  std::int32_t left = static_cast<std::int32_t>(timeout_ms(core, flow)) - since(flow.last_seen, core.tick);
  if (core.flows.extras(flow).inspection != 0) {
    if (hello_left_ms(core, flow) <= 0 && !goes_on_waiting(core, flow)) {
      if (flow.verdict == Verdict::waiting || holds_back(core, flow)) {
        hello_overdue(core, number);
        left = static_cast<std::int32_t>(timeout_ms(core, flow));
      } else if (flow.has(Flow::observing)) {
        stop_observing(core, flow);
      } else {
        guard_overdue(core, number);
        left = static_cast<std::int32_t>(timeout_ms(core, flow));
      }
    } else {
      left = std::min(left, hello_left_ms(core, flow));
    }
  }
  const bool closed = flow.is_tcp() && (flow.tcp == TcpState::closing || flow.tcp == TcpState::reset);
  // What waits for its name has no verdict to write down: its end gives it one.
  const bool decided = flow.verdict != Verdict::waiting;
  const bool early = !core.settings.records_at_end && !core.flows.facts(flow).goes_on;
  if (closed && decided && early && !flow.has(Flow::recorded)) {
    const std::int32_t quiet = since(flow.last_seen, core.tick);
    if (quiet >= static_cast<std::int32_t>(record_delay_ms)) {
      write_record(core, flow, flow.tcp == TcpState::closing ? FlowEnd::fin : FlowEnd::rst);
    } else {
      left = std::min(left, static_cast<std::int32_t>(record_delay_ms));
    }
  }
  core.wheel.remove(number);
  core.wheel.add(number, core.tick, static_cast<std::uint32_t>(std::max(left, 1)));
}

}  // namespace sallyport::dataplane
