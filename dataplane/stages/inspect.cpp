#include "dataplane/stages/inspect.h"

#include <algorithm>
#include <string_view>

#include "classifier/host_name.h"
#include "classifier/names/quic_initial.h"
#include "dataplane/stages/cut.h"
#include "dataplane/stages/decide.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/guard.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/requests.h"
#include "dataplane/stages/shadow.h"
#include "dataplane/stages/track.h"
#include "dataplane/stages/turns.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::Reason;
using namespace wire;

[[nodiscard]] bool is_syn(const Parsed& parsed) noexcept {
  return parsed.kind == PacketKind::tcp && (parsed.tcp_flags & Tcp::syn) != 0;
}

// What it has shown. Inside of a tunnel the target's name holds where nothing else shows one.
[[nodiscard]] classifier::Shown all_shown(const Core& core, const Flow& flow, classifier::Shown shown) noexcept {
  const std::uint32_t number = core.flows.extras(flow).inspection;
  if (!shown.name.empty() || number == 0) return shown;
  const Inspection& inspection = core.held[number];
  if (!inspection.target_shown || inspection.upgrade.tunnels == 0) return shown;
  shown.protocol = classifier::Shown::Protocol::tls;
  shown.name = core.names[core.flows.facts(flow).name];
  return shown;
}

// Through a proxy: the address is the proxy's, and nothing binds the name inside to it.
[[nodiscard]] bool is_tunnelled(const Core& core, const Flow& flow) noexcept {
  const std::uint32_t inspection = core.flows.extras(flow).inspection;
  return inspection != 0 && core.held[inspection].upgrade.tunnels != 0;
}

// The verdict on what was shown. True: allowed.
[[nodiscard]] bool conclude(Core& core, Flow& flow, const classifier::Shown& shown) noexcept {
  const auto decision =
      core.policy()->decide_shown(pending_decision(core, flow), all_shown(core, flow, shown), core.match_scratch());
  const bool again = flow.has(Flow::guarded) || (core.flows.extras(flow).inspection != 0 &&
                                                 core.held[core.flows.extras(flow).inspection].second_hello);
  take_decision(core, flow, decision);
  if (flow.verdict == Verdict::allowed && !is_tunnelled(core, flow)) check_name_binding(core, flow, shown.name);
  if (!again) {
    count_rules(core, decision);
    shadow_shown(core, flow, shown);
    if (flow.verdict == Verdict::allowed) core.counters.flows_allowed.add();
  }
  return flow.verdict == Verdict::allowed;
}

// The name of a tunnel's target: denied there, or remembered. An address is no name; the hello inside may show one.
[[nodiscard]] bool allows_target(Core& core, Flow& flow, const Looked& looked) noexcept {
  if (!looked.target) return true;
  const std::uint32_t inspection = core.flows.extras(flow).inspection;
  const bool is_name = classifier::normalise(looked.shown.name).has_value();
  if (is_name) note_shown(core, flow, looked);
  // Of an earlier target, which was asked for in vain, nothing holds.
  if (inspection != 0) core.held[inspection].target_shown = is_name && core.flows.facts(flow).name != 0;
  if (!is_name) return true;
  const auto decision = core.policy()->decide_shown(pending_decision(core, flow), looked.shown, core.match_scratch());
  if (decision.action == classifier::Action::allow) return true;
  take_decision(core, flow, decision);
  return false;
}

[[nodiscard]] std::uint64_t hash_of(const Core& core, std::string_view name) noexcept {
  return core.hash(name.data(), name.size());
}

// A hello that a server asked for again (RFC 8446 section 4.1.4) names the same server.
[[nodiscard]] bool is_same_hello(const Core& core, const Flow& flow, const Looked& looked) noexcept {
  const std::uint32_t number = core.flows.extras(flow).inspection;
  if (number == 0 || !core.held[number].second_hello) return true;
  return core.held[number].judged_name == hash_of(core, looked.shown.name);
}

// All that waits goes on, in the order in which it came. What of it lies behind a gap was not read, and comes again.
void send_held(Core& core, Flow& flow) noexcept {
  if (core.flows.extras(flow).inspection == 0) return;
  const Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  const auto is_unread = [&](const Packet& packet, const Parsed& parsed) {
    if (!flow.is_tcp() || parsed.payload_bytes == 0) return false;
    const std::uint32_t sequence = at<Tcp>(packet.data + parsed.l4_offset).sequence.get();
    return static_cast<std::int32_t>(sequence - inspection.base - inspection.contiguous) > 0;
  };
  Packet packet;
  while (core.held.next(core.held[core.flows.extras(flow).inspection], packet)) {
    core.counters.held.subtract(packet.weight);
    Parsed parsed;
    Drop why{};
    // It was parsed when it came in.
    if (parse(packet, core.parse_rules(packet), parsed, why) != ParseResult::ok) {
      core.drop(packet, why);
      continue;
    }
    if (is_unread(packet, parsed)) {
      core.drop(packet, Drop::hello_unordered);
      continue;
    }
    if (flow.is_tcp()) note_sent(core.flows.track(flow), packet, parsed, to_server);
    forward(core, packet, parsed, flow, to_server);
  }
}

// A preamble, whole: it passes, and what is behind it is waited for.
[[nodiscard]] Inspected pass_on(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                                const Looked& looked) noexcept {
  Flow& flow = core.flows[number];
  if (!allows_target(core, flow, looked)) {
    refuse_flow(core, number, core.flows.facts(flow).reason, packet, parsed);
    return Inspected::ended;
  }
  send_held(core, flow);
  pass_preamble(core.held[core.flows.extras(flow).inspection]);
  note_sent(core.flows.track(flow), packet, parsed, to_server);
  take_turn(core, number);
  return Inspected::pass;
}

// Decided by what it has shown.
[[nodiscard]] Inspected decide_shown(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                                     Look look, const Looked& looked) noexcept {
  Flow& flow = core.flows[number];
  const bool same = look != Look::shown || is_same_hello(core, flow, looked);
  note_shown(core, flow, looked);
  if (!same) {
    refuse_flow(core, number, Reason::hello_conflict, packet, parsed);
    return Inspected::ended;
  }
  if (flow.is_tcp() && !prepare_guard(core, flow, packet, parsed)) return Inspected::held;
  const bool hello = look == Look::shown && looked.app != AppProtocol::http;
  if (flow.is_tcp() && hello && !may_follow_hello(core, flow, packet, parsed, looked.hello_end)) {
    refuse_flow(core, number, Reason::hello_conflict, packet, parsed);
    return Inspected::ended;
  }
  if (!conclude(core, flow, looked.shown)) {
    refuse_flow(core, number, core.flows.facts(flow).reason, packet, parsed);
    return Inspected::ended;
  }
  send_held(core, flow);
  if (flow.is_tcp()) note_sent(core.flows.track(flow), packet, parsed, to_server);
  begin_guard(core, number, hello);
  if (hello && core.flows.extras(flow).inspection != 0)
    core.held[core.flows.extras(flow).inspection].judged_name = hash_of(core, looked.shown.name);
  return Inspected::pass;
}

// Through a tunnel that was only asked for nothing goes yet: its target is judged, and what was said behind it is no
// hello.
[[nodiscard]] Inspected decide_early(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                                     const Looked& looked) noexcept {
  if (!allows_target(core, core.flows[number], looked)) {
    refuse_flow(core, number, core.flows.facts(core.flows[number]).reason, packet, parsed);
    return Inspected::ended;
  }
  return decide_shown(core, number, packet, parsed, Look::nothing, {});
}

}  // namespace

Inspected wait_for_more(Core& core, FlowNumber number, Packet& packet) noexcept {
  Flow& flow = core.flows[number];
  if (core.flows.extras(flow).inspection == 0) return end(core, packet, Drop::held_full);
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  if (!core.held.hold(inspection, packet)) return end(core, packet, Drop::held_full);
  core.counters.held.add(packet.weight);
  if (inspection.packets == 1) {
    if (!flow.is_tcp()) inspection.since = core.tick;  // of this connection; there may have been others
    take_clients_turn(core, number);
  }
  return Inspected::held;
}

Reason reason_of(Look look) noexcept {
  switch (look) {
    case Look::conflict:
      return Reason::hello_conflict;
    case Look::too_large:
      return Reason::hello_too_large;
    default:
      return Reason::hello_malformed;
  }
}

void refuse_flow(Core& core, FlowNumber number, Reason reason, const Packet& packet, const Parsed& parsed) noexcept {
  refuse_both(core, core.flows[number], packet, parsed, to_server);
  deny_flow(core, number, reason, Drop::hello_denied);
}

bool holds_back(const Core& core, const Flow& flow) noexcept {
  return core.flows.extras(flow).inspection != 0 && core.held[core.flows.extras(flow).inspection].packets != 0;
}

void hello_overdue(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  if (const Packet* oldest = core.held.oldest(core.held[core.flows.extras(flow).inspection]); oldest != nullptr) {
    Parsed parsed;
    Drop why{};
    if (parse(*oldest, core.parse_rules(*oldest), parsed, why) == ParseResult::ok) {
      refuse_both(core, flow, *oldest, parsed, to_server);
    }
  }
  deny_flow(core, number, Reason::hello_timeout, Drop::hello_denied);
}

void release_held(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  send_held(core, flow);
  core.end_inspection(flow);
}

void close_undecided(Core& core, Flow& flow) noexcept {
  if (core.flows.extras(flow).inspection != 0 && core.held[core.flows.extras(flow).inspection].second_hello) {
    flow.verdict = Verdict::allowed;  // by the first
  } else if (core.flows.facts(flow).generation == core.snapshot->generation) {
    (void)conclude(core, flow, {});
  } else {
    flow.verdict = Verdict::denied;
    core.flows.facts(flow).reason = Reason::policy_removed;
  }
}

Inspected inspect(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if (core.flows.extras(flow).inspection != 0 && hello_left_ms(core, flow) <= 0 && !goes_on_waiting(core, flow)) {
    refuse_flow(core, number, Reason::hello_timeout, packet, parsed);
    return end(core, packet, Drop::hello_denied);
  }
  if (flow.is_tcp() && parsed.payload_bytes == 0) {
    // The client ends before it has shown anything whole; what waits in front goes first, or nowhere.
    if (!holds_back(core, flow) || (parsed.tcp_flags & Tcp::fin) == 0) return Inspected::pass;
    return wait_for_more(core, number, packet);
  }

  // Between the pieces of a hello that is waited for, what cannot be read does not go out with its verdict.
  if (!flow.is_tcp() && holds_back(core, flow) &&
      classifier::names::is_unreadable({packet.data + parsed.payload_offset, parsed.payload_bytes})) {
    return end(core, packet, Drop::hello_denied);
  }
  Looked looked;
  const Look look =
      flow.is_tcp() ? look_tcp(core, flow, packet, parsed, looked) : look_udp(core, flow, packet, parsed, looked);
  return inspect_looked(core, number, packet, parsed, look, looked);
}

Inspected inspect_looked(Core& core, FlowNumber number, Packet& packet, Parsed& parsed, Look look,
                         const Looked& looked) noexcept {
  Flow& flow = core.flows[number];
  switch (look) {
    case Look::more:
    case Look::preamble:
      if (is_syn(parsed)) {
        cut_payload(packet, parsed);
        note_sent(core.flows.track(flow), packet, parsed, to_server);
        forget_stream(core, flow);
        return Inspected::pass;
      }
      if (look == Look::more) return wait_for_more(core, number, packet);
      break;
    case Look::repeated:
      return Inspected::pass;
    case Look::no_room:
      return end(core, packet, Drop::held_full);
    case Look::duplicate:
      return end(core, packet, Drop::hello_duplicate);
    case Look::unopened:
      return end(core, packet, Drop::hello_denied);
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
  const Inspected inspected = look == Look::preamble     ? pass_on(core, number, packet, parsed, looked)
                              : looked.asked_early(look) ? decide_early(core, number, packet, parsed, looked)
                                                         : decide_shown(core, number, packet, parsed, look, looked);
  if (inspected == Inspected::pass) return inspected;
  return end(core, packet, inspected == Inspected::held ? Drop::held_full : Drop::hello_denied);
}

namespace {

// The bytes of a segment of the server's from `expected` on, once they are next; else `early` or nothing.
struct Answer {
  std::span<const std::uint8_t> bytes;
  bool early = false;
};
[[nodiscard]] Answer next_answer(const Packet& packet, const Parsed& parsed, std::uint32_t expected) noexcept {
  const std::uint32_t sequence = at<Tcp>(packet.data + parsed.l4_offset).sequence.get();
  const auto stale = static_cast<std::int32_t>(expected - sequence);
  if (stale < 0) return {{}, true};
  std::span<const std::uint8_t> bytes{packet.data + parsed.payload_offset, parsed.payload_bytes};
  return {bytes.subspan(std::min<std::size_t>(static_cast<std::uint32_t>(stale), bytes.size())), false};
}

}  // namespace

Inspected inspect_answer(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed,
                         std::uint32_t expected) noexcept {
  Flow& flow = core.flows[number];
  const bool lost = is_lost(core, flow);
  if (flow.is_tcp() && !lost) {
    const Answer answer = next_answer(packet, parsed, expected);
    if (answer.early && !has_asked_again(core, flow)) return end(core, packet, Drop::hello_unordered);
    if (answer.early) note_sent(core.flows.track(flow), packet, parsed, to_client);
    if (answer.bytes.empty()) return Inspected::pass;
    const bool begins = core.flows.extras(flow).inspection == 0;
    if (begins) core.flows.own_extras(flow).inspection = core.begin_inspection(flow);
    if (core.flows.extras(flow).inspection == 0) return end(core, packet, Drop::held_full);
    Inspection& inspection = core.held[core.flows.extras(flow).inspection];
    if (inspection.second_hello) {
      note_sent(core.flows.track(flow), packet, parsed, to_client);
      if (!asks_again(inspection, answer.bytes)) {
        flow.verdict = Verdict::allowed;  // as the first hello was, which it has
        release_held(core, number);
      }
      return Inspected::pass;
    }
    if (classifier::names::read_upgrade_answer(answer.bytes, inspection.upgrade)) {
      if (!holds_back(core, flow)) take_turn(core, number);
      note_sent(core.flows.track(flow), packet, parsed, to_client);
      return Inspected::pass;
    }
  }
  if (!lost && conclude(core, flow, {})) {
    release_held(core, number);
    if (flow.is_tcp()) note_sent(core.flows.track(flow), packet, parsed, to_client);
    return Inspected::pass;
  }
  refuse_both(core, flow, packet, parsed, to_client);
  deny_flow(core, number, lost ? Reason::hello_malformed : core.flows.facts(flow).reason, Drop::hello_denied);
  return end(core, packet, Drop::hello_denied);
}

void stop_observing(Core& core, Flow& flow) noexcept {
  flow.clear(Flow::observing);
  core.end_inspection(flow);
}

void observe(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if (parsed.payload_bytes == 0) return;
  Looked looked;
  const bool begins = core.flows.extras(flow).inspection == 0;
  const Look look =
      flow.is_tcp() ? look_tcp(core, flow, packet, parsed, looked) : look_udp(core, flow, packet, parsed, looked);
  if (begins && core.flows.extras(flow).inspection != 0) watch(core, number);
  if (look == Look::more || look == Look::duplicate || look == Look::repeated || look == Look::unopened) return;
  note_shown(core, flow, looked);
  if (look == Look::preamble) {
    pass_preamble(core.held[core.flows.extras(flow).inspection]);
    take_turn(core, number);
    return;
  }
  const classifier::Shown shown = looked.asked_early(look) ? classifier::Shown{} : looked.shown;
  if (audits_name_binding(core) && !is_tunnelled(core, flow)) check_name_binding(core, flow, shown.name);
  if (look == Look::shown || look == Look::nothing) {
    shadow_shown(core, flow, shown);
  } else {
    shadow_dropped(core, flow);
  }
  stop_observing(core, flow);
}

void observe_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                    std::uint32_t expected) noexcept {
  Flow& flow = core.flows[number];
  const std::span<const std::uint8_t> bytes = next_answer(packet, parsed, expected).bytes;
  if (bytes.empty()) return;
  classifier::names::Upgrade fresh;
  const std::uint32_t before = core.flows.extras(flow).inspection;
  const bool known = read_upgrade_answer(bytes, before == 0 ? fresh : core.held[before].upgrade);
  if (before == 0 && known) core.flows.own_extras(flow).inspection = core.begin_inspection(flow);
  const std::uint32_t inspection = core.flows.extras(flow).inspection;
  if (inspection == 0) return;
  if (before == 0) core.held[inspection].upgrade = fresh;
  take_turn(core, number);
}

}  // namespace sallyport::dataplane
