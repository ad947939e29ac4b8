#include "dataplane/pipeline.h"

#include <algorithm>

#include "dataplane/core.h"
#include "dataplane/pipeline_parts.h"
#include "dataplane/stages/cut.h"
#include "dataplane/stages/decide.h"
#include "dataplane/stages/expect.h"
#include "dataplane/stages/express.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/hand_over.h"
#include "dataplane/stages/hear.h"
#include "dataplane/stages/icmp_error.h"
#include "dataplane/stages/inspect.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/look_ahead.h"
#include "dataplane/stages/martian.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/receive.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/segment.h"
#include "dataplane/stages/stand_by.h"
#include "dataplane/stages/track.h"
#include "dataplane/stages/tunnel.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using Side = FlowTable::Side;

constexpr std::uint32_t timers_a_turn = 4096;

// One burst's way. Reads like the story in docs/life-of-a-packet.md.
class Burst {
 public:
  Burst(Core& core, InFlights& in_flight, PortIndex port) noexcept : core_(core), in_flight_(in_flight), port_(port) {}

  void run(std::span<Packet> packets) noexcept {
    const std::size_t count = receive(core_, port_, packets, in_flight_);
    core_.world.has_passed(Stage::parse);
    const std::span<InFlight> burst = std::span(in_flight_).first(count);
    if (look_ahead(core_.flows, burst) && !core_.openings.overdrawn()) expect_new_flows(core_, burst);
    core_.world.has_passed(Stage::look_up);
    const Express express(core_);
    for (InFlight& p : burst) {
      if (p.plain == PlainKind::none || !express.take_plain(p)) handle(p, express);
    }
    core_.world.has_passed(Stage::handle);
  }

 private:
  // Apart, so that what it keeps in registers is nothing to the packets that never come here.
  [[gnu::noinline]] void handle(InFlight& p, const Express& express) noexcept {
    if (p.plain != PlainKind::none) p.unfold();
    if (!followed(p.parsed.kind)) {
      unfollowed(p);
      return;
    }
    const FlowNumber number = core_.flows.find(p.parsed.key, p.hash, side_of(p), p.glanced);
    if (number != 0 && express.take(p, core_.flows[number])) return;
    go_the_long_way(p, number);
  }

  void go_the_long_way(InFlight& p, FlowNumber number) noexcept {
    OpeningBudget* const budget = core_.openings.strained() && is_undecided(number) ? &core_.openings : nullptr;
    const OpeningBudget::Stretch stretch(budget, number != 0);
    if (number == 0 || ended_by_time(core_, number)) {
      new_flow(p);
    } else if (p.from_inside) {
      outbound(p, number);
    } else {
      inbound(p, number);
    }
  }

  // Not opened yet, or its first payload is waited for.
  [[nodiscard]] bool is_undecided(FlowNumber number) const noexcept {
    const Flow& flow = core_.flows[number];
    return number == 0 || flow.verdict == Verdict::waiting || flow.has(Flow::observing);
  }

  [[gnu::noinline]] void unfollowed(InFlight& p) noexcept {
    Drop why{};
    if (p.packet->hairpin) {
      error(p);
      return;
    }
    if (core_.routing().is_local(p.parsed.key.destination_address()) && !speaks_of_flow(p)) {
      hand_to_kernel(core_, *p.packet, p.parsed);
    } else if (is_martian(core_, p.parsed, p.from_inside, why)) {
      end_martian(core_, *p.packet, p.parsed, why);
    } else if (p.parsed.kind == PacketKind::icmp_error) {
      error(p);
    } else {
      core_.drop(*p.packet, Drop::unsupported_protocol);
    }
  }

  // Clients may leave under an address that is the gateway's own, too.
  [[nodiscard]] bool speaks_of_flow(const InFlight& p) const noexcept {
    return p.parsed.kind == PacketKind::icmp_error && quoted_flow(core_, *p.packet, p.parsed, p.from_inside).flow != 0;
  }

  void error(InFlight& p) noexcept {
    if (core_.policy() == nullptr) {
      core_.drop(*p.packet, Drop::no_policy);
      return;
    }
    QuotedFlow of = quoted_flow(core_, *p.packet, p.parsed, p.from_inside);
    if (of.flow == 0 && !of.broken && p.from_inside && core_.port(port_).role == config::PortRole::both) {
      of = quoted_flow(core_, *p.packet, p.parsed, false);
      if (of.flow == 0 && ask_elsewhere(core_, *p.packet, p.parsed)) return;
      p.from_inside = false;
    }
    if (p.from_inside && fails_source_check(core_, p.parsed)) {
      core_.drop(*p.packet, Drop::source_check);
      return;
    }
    if (of.flow != 0 && core_.flows[of.flow].epoch != core_.epoch && !refresh_quoted(p, of.flow)) return;
    relay_error(core_, *p.packet, p.parsed, of, p.from_inside);
  }

  // As refresh(), of the flow that an error speaks of; its sides are told by their own next packets.
  [[nodiscard]] bool refresh_quoted(const InFlight& p, FlowNumber number) noexcept {
    const Refreshed now = refresh_flow(core_, number);
    if (now != Refreshed::goes_on) {
      core_.drop(*p.packet, now == Refreshed::removed ? Drop::policy_removed : Drop::icmp_error_no_flow);
      return false;
    }
    if (let_go(core_.flows[number])) release_held(core_, number);
    return true;
  }

  void new_flow(InFlight& p) noexcept {
    Drop why{};
    if (p.packet->hairpin) {
      open_from_outside(p);
      return;
    }
    if (core_.routing().is_local(p.parsed.key.destination_address())) {
      hand_to_kernel(core_, *p.packet, p.parsed);
    } else if (is_martian(core_, p.parsed, p.from_inside, why)) {
      end_martian(core_, *p.packet, p.parsed, why);
    } else if (!p.from_inside) {
      open_from_outside(p);
    } else if (!ask_elsewhere(core_, *p.packet, p.parsed)) {
      if (const IpAddress* other = takes_new_flows(p)) {
        pass_on(core_, *p.packet, p.parsed, *other);
      } else {
        open(p);
      }
    }
  }

  // While this gateway drains (standing.h); null: nobody else does. No other one has our end of a tunnel.
  [[nodiscard]] const IpAddress* takes_new_flows(const InFlight& p) const noexcept {
    const Standing* standing = core_.snapshot->standing;
    if (standing == nullptr || p.packet->tunnel != 0) return nullptr;
    return standing->takes_new_flows(p.parsed.key.family);
  }

  // `again`: its key was another connection's a moment ago.
  void open(InFlight& p, bool again = false) noexcept {
    const Opened opened = open_flow(core_, *p.packet, p.parsed, p.hash);
    if (opened.flow == 0) {
      refuse_unopened(core_, opened.why, *p.packet, p.parsed);
      core_.drop(*p.packet, opened.why);
      return;
    }
    Flow& flow = core_.flows[opened.flow];
    if (p.parsed.kind == PacketKind::tcp) {
      begin_stream(core_, flow, *p.packet, p.parsed);
    }
    if (flow.verdict == Verdict::denied) {
      refuse_denied(core_, flow, *p.packet, p.parsed);
      core_.drop(*p.packet, opened.why);
      return;
    }
    // The server may still answer the SYN before: where the data of this one end, it would seem to take them.
    if (again && flow.verdict == Verdict::waiting && p.parsed.payload_bytes != 0) cut_payload(*p.packet, p.parsed);
    if (p.parsed.kind == PacketKind::tcp) (void)track_tcp(core_, flow, *p.packet, p.parsed, to_server);
    (void)client_says(p, opened.flow);
  }

  void open_from_outside(InFlight& p) noexcept {
    const Opened opened = open_flow_from_outside(core_, *p.packet, p.parsed);
    if (opened.flow == 0) {
      take_unsolicited(core_, *p.packet, p.parsed, opened.why);
      return;
    }
    Flow& flow = core_.flows[opened.flow];
    if (p.parsed.kind == PacketKind::tcp) (void)track_tcp(core_, flow, *p.packet, p.parsed, to_client);
    forward(core_, *p.packet, p.parsed, flow, to_client);
  }

  // From the client, of a known flow.
  void outbound(InFlight& p, FlowNumber number) noexcept {
    Flow& flow = core_.flows[number];
    if (flow.epoch != core_.epoch && !refresh(p, number, to_server)) return;
    if (begins_anew(core_, flow, *p.packet, p.parsed)) {
      end_flow(core_, number, FlowEnd::replaced);
      open(p, true);
      return;
    }
    if (flow.verdict == Verdict::denied) {
      count_packet(core_, flow, *p.packet, to_server);
      refuse_denied(core_, flow, *p.packet, p.parsed);
      core_.drop(*p.packet, Drop::flow_denied);
      return;
    }
    if (!comes_home(core_, flow, *p.packet)) {
      core_.drop(*p.packet, Drop::tunnel_conflict);
      return;
    }
    if (p.parsed.kind == PacketKind::tcp && !follow_tcp(core_, number, *p.packet, p.parsed, to_server)) return;
    const bool uninvited = is_uninvited(core_, flow);
    const bool turns_away = uninvited && is_reset(p.parsed);
    if (uninvited && !turns_away) invite(core_, flow);
    const Tick seen = flow.last_seen;
    count_packet(core_, flow, *p.packet, to_server);
    const Inspected heard = client_says(p, number);
    // What goes nowhere keeps no flow alive; a denied one is remembered from its denial on.
    const bool goes_nowhere = heard == Inspected::ended && flow.verdict != Verdict::denied;
    if (goes_nowhere || turns_away) flow.last_seen = seen;
  }

  Inspected client_says(InFlight& p, FlowNumber number) noexcept {
    const Inspected heard = hear_client(core_, number, *p.packet, p.parsed);
    if (heard != Inspected::pass) return heard;
    if (is_dns(core_.flows[number])) note_query(core_, number, *p.packet, p.parsed);
    forward(core_, *p.packet, p.parsed, core_.flows[number], to_server);
    return heard;
  }

  // From the server.
  void inbound(InFlight& p, FlowNumber number) noexcept {
    Flow& flow = core_.flows[number];
    if (flow.epoch != core_.epoch && !refresh(p, number, to_client)) return;
    if (flow.verdict == Verdict::denied) {
      core_.drop(*p.packet, Drop::flow_denied);
      return;
    }
    if (p.parsed.kind == PacketKind::echo_request) {
      core_.drop(*p.packet, Drop::no_mapping);
      return;
    }
    const bool uninvited = is_uninvited(core_, flow);
    if (uninvited && !is_first_syn(p.parsed) && !is_reset(p.parsed)) {
      core_.drop(*p.packet, Drop::no_mapping);
      return;
    }
    const Tick seen = flow.last_seen;
    const std::uint32_t expected = next_from_server(core_, flow, *p.packet, p.parsed);
    if (p.parsed.kind == PacketKind::tcp && !follow_tcp(core_, number, *p.packet, p.parsed, to_client)) return;
    count_packet(core_, flow, *p.packet, to_client);
    if (uninvited) flow.last_seen = seen;
    if (hear_server(core_, number, *p.packet, p.parsed, expected) != Inspected::pass) return;
    if (is_dns(flow)) learn_answer(core_, number, *p.packet, p.parsed);
    forward(core_, *p.packet, p.parsed, flow, to_client);
  }

  // After a reload, or a change of routes. False: the packet has ended.
  [[nodiscard]] bool refresh(InFlight& p, FlowNumber number, Direction direction) noexcept {
    if (core_.policy() == nullptr) {  // a flow of another process, and nobody to ask about it yet
      core_.drop(*p.packet, Drop::no_policy);
      return false;
    }
    switch (refresh_flow(core_, number)) {
      case Refreshed::goes_on:
        if (let_go(core_.flows[number])) release_held(core_, number);
        return true;
      case Refreshed::removed:
        refuse_both(core_, core_.flows[number], *p.packet, p.parsed, direction);
        core_.drop(*p.packet, Drop::policy_removed);
        return false;
      case Refreshed::reopen:
        if (direction == to_server) {
          new_flow(p);
        } else {
          core_.drop(*p.packet, Drop::no_mapping);
        }
        return false;
    }
    return false;
  }

  // Allowed, and nothing looks at what it says any more.
  [[nodiscard]] static bool let_go(const Flow& flow) noexcept {
    return flow.verdict == Verdict::allowed && !flow.has(Flow::observing) && !flow.has(Flow::following) &&
           !flow.has(Flow::guarded);
  }

  [[nodiscard]] static bool is_reset(const Parsed& parsed) noexcept { return (parsed.tcp_flags & wire::Tcp::rst) != 0; }

  Core& core_;
  InFlights& in_flight_;
  PortIndex port_;
};

// The one place where a Burst runs: in two of them the compiler makes calls of what it inlines in one.
[[gnu::noinline]] void pass(Core& core, InFlights& in_flight, PortIndex port, std::span<Packet> packets) noexcept {
  Burst(core, in_flight, port).run(packets);
}

// Packets that were received, translated, and come in a second time.
void take_again(Core& core, InFlights& in_flight) noexcept {
  core.again.drain([&](Packet& packet) { pass(core, in_flight, packet.port, {&packet, 1}); });
}

}  // namespace

Pipeline::Pipeline(const PipelineSettings& settings, World& world) : parts_(std::make_unique<Parts>(settings, world)) {}
Pipeline::~Pipeline() = default;

void Pipeline::process(PortIndex port, std::span<Packet> burst, Instant now, const Snapshot& snapshot) noexcept {
  parts_->begin(now, snapshot);
  if (!parts_->forwards) {
    parts_->count_received(port, burst);
    stand_by(*parts_, port, burst);
    parts_->flush();
    return;
  }
  for (std::size_t done = 0; done < burst.size(); done += burst_max) {
    const std::span<Packet> some = burst.subspan(done, std::min(burst_max, burst.size() - done));
    parts_->count_received(port, some);
    parts_->openings.begin_burst();
    pass(*parts_, parts_->in_flight, port, some);
    parts_->openings.end_burst(some.size());
    if (!parts_->again.empty()) take_again(*parts_, parts_->in_flight);
  }
  parts_->flush();
  parts_->world.has_passed(Stage::transmit);
}

void Pipeline::set_strained(bool strained) noexcept { parts_->openings.set_strained(strained); }

void Pipeline::advance(Instant now, const Snapshot& snapshot) noexcept {
  Core& core = *parts_;
  core.begin(now, snapshot);
  core.wheel.turn(
      core.tick, timers_a_turn, [&](FlowNumber number) { flow_due(core, number); },
      [&](FlowNumber next) { expect_end(core, next); });
  const auto release = [](void* context, std::span<Packet> packets) {
    for (Packet& packet : packets) static_cast<Core*>(context)->release(packet);
  };
  const std::uint32_t late = core.fragments.expire(core.tick, release, &core);
  if (late != 0) {
    core.counters.held.subtract(late);
    core.counters.drops[static_cast<std::size_t>(Drop::fragment_timeout)].add(late);
  }
  wake_ports(core);
  core.sources.advance(core.tick);
  answer_unsolicited(core);
  serve_neighbours(core);
  take_again(core, parts_->in_flight);
  core.flush();
}

void Pipeline::finish(Instant now, const Snapshot& snapshot) noexcept {
  Core& core = *parts_;
  core.begin(now, snapshot);
  end_unsolicited(core);
  for (FlowNumber number = 1; number < core.flows.end(); ++number) {
    if (core.flows[number].live == 0) continue;
    const Flow& flow = core.flows[number];
    if (holds_back(core, flow)) hello_overdue(core, number);
    end_flow(core, number, FlowEnd::shutdown);
  }
  end_rest(core);
  // What waits for fragments or neighbours has waited long enough, whatever the time is.
  const auto longest = std::max<std::int64_t>(core.settings.nat.fragment_timeout.count(), NeighbourQueue::timeout_ms);
  advance(core.now + static_cast<Instant>(longest) * 1'000'000, snapshot);
}

}  // namespace sallyport::dataplane
