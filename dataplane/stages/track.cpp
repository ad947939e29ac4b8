#include "dataplane/stages/track.h"

#include <algorithm>

#include "dataplane/stages/guard.h"
#include "dataplane/stages/inspect.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/replicate.h"
#include "dataplane/stages/requests.h"
#include "dataplane/stages/shadow.h"
#include "dataplane/stages/turns.h"
#include "dataplane/wire/headers.h"

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

// RFC 5961 section 3.2, without the challenge: the receiver's window, from what it has acknowledged on. Who has said
// nothing yet refuses with number zero, and acknowledges what it refuses (RFC 9293 section 3.10.7.1).
[[nodiscard]] bool reset_in_window(const Flow& flow, const TcpTrack& track, const Tcp& tcp,
                                   Direction direction) noexcept {
  const Direction other = opposite(direction);
  const std::uint32_t sequence = tcp.sequence.get();
  if (flow.has(Flow::midstream)) return true;
  const bool refuses = (tcp.flags & Tcp::ack) != 0 && track.ends_at(other, tcp.acknowledgment.get());
  if (direction == to_client && flow.tcp == TcpState::syn_client) return refuses;
  if (track.knows(direction, TcpTrack::an_end) ? sequence == track.sent_end[direction] : refuses) return true;
  // The other side has acknowledged nothing yet, and so opened no window.
  if (!track.knows(other, TcpTrack::an_acknowledgment)) return false;
  const std::uint32_t window =
      std::max<std::uint32_t>(std::uint32_t{track.window[other]} << track.window_shift[other], 1);
  return !after(track.acked[other], sequence) && after(track.acked[other] + window, sequence);
}

[[nodiscard]] std::uint8_t window_scale(const std::uint8_t* options, unsigned bytes) noexcept {
  constexpr std::uint8_t end_of_list = 0, no_operation = 1, scale = 3;
  for (unsigned i = 0; i < bytes && options[i] != end_of_list;) {
    if (options[i] == no_operation) {
      ++i;
      continue;
    }
    if (i + 1 >= bytes || options[i + 1] < 2 || i + options[i + 1] > bytes) break;
    if (options[i] == scale && options[i + 1] == 3) return std::min<std::uint8_t>(options[i + 2], 14);
    i += options[i + 1];
  }
  return 0;
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
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  std::uint32_t end = tcp.sequence.get() + parsed.payload_bytes;
  if ((tcp.flags & (Tcp::syn | Tcp::fin)) != 0) ++end;
  if ((tcp.flags & Tcp::syn) != 0 || !track.knows(direction, TcpTrack::an_end)) {
    track.set_end(direction, end);
  } else if (after(end, track.sent_end[direction])) {
    track.sent_end[direction] = end;
  }
}

bool track_tcp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  TcpTrack& track = core.flows.track(flow);
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  if ((tcp.flags & Tcp::rst) != 0 && !reset_in_window(flow, track, tcp, direction)) return false;
  // What waits for a verdict is not said yet; nor is the client's end behind it.
  const bool says = parsed.payload_bytes != 0 || (direction == to_server && (tcp.flags & Tcp::fin) != 0);
  const bool may_wait = flow.verdict == Verdict::waiting || (direction == to_server && flow.has(Flow::following));
  const bool waits = may_wait && says;
  // The first byte of a server's late answer is looked for where the server stands (guard.h), not behind a gap.
  const bool ahead = direction == to_client && flow.has(Flow::sealed) && flow.has(Flow::guarded) &&
                     track.knows(to_client, TcpTrack::an_end) && after(tcp.sequence.get(), track.sent_end[to_client]);
  if (!waits && !ahead && (tcp.flags & Tcp::rst) == 0) note_sent(track, packet, parsed, direction);
  if ((tcp.flags & Tcp::syn) != 0) {
    track.window_shift[direction] =
        window_scale(packet.data + parsed.l4_offset + sizeof(Tcp), tcp.header_bytes() - 20U);
  }
  if ((tcp.flags & Tcp::ack) != 0 && (tcp.flags & Tcp::rst) == 0) {
    const std::uint32_t acknowledged = tcp.acknowledgment.get();
    if (!track.knows(direction, TcpTrack::an_acknowledgment)) {
      track.set_acked(direction, acknowledged);
    } else if (after(acknowledged, track.acked[direction])) {
      track.acked[direction] = acknowledged;
    }
  }
  track.window[direction] = std::max<std::uint16_t>(tcp.window.get(), 1);
  flow.tcp = next_state(flow.tcp, event_of(tcp.flags, direction));
  return true;
}

bool track_middle(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  TcpTrack& track = core.flows.track(flow);
  if (track.known[direction] != TcpTrack::known_mask) [[unlikely]]
    return track_tcp(core, flow, packet, parsed, direction);
  const auto advance = [](std::uint32_t& latest, std::uint32_t number) {
    if (after(number, latest)) latest = number;
  };
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  advance(track.sent_end[direction], tcp.sequence.get() + parsed.payload_bytes);
  advance(track.acked[direction], tcp.acknowledgment.get());
  track.window[direction] = std::max<std::uint16_t>(tcp.window.get(), 1);
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
  if (closed && decided && !core.settings.records_at_end && !flow.has(Flow::recorded)) {
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
