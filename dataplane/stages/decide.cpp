#include "dataplane/stages/decide.h"

#include "classifier/prefix_translation.h"
#include "dataplane/stages/admit.h"
#include "dataplane/stages/hairpin.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/query.h"
#include "dataplane/stages/requests.h"
#include "dataplane/stages/segment.h"
#include "dataplane/stages/shadow.h"
#include "dataplane/stages/survive.h"
#include "dataplane/stages/track.h"
#include "dataplane/stages/treat.h"
#include "dataplane/stages/tunnel.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::Action;
using classifier::Decision;
using classifier::Reason;

// Everything that is asked about a new flow, step by step; each step answers whether to go on.
class Opening {
 public:
  // `inside`: the flow's key, client to server, whoever sent the packet.
  Opening(Core& core, const Packet& packet, const FlowKey& inside, std::uint64_t hash, Direction direction) noexcept
      : core_(core),
        packet_(packet),
        hash_(hash),
        direction_(direction),
        query_(query_of(inside)),
        flow_(core.flows.begin_draft(inside)),
        facts_(core.flows.facts(flow_)) {
    facts_.started = core.now;
    flow_.last_seen = core.tick;
    flow_.epoch = core.epoch;
    facts_.generation = core.snapshot->generation;
  }

  Opened run() noexcept {
    const classifier::Source source = find_source();
    if (core_.settings.nat.source_check &&
        !passes_source_check(source, query_.source, core_.settings.inside_networks)) {
      return {0, Drop::source_check};
    }
    if (core_.policy()->gives_out(query_.destination)) {
      if (!may_hairpin(core_, core_.flows.inside_key(flow_))) return {0, Drop::hairpin_refused};
      flow_.set(Flow::hairpin);
    }

    const BoundNamesNow bound = bound_names(core_);
    const Decision decision = core_.policy()->decide(source, query_, &bound);
    take_decision(core_, flow_, decision);
    if (!decision.domain.text.empty()) note_domain(core_, flow_, decision);
    count_rules(core_, decision);
    facts_.asks_name = decision.action == Action::needs_name;
    if (decision.action == Action::deny) return refuse(decision.reason, Drop::policy_denied, true);
    if (core_.flows.full()) return refuse(Reason::flows_exhausted, Drop::flows_exhausted, false);
    if (!admit()) return refuse(Reason::source_limit, Drop::source_limit, false);
    if (const Nat nat = choose_nat(core_, source, query_, flow_); nat.result != Nat::Result::ok) {
      return refuse_translation(nat.result);
    }
    if (decision.action == Action::allow) flow_.set(Flow::observing);
    return enter();
  }

  // Through a mapping, by somebody to whom nothing was sent yet. What the policy would not let the client open, nobody
  // opens towards it; nor what the client would answer under another address, or may not answer.
  Opened run_from_outside(std::uint32_t mapping) noexcept {
    // RFC 4787 REQ-6, RFC 7857 section 7: whoever finds the mapping open does not hold it open.
    facts_.uninvited = flow_.is_tcp();
    const bool refreshes = flow_.is_tcp() || core_.settings.nat.udp_inbound_refresh;
    if (!refreshes) flow_.last_seen = core_.mappings[mapping].refreshed;
    if (expired(core_, flow_)) return {0, Drop::no_mapping};
    const classifier::Source source = find_source();
    const Decision decision = core_.policy()->decide(source, query_);
    if (decision.action != Action::allow) return {0, Drop::policy_denied};
    if (const FlowNumber own = client_s_own(); own != 0) {
      return {0, core_.flows[own].verdict == Verdict::denied ? Drop::flow_denied : Drop::no_mapping};
    }
    if (core_.policy()->gives_out(query_.destination)) flow_.set(Flow::hairpin);
    take_decision(core_, flow_, decision);
    count_rules(core_, decision);
    if (core_.flows.full()) return {0, Drop::flows_exhausted};
    if (!admit()) return {0, Drop::source_limit};
    if (!use_mapping(core_, source, query_, mapping, flow_)) {
      core_.sources.leave(facts_.sender, core_.tick);
      return {0, Drop::no_mapping};
    }
    return enter();
  }

 private:
  classifier::Source find_source() noexcept {
    const classifier::Source source = core_.policy()->find_source(query_.source);
    facts_.namespace_name = source.namespace_name;
    facts_.workload = source.workload;
    return source;
  }

  // The flow that the client itself has with that server, so that no second one comes to stand under its key: denied,
  // or under another egress address. 0: none, or what an older policy has denied, which is asked again.
  FlowNumber client_s_own() noexcept {
    const FlowNumber number = core_.flows.find(core_.flows.inside_key(flow_), FlowTable::Side::inside);
    if (number == 0 || ended_by_time(core_, number)) return 0;
    const Flow& own = core_.flows[number];
    if (own.verdict != Verdict::denied || core_.flows.facts(own).generation == facts_.generation) return number;
    end_flow(core_, number, FlowEnd::denied);
    return 0;
  }

  bool admit() noexcept {
    const auto& limits = core_.settings.limits;
    facts_.sender = core_.sources.enter(query_.source, core_.tick);
    const bool limited = limits.flows_per_source != 0 || limits.new_flows_per_second_per_source != 0;
    if (facts_.sender == 0) return !limited;
    return !limited || core_.sources.admit(facts_.sender, limits.flows_per_source,
                                           limits.new_flows_per_second_per_source, core_.tick);
  }

  Opened refuse_translation(Nat::Result why) noexcept {
    switch (why) {
      case Nat::Result::no_address:
        return refuse(Reason::no_egress_address, Drop::no_egress_address, true);
      case Nat::Result::source_limit:
        return refuse(Reason::source_limit, Drop::source_ports_exhausted, true);
      case Nat::Result::protocol_taken:
        return refuse(Reason::nat_ports_exhausted, Drop::nat_protocol_taken, true);
      case Nat::Result::no_free_port:
      case Nat::Result::ok:
        break;
    }
    return refuse(Reason::nat_ports_exhausted, Drop::nat_ports_exhausted, true);
  }

  // `remember`: as a denied flow, so that what follows of it needs no second decision.
  Opened refuse(Reason reason, Drop why, bool remember) noexcept {
    flow_.verdict = Verdict::denied;
    facts_.reason = reason;
    core_.sources.leave(facts_.sender, core_.tick);
    facts_.sender = 0;
    const bool room = core_.flows.live() < core_.flows.capacity() - core_.flows.capacity() / 8;
    const bool may = remember && room;
    const SharePlace sender = may ? core_.place_of(query_.source) : SharePlace{};
    FlowNumber number = may && core_.denied_shares.has_room(sender) ? core_.flows.keep_draft() : 0;
    if (number != 0 && !core_.flows.link(number, FlowTable::Side::inside, hash_)) {
      core_.flows.give_back(number);
      number = 0;
    }
    count_opened();
    Flow& flow = number != 0 ? core_.flows[number] : flow_;
    count_packet(core_, flow, packet_, direction_);
    // Other reasons are no policy's: the shadow would have ended the flow alike.
    shadow_opened(core_, flow, why == Drop::policy_denied);
    write_record(core_, flow, FlowEnd::denied);
    if (number == 0) {
      core_.counters.flows_ended.add();
      core_.counters.flows_live.subtract(1);
      return {0, why};
    }
    flow.live = 1;
    core_.denied_shares.take(sender);
    core_.wheel.add(number, core_.tick, timeout_ms(core_, flow));
    return {number, why};
  }

  void count_opened() noexcept {
    core_.counters.flows_opened.add();
    core_.counters.flows_live.add();
  }

  Opened enter() noexcept {
    // Asked for early: its port, and so its place in the index, was not known before.
    const std::uint64_t outside_hash = core_.flows.hash(core_.flows.outside_key(flow_), FlowTable::Side::outside);
    core_.flows.prefetch_bucket(outside_hash);
    const bool tunnel = find_tunnel(core_, flow_, packet_, direction_);
    find_treatment(core_, flow_);
    const FlowNumber number = core_.flows.keep_draft();
    if (!tunnel) return undo(number);
    if (!core_.flows.link(number, FlowTable::Side::inside, hash_)) return undo(number);
    if (!core_.flows.link(number, FlowTable::Side::outside, outside_hash)) {
      core_.flows.unlink(number, FlowTable::Side::inside);
      return undo(number);
    }
    Flow& flow = core_.flows[number];
    flow.live = 2;
    hold_ties(core_, flow);
    if (core_.changes.enabled()) core_.changes.opened(number, facts_.started, core_.tick);
    count_opened();
    count_packet(core_, flow, packet_, direction_);
    shadow_opened(core_, flow, true);
    const std::int32_t old = since(flow.last_seen, core_.tick);
    core_.wheel.add(number, core_.tick, timeout_ms(core_, flow) - static_cast<std::uint32_t>(old));
    if (flow.verdict == Verdict::allowed) core_.counters.flows_allowed.add();
    if (core_.settings.translation_records && flow.nat_address != 0) record_translation(core_, flow);
    return {number, Drop::policy_denied};
  }

  Opened undo(FlowNumber number) noexcept {
    release_nat(core_, core_.flows[number]);
    core_.tunnel_peers.give_back(core_.flows.extras(number).tunnel);
    core_.flows.give_back(number);
    flow_.nat_address = 0;
    return refuse(Reason::flows_exhausted, Drop::flows_exhausted, false);
  }

  Core& core_;
  const Packet& packet_;
  std::uint64_t hash_;
  Direction direction_;
  classifier::FlowQuery query_;
  Flow& flow_;  // the draft
  FlowFacts& facts_;
};

// RFC 4787 section 5: who may answer through a mapping beside those whose flows stand in the table.
[[nodiscard]] bool may_answer(const Core& core, std::uint32_t mapping, const IpAddress& server) noexcept {
  switch (core.settings.nat.filtering) {
    case config::Filtering::endpoint_independent:
      return true;
    case config::Filtering::address_dependent:
      return core.contacts.knows(mapping, server);
    case config::Filtering::address_and_port_dependent:
      return false;
  }
  return false;
}

}  // namespace

void take_decision(Core& core, Flow& flow, const Decision& decision) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  flow.verdict = decision.action == Action::allow  ? Verdict::allowed
                 : decision.action == Action::deny ? Verdict::denied
                                                   : Verdict::waiting;
  facts.reason = decision.reason;
  facts.layer = decision.layer;
  facts.rule = decision.rule;
  facts.network = decision.network;
  core.flows.note(flow, &FlowExtras::name_table, decision.name_table);
  if (decision.action == Action::needs_name) facts.reads_requests = decision.reads_requests;
  if (decision.audited) facts.audited = true;
}

void count_rules(Core& core, const Decision& decision) noexcept {
  if (decision.action == Action::needs_name) return;
  if (decision.rule != 0) core.rules.decided(decision.rule);
  if (decision.audit != 0) core.rules.audited(decision.audit);
}

Decision pending_decision(const Core& core, const Flow& flow) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  Decision pending;
  pending.action = Action::needs_name;
  pending.reason = facts.reason;
  pending.layer = facts.layer;
  pending.rule = facts.rule;
  pending.network = facts.network;
  pending.name_table = core.flows.extras(flow).name_table;
  pending.audited = facts.audited;
  return pending;
}

Opened open_flow(Core& core, const Packet& packet, const Parsed& parsed, std::uint64_t hash) noexcept {
  if (core.policy() == nullptr) return {0, Drop::no_policy};
  if (parsed.kind == PacketKind::echo_reply) return {0, Drop::icmp_lone_reply};
  const bool midstream = parsed.kind == PacketKind::tcp && !is_first_syn(parsed);
  // A reset is of something that is over.
  const bool lives_on = (parsed.tcp_flags & (wire::Tcp::ack | wire::Tcp::rst)) == wire::Tcp::ack;
  if (midstream && !(core.settings.nat.tcp_midstream && lives_on)) return {0, Drop::no_flow_midstream};
  if (core.openings.overdrawn()) return {0, Drop::worker_overloaded};
  const Opened opened = Opening(core, packet, parsed.key, hash, to_server).run();
  if (opened.flow != 0 && midstream) core.flows[opened.flow].set(Flow::midstream);
  return opened;
}

Opened open_flow_from_outside(Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  if (core.policy() == nullptr) return {0, Drop::no_policy};
  const bool begins = parsed.kind == PacketKind::udp || is_first_syn(parsed);
  if (!begins || core.settings.nat.filtering == config::Filtering::address_and_port_dependent) {
    return {0, Drop::no_mapping};
  }
  const std::uint32_t address = core.addresses.find(parsed.key.destination_address());
  const std::uint32_t mapping =
      address == 0 ? 0 : core.mappings.holder(address, parsed.key.destination_port, parsed.key.protocol);
  const IpAddress server = parsed.key.source_address();
  if (mapping == 0 || !core.mappings.is_open(mapping) || !may_answer(core, mapping, server)) {
    return {0, Drop::no_mapping};
  }
  if (core.openings.overdrawn()) return {0, Drop::worker_overloaded};

  const Endpoint& client = core.mappings[mapping].inside;
  FlowKey inside = parsed.key.reversed();
  inside.source = client.address.bytes;
  inside.source_port = client.port;
  const std::uint64_t hash = core.flows.hash(inside, FlowTable::Side::inside);
  return Opening(core, packet, inside, hash, to_client).run_from_outside(mapping);
}

void deny_flow(Core& core, FlowNumber number, Reason reason, Drop held_as) noexcept {
  Flow& flow = core.flows[number];
  flow.verdict = Verdict::denied;
  core.flows.facts(flow).reason = reason;
  flow.clear(Flow::observing);
  flow.clear(Flow::guarded);
  stop_following(core, flow);
  shadow_dropped(core, flow);
  drop_held(core, flow, held_as);
  write_record(core, flow, FlowEnd::denied);
  core.wheel.remove(number);
  core.wheel.add(number, core.tick, timeout_ms(core, flow));
}

namespace {

// Every QUIC connection of an allowed flow is judged where names are asked for.
void set_guard(Flow& flow, bool asks) noexcept {
  if (asks) {
    flow.set(Flow::guarded);
  } else {
    flow.clear(Flow::guarded);
  }
}

// What a flow has shown, as far as it is remembered: of a request, not its fields. Where none decides, what named a
// server by asking a proxy for it counts as a hello with that name (all_shown() in inspect.cpp).
[[nodiscard]] classifier::Shown shown_before(const Core& core, const Flow& flow, bool reads_requests) noexcept {
  using Protocol = classifier::Shown::Protocol;
  const FlowFacts& facts = core.flows.facts(flow);
  const FlowExtras& extras = core.flows.extras(flow);
  classifier::Shown shown;
  if (facts.app == AppProtocol::tls) shown.protocol = Protocol::tls;
  if (facts.app == AppProtocol::quic) shown.protocol = Protocol::quic;
  if (facts.app == AppProtocol::http) shown.protocol = Protocol::http;
  if (facts.app == AppProtocol::http2) shown.protocol = Protocol::http2;
  const bool proxied = facts.app == AppProtocol::socks || (facts.app == AppProtocol::http && extras.method == 0);
  if (proxied && !reads_requests) shown.protocol = Protocol::tls;
  if (facts.name != 0) shown.name = core.names[facts.name];
  if (extras.method != 0) shown.request.method = core.names[extras.method];
  if (extras.url != 0) shown.request.target = core.names[extras.url];
  shown.ech = facts.ech;
  return shown;
}

// What a flow that another process opened would have learned when it was new.
void introduce(Core& core, const Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  const auto query = query_of(core.flows.inside_key(flow));
  const classifier::Source source = core.policy()->find_source(query.source);
  facts.namespace_name = source.namespace_name;
  facts.workload = source.workload;
  const classifier::EgressChoice choice = core.policy()->choose_egress(source, query);
  if (flow.nat_address == 0) return;
  const IpAddress& address = core.addresses[flow.nat_address];
  const bool same = choice.prefix != nullptr ? choice.prefix->to_outside(query.source) == address
                                             : choice.pool != nullptr && choice.pool->contains(address);
  if (same) facts.egress = choice.egress;
}

}  // namespace

Refreshed refresh_flow(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  FlowFacts& facts = core.flows.facts(flow);
  flow.epoch = core.epoch;
  flow.hops = {};
  if (facts.generation == core.snapshot->generation) return Refreshed::goes_on;
  const classifier::Policy& policy = *core.policy();
  if (facts.generation == never_asked) introduce(core, flow);
  facts.generation = core.snapshot->generation;

  if (flow.verdict == Verdict::denied) {
    end_flow(core, number, FlowEnd::denied);
    return Refreshed::reopen;
  }
  if (flow.nat_address != 0 && !answers_come_here(core, flow, policy)) {
    deny_flow(core, number, Reason::policy_removed, Drop::policy_removed);
    return Refreshed::removed;
  }
  find_treatment(core, flow);
  if (policy.gives_out(core.flows.destination(flow))) {
    flow.set(Flow::hairpin);
  } else {
    flow.clear(Flow::hairpin);
  }
  const bool undecided = flow.verdict == Verdict::waiting;
  const bool following = flow.has(Flow::following) && !undecided;
  const bool reevaluates = policy.model().defaults.reload_reevaluates;
  if (!undecided && !following && !reevaluates) return Refreshed::goes_on;

  const auto query = query_of(core.flows.inside_key(flow));
  const classifier::Source source = policy.find_source(query.source);
  facts.namespace_name = source.namespace_name;
  facts.workload = source.workload;
  const BoundNamesNow bound = bound_names(core, core.flows.extras(flow).domain);
  Decision decision = policy.decide(source, query, &bound);
  note_domain(core, flow, decision);
  facts.asks_name = decision.action == Action::needs_name;
  if (following && decision.reads_requests) {
    // The next request is asked of the new policy; the one under way was allowed when it came.
    core.flows.note(flow, &FlowExtras::name_table, decision.name_table);
    facts.network = decision.network;
    return Refreshed::goes_on;
  }
  if (!decision.reads_requests) stop_following(core, flow);
  if (!undecided && !reevaluates) return Refreshed::goes_on;
  const bool asks = decision.action == Action::needs_name;
  const bool nothing_sent_yet = flow.has(Flow::observing) && core.flows.extras(flow).inspection == 0 && flow.is_tcp() &&
                                facts.app == AppProtocol::unknown;
  if (decision.action == Action::needs_name && !undecided && !nothing_sent_yet) {
    // Where in its requests such a connection is, nobody knows.
    const bool unfollowed =
        decision.reads_requests && !facts.upgraded &&
        (facts.app == AppProtocol::http || facts.app == AppProtocol::http2 || flow.has(Flow::observing));
    decision = policy.decide_shown(decision, shown_before(core, flow, decision.reads_requests), core.match_scratch());
    if (unfollowed) decision.action = Action::deny;
  }
  take_decision(core, flow, decision);
  if (flow.verdict != Verdict::denied) {
    if (flow.verdict == Verdict::waiting) flow.clear(Flow::observing);
    if (!flow.is_tcp() && flow.verdict == Verdict::allowed) set_guard(flow, asks);
    return Refreshed::goes_on;
  }
  deny_flow(core, number, Reason::policy_removed, Drop::policy_removed);
  return Refreshed::removed;
}

}  // namespace sallyport::dataplane
