#include "dataplane/stages/learn.h"

#include <algorithm>
#include <array>

#include "classifier/host_name.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::names::DnsAnswer;
using classifier::names::DnsName;
using classifier::names::DnsQuestion;
using classifier::names::Parse;
using Bytes = std::span<const std::uint8_t>;
using namespace wire;

// A TTL of 0 is for the transaction that asks (RFC 1035 section 3.2.1): long enough to connect. Longer than a week is
// somebody's mistake (RFC 8767 section 4).
constexpr std::uint32_t shortest_s = 1;
constexpr std::uint32_t longest_s = 7 * 24 * 3600;

[[nodiscard]] Bytes payload_of(const Packet& packet, const Parsed& parsed) noexcept {
  return {packet.data + parsed.payload_offset, parsed.payload_bytes};
}

[[nodiscard]] std::uint64_t key_of(const Core& core, const Flow& flow, const DnsQuestion& question) noexcept {
  const std::uint64_t asked =
      core.hash(reinterpret_cast<const char*>(question.as_sent.data()), question.as_sent.size());
  return core.hash(core.flows.inside_key(flow), asked ^ question.id) | std::uint64_t{1} << 63U;  // never 0
}

[[nodiscard]] bool is_learning(const Core& core, const Flow& flow) noexcept {
  return core.snapshot->names != nullptr && core.policy()->trusts_dns_server(core.flows.destination(flow));
}

void take_query(Core& core, const Flow& flow, Bytes message, bool learning) noexcept {
  AppProtocol& app = core.flows.facts(flow).app;
  DnsQuestion question;
  if (classifier::names::parse_dns_query(message, question) != Parse::done) return;
  if (app == AppProtocol::unknown) app = AppProtocol::dns;
  if (learning && !core.dns.queries.add(key_of(core, flow, question), core.tick)) {
    core.counters.note(DnsEvent::queries_forgotten);
  }
}

void bind(Core& core, const Flow& flow, const DnsAnswer& answer) noexcept {
  std::array<char, DnsName::bytes_max> room;
  const auto name = classifier::normalise(answer.question.name.text(room));
  if (!name) return;
  const config::Dns& dns = core.policy()->model().dns;
  const NameBindings::Learner learner{core.settings.worker, core.place_of(flow)};
  const auto extra_ns = static_cast<Instant>(dns.extra_ttl.count()) * 1'000'000;
  for (const auto& found : core.dns.room().first(answer.addresses)) {
    const Instant ttl_ns = Instant{std::clamp(found.ttl_s, shortest_s, longest_s)} * 1'000'000'000;
    const bool there = core.snapshot->names->learn(learner, name->view(), found.address, core.now + ttl_ns + extra_ns,
                                                   core.now, dns.names_max);
    core.counters.note(there ? DnsEvent::bindings_learned : DnsEvent::bindings_refused);
  }
  if (answer.more) core.counters.note(DnsEvent::bindings_refused);
}

void take_answer(Core& core, const Flow& flow, Bytes message) noexcept {
  DnsAnswer answer;
  switch (classifier::names::parse_dns_answer(message, answer, core.dns.room())) {
    case Parse::done:
      break;
    case Parse::not_this:
      core.counters.note(DnsEvent::answers_unasked);
      return;
    default:
      core.counters.note(DnsEvent::answers_malformed);
      return;
  }
  if (!core.dns.queries.take(key_of(core, flow, answer.question), core.tick)) {
    core.counters.note(DnsEvent::answers_unasked);
    return;
  }
  if (answer.truncated) {
    core.counters.note(DnsEvent::answers_truncated);
    return;
  }
  core.counters.note(DnsEvent::answers_learned);
  core.snapshot->names->sweep(core.settings.worker, core.now);
  bind(core, flow, answer);
}

void lose(Core& core, FlowNumber number) noexcept {
  core.flows.facts(number).dns_lost = true;
  for (DnsStream& stream : core.flows.own_extras(number).dns) core.dns.streams.forget(stream);
  core.counters.note(DnsEvent::streams_lost);
}

// The conversation of a TCP flow begins with its client's first payload.
void begin_conversation(Core& core, const Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  if (facts.dns_begun) return;
  const TcpTrack& track = core.flows.track(flow);
  facts.dns_begun = true;
  facts.dns_lost = flow.has(Flow::midstream);
  auto& streams = core.flows.own_extras(flow).dns;
  streams[to_server] = {track.first_byte, 0, true};
  // The server's side is known once its SYN is, which comes later where the client's SYN carried payload.
  streams[to_client] = {track.sent_end[to_client], 0, track.knows(to_client, TcpTrack::an_end)};
}

template <typename Read>
void read_segment(Core& core, FlowNumber number, Direction direction, const Packet& packet, const Parsed& parsed,
                  const Read& read) noexcept {
  const FlowFacts& facts = core.flows.facts(number);
  DnsStream& stream = core.flows.own_extras(number).dns[direction];
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  const bool syn = (tcp.flags & Tcp::syn) != 0;
  if (syn && !stream.begun) {
    stream.begun = true;
    stream.next = tcp.sequence.get() + 1;
  }
  if (parsed.payload_bytes == 0) return;
  if (!stream.begun) {
    lose(core, number);
    return;
  }
  using Added = DnsStreams::Added;
  const auto add = [&] {
    const std::uint32_t sequence = tcp.sequence.get() + (syn ? 1 : 0);
    return core.dns.streams.add(stream, {number, facts.sender, core.tick}, sequence, payload_of(packet, parsed), read);
  };
  Added added = add();
  if (added == Added::full) {
    lose(core, core.dns.streams.in_the_way(facts.sender));
    if (facts.dns_lost) return;  // its own other direction
    added = add();
  }
  if (added != Added::read) lose(core, number);
}

}  // namespace

void note_query(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept {
  const Flow& flow = core.flows[number];
  if (flow.verdict != Verdict::allowed || parsed.payload_bytes == 0) return;
  const bool learning = is_learning(core, flow);
  const bool unknown = core.flows.facts(flow).app == AppProtocol::unknown;
  if (!flow.is_tcp()) {
    if (learning || unknown) take_query(core, flow, payload_of(packet, parsed), learning);
    return;
  }
  if (!learning) {
    Bytes first;
    const bool whole = classifier::names::first_dns_message(payload_of(packet, parsed), first) == Parse::done;
    if (unknown && whole) take_query(core, flow, first, false);
    return;
  }
  begin_conversation(core, flow);
  if (core.flows.facts(number).dns_lost) return;
  read_segment(core, number, to_server, packet, parsed,
               [&](Bytes message) noexcept { take_query(core, flow, message, true); });
}

void learn_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept {
  const Flow& flow = core.flows[number];
  if (flow.verdict != Verdict::allowed || !is_learning(core, flow)) return;
  if (!flow.is_tcp()) {
    take_answer(core, flow, payload_of(packet, parsed));
    return;
  }
  const FlowFacts& facts = core.flows.facts(number);
  if (!facts.dns_begun || facts.dns_lost) return;
  read_segment(core, number, to_client, packet, parsed,
               [&](Bytes message) noexcept { take_answer(core, flow, message); });
}

BoundNamesNow bound_names(const Core& core, std::uint32_t domain) noexcept {
  return {core.snapshot->names.get(), core.snapshot->names_before.get(), core.now, domain};
}

void check_name_binding(Core& core, Flow& flow, std::string_view shown) noexcept {
  using Binding = classifier::Policy::NameBinding;
  const BoundNamesNow bound = bound_names(core);
  const Binding binding = core.policy()->check_name_binding(shown, core.flows.destination(flow), bound);
  if (binding == Binding::right) return;
  core.counters.note(DnsEvent::names_not_bound);
  if (binding == Binding::audited) {
    core.flows.facts(flow).audited = true;
    return;
  }
  flow.verdict = Verdict::denied;
  FlowFacts& facts = core.flows.facts(flow);
  facts.reason = classifier::Reason::name_not_bound;
  facts.layer = classifier::Layer::egress_network;
  facts.rule = 0;
}

void note_domain(Core& core, const Flow& flow, const classifier::Decision& decision) noexcept {
  const bool by_domain = !decision.domain.text.empty() && core.snapshot->names != nullptr;
  core.flows.note(flow, &FlowExtras::domain, by_domain ? core.snapshot->names->mark(decision.domain) : 0U);
}

}  // namespace sallyport::dataplane
