#include "dataplane/stages/inspect.h"

#include <algorithm>

#include "dataplane/stages/decide.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/look.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::Reason;
using namespace wire;

[[nodiscard]] bool is_syn(const Parsed& parsed) noexcept {
  return parsed.kind == PacketKind::tcp && (parsed.tcp_flags & Tcp::syn) != 0;
}

[[nodiscard]] Reason reason_of(Look look) noexcept {
  switch (look) {
    case Look::malformed:
      return Reason::hello_malformed;
    case Look::conflict:
      return Reason::hello_conflict;
    case Look::too_large:
      return Reason::hello_too_large;
    case Look::more:
    case Look::shown:
    case Look::nothing:
    case Look::duplicate:
    case Look::no_room:
      break;
  }
  return Reason::hello_malformed;
}

// The verdict on what was shown. True: allowed.
[[nodiscard]] bool conclude(Core& core, Flow& flow, const classifier::Shown& shown) noexcept {
  const auto decision = core.policy()->decide_shown(pending_decision(core, flow), shown, core.match_scratch());
  take_decision(core, flow, decision);
  if (flow.verdict == Verdict::allowed) core.counters.flows_allowed.add();
  return flow.verdict == Verdict::allowed;
}

// Denied: both sides are told, seen from the client's latest packet; all that waits is dropped.
void refuse_flow(Core& core, FlowNumber number, Reason reason, const Packet& packet, const Parsed& parsed) noexcept {
  refuse_both(core, core.flows[number], packet, parsed, to_server);
  deny_flow(core, number, reason, Drop::hello_denied);
}

// An unfinished hello in a SYN: the SYN goes on without it, the client sends it again.
void cut_payload(Packet& packet, Parsed& parsed) noexcept {
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  std::uint8_t* l4 = packet.data + parsed.l4_offset;
  const std::uint32_t before = parsed.l4_bytes();
  const std::uint32_t after = before - parsed.payload_bytes;
  Delta transport;
  const Sum payload = sum_words(packet.data + parsed.payload_offset, parsed.payload_bytes);
  transport.replace(fold(payload), 0);
  transport.replace(Be16(static_cast<std::uint16_t>(before)).raw(), Be16(static_cast<std::uint16_t>(after)).raw());
  update(at<Tcp>(l4).checksum, transport);
  if (parsed.key.family == Family::v4) {
    auto& ip = at<Ipv4>(l3);
    const std::uint16_t old_length = ip.total_length.raw();
    ip.total_length = static_cast<std::uint16_t>(parsed.l3_bytes - parsed.payload_bytes);
    Delta header;
    header.replace(old_length, ip.total_length.raw());
    update(ip.checksum, header);
  } else {
    auto& ip = at<Ipv6>(l3);
    ip.payload_length = static_cast<std::uint16_t>(ip.payload_length.get() - parsed.payload_bytes);
  }
  packet.length = parsed.payload_offset;
  parsed.l3_bytes -= parsed.payload_bytes;
  parsed.payload_bytes = 0;
}

[[nodiscard]] Inspected end(Core& core, Packet& packet, Drop why) noexcept {
  core.drop(packet, why);
  return Inspected::ended;
}

// Waits for more. The flow's deadline begins with its first payload.
[[nodiscard]] Inspected wait(Core& core, FlowNumber number, Packet& packet) noexcept {
  Flow& flow = core.flows[number];
  const std::uint32_t own = core.flows.facts(flow).inspection;
  if (own == 0) return end(core, packet, Drop::held_full);
  Inspection& inspection = core.held[own];
  if (!core.held.hold(inspection, packet)) return end(core, packet, Drop::held_full);
  core.counters.held.add(packet.weight);
  if (inspection.packets == 1) {
    core.wheel.remove(number);
    core.wheel.add(number, core.tick, static_cast<std::uint32_t>(std::max(hello_left_ms(core, flow), 1)));
  }
  return Inspected::held;
}

}  // namespace

std::int32_t hello_left_ms(const Core& core, const Flow& flow) noexcept {
  const auto limit = static_cast<std::int32_t>(core.policy()->model().defaults.hello_timeout.count());
  return limit - since(core.held[core.flows.facts(flow).inspection].since, core.tick);
}

void hello_overdue(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  if (const Packet* oldest = core.held.oldest(core.held[core.flows.facts(flow).inspection]); oldest != nullptr) {
    Parsed parsed;
    Drop why{};
    if (parse(*oldest, core.parse_rules(oldest->port), parsed, why) == ParseResult::ok) {
      refuse_both(core, flow, *oldest, parsed, to_server);
    }
  }
  deny_flow(core, number, Reason::hello_timeout, Drop::hello_denied);
}

void release_held(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  std::uint32_t& inspection = core.flows.facts(flow).inspection;
  if (inspection == 0) return;
  Packet packet;
  while (core.held.next(core.held[inspection], packet)) {
    core.counters.held.subtract(packet.weight);
    Parsed parsed;
    Drop why{};
    // It was parsed when it came in.
    if (parse(packet, core.parse_rules(packet.port), parsed, why) != ParseResult::ok) {
      core.drop(packet, why);
      continue;
    }
    if (flow.is_tcp()) note_sent(core.flows.track(flow), packet, parsed, to_server);
    forward(core, packet, parsed, flow, to_server);
  }
  core.held.end(inspection);
  inspection = 0;
}

void close_undecided(Core& core, Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  if (facts.generation == core.snapshot->generation) {
    (void)conclude(core, flow, {});
    return;
  }
  flow.verdict = Verdict::denied;
  facts.reason = Reason::policy_removed;
}

Inspected inspect(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  const FlowFacts& facts = core.flows.facts(flow);
  if (facts.inspection != 0 && hello_left_ms(core, flow) <= 0) {
    refuse_flow(core, number, Reason::hello_timeout, packet, parsed);
    return end(core, packet, Drop::hello_denied);
  }
  if (parsed.payload_bytes == 0) {
    // The client ends before it has shown anything whole; what waits in front goes first, or nowhere.
    if (facts.inspection == 0 || (parsed.tcp_flags & Tcp::fin) == 0) return Inspected::pass;
    return wait(core, number, packet);
  }

  Looked looked;
  const Look look =
      flow.is_tcp() ? look_tcp(core, flow, packet, parsed, looked) : look_udp(core, flow, packet, parsed, looked);
  switch (look) {
    case Look::more:
      if (is_syn(parsed)) {
        cut_payload(packet, parsed);
        note_sent(core.flows.track(flow), packet, parsed, to_server);
        forget_stream(core, flow);
        return Inspected::pass;
      }
      return wait(core, number, packet);
    case Look::no_room:
      return end(core, packet, Drop::held_full);
    case Look::duplicate:
      return end(core, packet, Drop::hello_duplicate);
    case Look::malformed:
    case Look::conflict:
    case Look::too_large:
      note_shown(core, flow, looked);
      refuse_flow(core, number, reason_of(look), packet, parsed);
      return end(core, packet, Drop::hello_denied);
    case Look::shown:
    case Look::nothing:
      break;
  }
  note_shown(core, flow, looked);
  if (!conclude(core, flow, looked.shown)) {
    refuse_flow(core, number, facts.reason, packet, parsed);
    return end(core, packet, Drop::hello_denied);
  }
  release_held(core, number);
  if (flow.is_tcp()) note_sent(core.flows.track(flow), packet, parsed, to_server);
  return Inspected::pass;
}

Inspected inspect_server_first(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if (conclude(core, flow, {})) {
    release_held(core, number);
    if (flow.is_tcp()) note_sent(core.flows.track(flow), packet, parsed, to_client);
    return Inspected::pass;
  }
  refuse_both(core, flow, packet, parsed, to_client);
  deny_flow(core, number, core.flows.facts(flow).reason, Drop::hello_denied);
  return end(core, packet, Drop::hello_denied);
}

void observe(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if (parsed.payload_bytes == 0) return;
  Looked looked;
  const Look look =
      flow.is_tcp() ? look_tcp(core, flow, packet, parsed, looked) : look_udp(core, flow, packet, parsed, looked);
  if (look == Look::more || look == Look::duplicate) return;
  note_shown(core, flow, looked);
  flow.clear(Flow::observing);
  std::uint32_t& inspection = core.flows.facts(flow).inspection;
  if (inspection != 0) {
    core.held.end(inspection);
    inspection = 0;
  }
}

}  // namespace sallyport::dataplane
