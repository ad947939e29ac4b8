#include "dataplane/stages/survive.h"

#include <algorithm>
#include <limits>

#include "dataplane/stages/decide.h"
#include "dataplane/stages/map_port.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/port_use.h"
#include "dataplane/stages/track.h"
#include "dataplane/stages/tunnel.h"

namespace sallyport::dataplane {
namespace {

using Side = FlowTable::Side;

constexpr std::size_t positions_max = 4096;  // looked at in one call, so that the worker is soon back
constexpr std::uint64_t ns_per_ms = 1'000'000;

[[nodiscard]] std::uint64_t wall_time(const Core& core, Tick then) noexcept {
  return core.now - static_cast<std::uint64_t>(std::max(since(then, core.tick), 0)) * ns_per_ms;
}

// Milliseconds that it is ago; nothing of what the clocks of two processes disagree about is in the future.
[[nodiscard]] std::uint64_t age_ms(const Core& core, std::uint64_t then_ns) noexcept {
  return then_ns >= core.now ? 0 : (core.now - then_ns) / ns_per_ms;
}

// The inspection stays behind, and what it watched may not be said again (guard_overdue() says the same): of TCP
// nothing before the end of the hello, of QUIC no Initial.
void leave_inspection(const Core& core, const Flow& flow, SavedFlow& saved) noexcept {
  const std::uint32_t inspection = core.flows.extras(flow).inspection;
  if (inspection == 0) return;
  saved.flags = static_cast<std::uint8_t>(saved.flags & ~Flow::observing);
  if (!flow.has(Flow::guarded)) return;
  saved.flags = static_cast<std::uint8_t>(saved.flags | Flow::sealed);
  if (!flow.is_tcp()) return;
  saved.flags = static_cast<std::uint8_t>(saved.flags & ~Flow::guarded);
  saved.track.first_byte = core.held[inspection].base + core.held[inspection].passed;
}

// How far it has come; what it is stands.
void set_progress(Core& core, Flow& flow, const SavedFlow& saved) noexcept {
  flow.tcp = saved.tcp;
  flow.flags = static_cast<std::uint8_t>((flow.flags & ~saved_flags) | (saved.flags & saved_flags));
  flow.last_seen = core.tick - static_cast<Tick>(age_ms(core, saved.seen_ns));
  if (saved.packet_ns != 0) flow.last_packet = core.tick - static_cast<Tick>(age_ms(core, saved.packet_ns));
  for (const Direction d : {to_server, to_client}) flow.counts[d] = FlowCount::of(saved.packets[d], saved.bytes[d]);
  if (flow.is_tcp()) core.flows.track(flow) = saved.track;
  FlowFacts& facts = core.flows.facts(flow);
  facts.started = saved.started_ns;
  facts.app = saved.app;
  facts.audited = saved.audited;
  facts.ech = saved.ech;
  core.flows.note(flow, &FlowExtras::quic_version, saved.quic_version);
  core.flows.note(flow, &FlowExtras::domain, saved.domain);
}

// Everything but its translation and its ties, as the draft.
Flow& draft_of(Core& core, const SavedFlow& saved) noexcept {
  Flow& flow = core.flows.begin_draft(saved.inside);
  flow.verdict = Verdict::allowed;
  core.flows.facts(flow).generation = never_asked;
  set_progress(core, flow, saved);
  return flow;
}

// A flow ended and its port, or its key, was given out again while the table was read: the later one is the true one.
[[nodiscard]] bool gives_way(Core& core, FlowNumber present, const SavedFlow& saved) noexcept {
  if (present == 0) return true;
  Flow& flow = core.flows[present];
  const FlowFacts& facts = core.flows.facts(flow);
  if (facts.generation != never_asked || facts.started >= saved.started_ns) return false;
  flow.set(Flow::recorded);
  end_flow(core, present, FlowEnd::replaced);
  return true;
}

// As late as the latest of its flows.
void refresh_mapping(Core& core, const Flow& flow) noexcept {
  const std::uint32_t number = core.flows.facts(flow).mapping;
  if (number == 0) return;
  const Mapping& mapping = core.mappings[number];
  if (mapping.flows == 1 || since(mapping.refreshed, flow.last_seen) > 0) {
    core.mappings.refresh(number, flow.last_seen);
  }
}

// The draft into all tables; 0: no room, and what it held is given back.
[[nodiscard]] FlowNumber enter(Core& core) noexcept {
  const FlowNumber number = core.flows.keep_draft();
  if (number == 0) return 0;
  if (core.flows.link(number, Side::inside)) {
    if (core.flows.link(number, Side::outside)) return number;
    core.flows.unlink(number, Side::inside);
  }
  release_nat(core, core.flows[number]);
  core.flows.give_back(number);
  return 0;
}

}  // namespace

bool outlives(const Core& core, const Flow& flow) noexcept {
  if (flow.live != 2 || flow.verdict != Verdict::allowed || expired(core, flow)) return false;
  if (core.flows.facts(flow).uninvited) return false;
  if (core.flows.facts(flow).asks_name && core.flows.facts(flow).unanswered) return false;
  if (flow.has(Flow::following) || is_portless(flow.protocol)) return false;
  const std::uint32_t inspection = core.flows.extras(flow).inspection;
  if (!flow.is_tcp() || inspection == 0 || flow.has(Flow::observing)) return true;
  return flow.has(Flow::guarded) && core.held[inspection].answered;
}

void save_flow(const Core& core, const Flow& flow, SavedFlow& saved) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  saved.inside = core.flows.inside_key(flow);
  saved.translated = flow.nat_address != 0;
  saved.nat_address = saved.translated ? core.addresses[flow.nat_address] : IpAddress{};
  saved.nat_port = flow.nat_port;
  saved.by_prefix = saved.translated && core.policy() != nullptr && core.policy()->mapped_from(saved.nat_address);
  saved.tcp = flow.tcp;
  saved.flags = static_cast<std::uint8_t>(flow.flags & saved_flags);
  saved.app = facts.app;
  saved.audited = facts.audited;
  saved.ech = facts.ech;
  saved.started_ns = facts.started;
  saved.seen_ns = wall_time(core, flow.last_seen);
  saved.packet_ns = flow.last_packet == 0 ? 0 : wall_time(core, flow.last_packet);
  for (const Direction d : {to_server, to_client}) {
    saved.packets[d] = flow.counts[d].packets();
    saved.bytes[d] = flow.counts[d].bytes();
  }
  saved.track = flow.is_tcp() ? core.flows.track(flow) : TcpTrack{};
  saved.quic_version = flow.is_tcp() ? 0 : core.flows.extras(flow).quic_version;
  saved.domain = core.flows.extras(flow).domain;
  const std::string_view name = facts.name != 0 ? core.names[facts.name] : std::string_view{};
  saved.name_length = static_cast<std::uint16_t>(name.size());
  std::copy(name.begin(), name.end(), saved.name.begin());
  save_tunnel(core, flow, saved);
  leave_inspection(core, flow, saved);
}

std::size_t save_flows(const Core& core, std::size_t& from, std::span<SavedFlow> out) noexcept {
  std::size_t found = 0;
  const std::size_t last = core.flows.end() - 1;
  const std::size_t end = std::min(last, from + positions_max);
  for (; from < end && found < out.size(); ++from) {
    const Flow& flow = core.flows[static_cast<FlowNumber>(from + 1)];
    if (outlives(core, flow)) save_flow(core, flow, out[found++]);
  }
  if (from >= last) from = std::numeric_limits<std::size_t>::max();
  return found;
}

std::size_t save_resting(const Core& core, std::size_t& from, std::span<SavedRest> out) noexcept {
  constexpr std::size_t probes_max = 256;
  std::size_t found = 0;
  const std::size_t last = core.mappings.resting() ? core.mappings.end() - 1 : 0;
  const std::size_t end = std::min(last, from + probes_max);
  for (; from < end && found < out.size(); ++from) {
    const auto number = static_cast<std::uint32_t>(from + 1);
    if (!core.mappings.is_resting(number)) continue;
    const Mapping& mapping = core.mappings[number];
    out[found++] = {core.addresses[mapping.nat_address], mapping.nat_port, mapping.inside.protocol,
                    wall_time(core, mapping.freed)};
  }
  if (from >= last) from = std::numeric_limits<std::size_t>::max();
  return found;
}

namespace {

// An outside endpoint goes on resting, or begins to where it was in use until meanwhile. False: it has an owner, or
// there is no room.
[[nodiscard]] bool rest(Core& core, const Endpoint& inside, std::uint32_t address, std::uint16_t port,
                        std::uint64_t freed_ns) noexcept {
  const Tick freed = core.tick - static_cast<Tick>(age_ms(core, freed_ns));
  if (!core.mappings.rest_again(inside, address, port, freed)) return false;
  count_port(core, core.mappings[core.mappings.holder(address, port, inside.protocol)]);
  return true;
}

// Its time came while no process was there to see it.
void rest_after(Core& core, const SavedFlow& saved, std::uint32_t timeout) noexcept {
  const std::uint64_t freed_ns = saved.seen_ns + timeout * ns_per_ms;
  const Endpoint inside{saved.inside.source_address(), saved.inside.source_port, saved.inside.protocol};
  if (!saved.translated || saved.by_prefix || !maps_endpoints(core, inside.protocol)) return;
  if (age_ms(core, freed_ns) >= core.mappings.rest_ms()) return;
  const std::uint32_t address = core.addresses.take(saved.nat_address);
  if (address == 0) return;
  if (enter_rested_port(core, inside, address, saved.nat_port)) {
    if (rest(core, inside, address, saved.nat_port, freed_ns)) return;
    leave_rested_port(core, inside, address, saved.nat_port);
  }
  core.addresses.give_back(address);
}

}  // namespace

TakenBack take_back(Core& core, const SavedFlow& saved) noexcept {
  if (!gives_way(core, core.flows.find(saved.inside, Side::inside), saved)) return TakenBack::refused;
  Flow& draft = draft_of(core, saved);
  const std::uint64_t age = age_ms(core, saved.seen_ns);
  const std::uint32_t timeout = timeout_ms(core, draft);
  if (age >= timeout) {
    rest_after(core, saved, timeout);
    return TakenBack::over;
  }
  if (saved.translated && !take_translation(core, draft, saved)) return TakenBack::refused;
  if (!gives_way(core, core.flows.find(core.flows.outside_key(draft), Side::outside), saved)) {
    release_nat(core, draft);
    return TakenBack::refused;
  }
  core.flows.facts(draft).name = core.names.take(saved.shown_name(), core.place_of(saved.inside.source_address()));
  core.flows.facts(draft).sender = core.sources.enter(saved.inside.source_address(), core.tick);
  const FlowNumber number = enter(core);
  if (number == 0) {
    core.names.give_back(core.flows.facts(draft).name);
    core.sources.leave(core.flows.facts(draft).sender, core.tick);
    return TakenBack::refused;
  }
  Flow& flow = core.flows[number];
  flow.live = 2;
  if (core.shadow.enabled()) core.shadow[number] = {};
  take_tunnel_back(core, flow, saved);
  hold_ties(core, flow);
  refresh_mapping(core, flow);
  core.counters.flows_opened.add();
  core.counters.flows_live.add();
  core.counters.flows_allowed.add();
  core.wheel.add(number, core.tick, timeout - static_cast<std::uint32_t>(age));
  return TakenBack::taken;
}

TakenBack update_flow(Core& core, FlowNumber number, const SavedFlow& saved) noexcept {
  Flow& flow = core.flows[number];
  set_progress(core, flow, saved);
  core.flows.facts(flow).shared = true;
  refresh_mapping(core, flow);
  return TakenBack::taken;
}

void take_back(Core& core, const SavedRest& saved) noexcept {
  if (age_ms(core, saved.freed_ns) >= core.mappings.rest_ms()) return;
  const std::uint32_t address = core.addresses.take(saved.address);
  const Endpoint unknown{{saved.address.family, {}}, 0, saved.protocol};
  if (address != 0 && !rest(core, unknown, address, saved.port, saved.freed_ns)) core.addresses.give_back(address);
}

}  // namespace sallyport::dataplane
