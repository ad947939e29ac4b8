#include "dataplane/stages/requests.h"

#include <algorithm>
#include <string_view>

#include "dataplane/stages/decide.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/learn.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/shadow.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::Reason;
using classifier::names::HttpStep;
using classifier::names::RequestHead;
using namespace wire;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t tls_handshake = 22;                     // RFC 8446 section 5.1
constexpr std::uint32_t window_max = std::uint32_t{1} << 30U;  // RFC 7323 section 2.3
constexpr std::uint32_t held_packets_max = 2048;

// Where a segment's payload lies in the client's stream.
struct Segment {
  Segment(const Packet& packet, const Parsed& parsed) noexcept
      : bytes(packet.data + parsed.payload_offset, parsed.payload_bytes) {
    const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
    first = tcp.sequence.get() + ((tcp.flags & Tcp::syn) != 0 ? 1 : 0);
    end = first + parsed.payload_bytes;
  }
  Bytes bytes;
  std::uint32_t first, end;
};

// What becomes of a segment.
struct Outcome {
  enum class What : std::uint8_t {
    passes,
    waits,
    ends,      // under `drop`: it comes again
    refused,   // its request is denied; the flow's facts say why
    denied,    // for `reason`
    not_http,  // shows no request
  };
  What what = What::passes;
  Drop drop = Drop::held_full;
  Reason reason = Reason::hello_malformed;
};
constexpr Outcome passes{Outcome::What::passes};
constexpr Outcome waits{Outcome::What::waits};
[[nodiscard]] constexpr Outcome ends(Drop drop) noexcept { return {Outcome::What::ends, drop}; }
[[nodiscard]] constexpr Outcome denied(Reason reason) noexcept {
  return {Outcome::What::denied, Drop::hello_denied, reason};
}

// For the flow's record.
void note(Core& core, FlowFacts& facts, const RequestHead& head) noexcept {
  facts.app = AppProtocol::http;
  core.names.give_back(facts.method);
  core.names.give_back(facts.url);
  facts.method = core.names.take(head.method);
  facts.url = core.names.take(head.target);
  if (facts.name != 0 && core.names[facts.name] == head.host) return;
  core.names.give_back(facts.name);
  facts.name = core.names.take(head.host);
  if (head.host.empty()) return;
  core.counters.names_seen.add();
  if (facts.name == 0) core.counters.names_not_stored.add();
}

// The verdict on one request. True: allowed.
[[nodiscard]] bool allows(Core& core, Flow& flow, const RequestHead& head) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  note(core, facts, head);
  classifier::Shown shown;
  shown.protocol = classifier::Shown::Protocol::http;
  shown.name = head.host;
  shown.request = {head.method, head.target, head.fields};
  const bool first = flow.verdict == Verdict::waiting;
  const auto decision = core.policy()->decide_shown(pending_decision(core, flow), shown, core.match_scratch());
  take_decision(core, flow, decision);
  if (flow.verdict == Verdict::allowed) check_name_binding(core, flow, head.host);
  // A connection counts for the rule of its first request, and for the one that ends it.
  if (first || flow.verdict != Verdict::allowed) count_rules(core, decision);
  if (first) {
    shadow_shown(core, flow, shown);
    if (flow.verdict == Verdict::allowed) core.counters.flows_allowed.add();
  }
  return flow.verdict == Verdict::allowed;
}

// One segment's way through the follower.
class Reading {
 public:
  Reading(Core& core, FlowNumber number, RequestFollow& follow, const Segment& segment) noexcept
      : core_(core), flow_(core.flows[number]), facts_(core.flows.facts(number)), follow_(follow), segment_(segment) {}

  [[nodiscard]] Outcome run(const Packet& packet) noexcept {
    // What no window reaches would be taken for a body that has gone by.
    if (after(segment_.end, server_has() + window_max)) return ends(Drop::hello_unordered);
    pass_over_body();
    if (after(follow_.base, segment_.first)) {
      const Outcome outcome = compare();
      if (outcome.what != Outcome::What::passes || !after(segment_.end, follow_.base)) return outcome;
    }
    if (follow_.reaches(segment_.end)) return passes;
    if (follow_.awaits != RequestFollow::Switch::none) return denied(Reason::hello_malformed);  // RFC 9110 section 7.8
    const std::size_t most = std::max<std::size_t>(segment_.bytes.size(), core_.held.hello_bytes());
    if (!core_.said.has_room(follow_.said, most) || !core_.held.has_room(packet)) return ends(Drop::held_full);
    return read();
  }

 private:
  // Up to where the server has acknowledged the client's bytes.
  [[nodiscard]] std::uint32_t server_has() const noexcept {
    const std::uint32_t acked = core_.flows.track(flow_).acked[to_client];
    return acked != 0 ? acked : follow_.begin;
  }

  void pass_over_body() noexcept {
    if (follow_.beyond == 0 || !after(segment_.end, follow_.base)) return;
    const std::uint64_t step = std::min<std::uint64_t>(follow_.beyond, segment_.end - follow_.base);
    follow_.base += static_cast<std::uint32_t>(step);
    follow_.beyond -= step;
  }

  // Bytes that are decided already, as far as the server does not have them yet: they are what they were, or of a body.
  [[nodiscard]] Outcome compare() const noexcept {
    const std::uint32_t has = server_has();
    const std::uint32_t end = after(segment_.end, follow_.base) ? follow_.base : segment_.end;
    const std::uint32_t from = after(has, segment_.first) ? has : segment_.first;
    if (!after(end, from)) return passes;
    if (core_.flows.track(flow_).acked[to_client] == 0 && after(follow_.begin, segment_.first))
      return ends(Drop::hello_duplicate);
    const Bytes said = segment_.bytes.subspan(from - segment_.first, end - from);
    return core_.said.agrees(follow_.said, from, said) ? passes : denied(Reason::hello_conflict);
  }

  [[nodiscard]] Outcome read() noexcept {
    while (true) {
      const bool straight = !after(segment_.first, follow_.base) && !holds_back(core_, flow_);
      const std::uint32_t base = follow_.base;
      const Outcome outcome = straight ? read_straight() : read_gathered();
      if (outcome.what != Outcome::What::passes || follow_.reaches(segment_.end)) return outcome;
      // More than could be put together with what waited before: the rest stands alone now.
      if (base == follow_.base) return ends(Drop::hello_unordered);
    }
  }

  [[nodiscard]] Outcome read_straight() noexcept {
    Bytes rest = segment_.bytes.subspan(follow_.base - segment_.first);
    const Outcome outcome = decide(rest);
    return outcome.what == Outcome::What::waits && !begin_stream(rest) ? ends(Drop::held_full) : outcome;
  }

  // Through the stream that is put together of what waits.
  [[nodiscard]] Outcome read_gathered() noexcept {
    const bool begins = !holds_back(core_, flow_);
    if (begins && !begin_stream({})) return ends(Drop::held_full);
    Inspection& inspection = core_.held[facts_.inspection];
    ByteStream stream = core_.held.stream(inspection);
    const std::uint32_t skipped = after(inspection.base, segment_.first) ? inspection.base - segment_.first : 0;
    const Bytes bytes = segment_.bytes.subspan(skipped);
    const std::uint32_t offset = segment_.first + skipped - inspection.base;
    if (offset >= core_.held.hello_bytes()) return undo(begins);
    const auto count = static_cast<std::uint32_t>(bytes.size());
    const bool known = stream.covers(offset, count);
    if (!stream.add(offset, bytes)) return denied(Reason::hello_conflict);
    if (known) return ends(Drop::hello_duplicate);
    const std::uint32_t before = inspection.contiguous;
    inspection.contiguous = stream.contiguous(before);
    if (inspection.contiguous == before) {
      const bool fits = offset + count <= core_.held.hello_bytes() && inspection.packets < held_packets_max;
      return fits ? waits : denied(Reason::hello_too_large);
    }
    return settle(inspection, stream);
  }

  // There is more of the stream than before.
  [[nodiscard]] Outcome settle(Inspection& inspection, ByteStream stream) noexcept {
    const std::uint32_t base = follow_.base;
    Bytes rest = stream.first(inspection.contiguous);
    const Outcome outcome = decide(rest);
    const bool decided = outcome.what == Outcome::What::passes || outcome.what == Outcome::What::waits;
    if (!decided || follow_.base == base) return outcome;
    const std::uint32_t read_end = base + inspection.contiguous;
    std::copy(rest.begin(), rest.end(), core_.scratch.data());
    rest = {core_.scratch.data(), rest.size()};
    release(read_end);
    if (facts_.inspection == 0 && rest.empty()) return passes;
    // A segment that reaches past what could be put together is read on.
    const bool cut = after(segment_.end, read_end);
    if (facts_.inspection == 0 && (outcome.what == Outcome::What::passes || cut)) return passes;
    if (!begin_stream(rest)) return ends(Drop::held_full);
    // What is not all in the stream cannot wait.
    return cut ? ends(Drop::hello_unordered) : outcome;
  }

  [[nodiscard]] Outcome undo(bool begins) noexcept {
    if (begins) {
      core_.held.end(facts_.inspection);
      facts_.inspection = 0;
    }
    return ends(Drop::hello_unordered);
  }

  // Everything that these bytes bring; left in them is what is unfinished.
  [[nodiscard]] Outcome decide(Bytes& bytes) noexcept {
    const std::uint32_t begin = follow_.base;
    std::size_t done = 0;
    std::size_t framed = 0;
    Outcome outcome = passes;
    while (done < bytes.size() && outcome.what == Outcome::What::passes) {
      RequestHead head;
      const HttpStep step = follow_.follower.next(bytes.subspan(done), core_.fields, head);
      outcome = outcome_of(step, head);
      done += step.bytes;
      if (step.bytes != 0) framed = done;
      const std::uint64_t here = std::min<std::uint64_t>(step.skip, bytes.size() - done);
      done += static_cast<std::size_t>(here);
      follow_.beyond = step.skip - here;
      if (follow_.awaits != RequestFollow::Switch::none && done != bytes.size()) return denied(Reason::hello_malformed);
    }
    if (outcome.what == Outcome::What::waits && bytes.size() - done >= core_.held.hello_bytes())
      return denied(Reason::hello_too_large);
    core_.said.add(follow_.said, begin, bytes.first(framed));
    follow_.base = begin + static_cast<std::uint32_t>(done);
    bytes = bytes.subspan(done);
    return outcome;
  }

  [[nodiscard]] Outcome outcome_of(const HttpStep& step, const RequestHead& head) noexcept {
    switch (step.what) {
      case HttpStep::What::need_more:
        return waits;
      case HttpStep::What::framing:
        return passes;
      case HttpStep::What::not_http:
        return {Outcome::What::not_http};
      case HttpStep::What::malformed:
        return denied(Reason::hello_malformed);
      case HttpStep::What::request:
        break;
    }
    if (!allows(core_, flow_, head)) return {Outcome::What::refused};
    const bool may_switch = follow_.follower.requests() == 1 && head.body == RequestHead::Body::none;
    if (may_switch && head.becomes != RequestHead::Switch::none) {
      follow_.awaits = head.becomes;
      follow_.answer = core_.flows.track(flow_).sent_end[to_client];
    }
    return passes;
  }

  // What waits is read from `rest` on, which is in no memory of the inspection's. False: no room.
  [[nodiscard]] bool begin_stream(Bytes rest) noexcept {
    const bool begins = facts_.inspection == 0;
    if (begins) facts_.inspection = core_.held.begin(core_.tick);
    if (facts_.inspection == 0) return false;
    Inspection& inspection = core_.held[facts_.inspection];
    if (!core_.held.open_stream(inspection, true)) {
      if (begins) core_.held.end(facts_.inspection);
      if (begins) facts_.inspection = 0;
      return false;
    }
    ByteStream stream = core_.held.stream(inspection);
    stream.clear();
    (void)stream.add(0, rest);
    inspection.base = follow_.base;
    inspection.base_known = true;
    inspection.contiguous = static_cast<std::uint32_t>(rest.size());
    return true;
  }

  // Of what waits, what is decided goes on, in the order in which it came. What was read and is unfinished waits on,
  // for as long again; what lies behind a gap comes again.
  void release(std::uint32_t read_end) noexcept {
    Inspection& inspection = core_.held[facts_.inspection];
    inspection.since = core_.tick;
    Packet packet;
    for (std::uint32_t left = inspection.packets; left != 0 && core_.held.next(inspection, packet); --left) {
      Parsed parsed;
      Drop why{};
      const bool parses = parse(packet, core_.parse_rules(packet.port), parsed, why) == ParseResult::ok;
      const std::uint32_t end = parses ? Segment(packet, parsed).end : 0;
      if (parses && !follow_.reaches(end) && !after(end, read_end)) {
        (void)core_.held.hold(inspection, packet);  // its room was just given back
        continue;
      }
      core_.counters.held.subtract(packet.weight);
      if (!parses) {
        core_.drop(packet, why);
      } else if (!follow_.reaches(end)) {
        core_.drop(packet, Drop::hello_unordered);
      } else {
        note_sent(core_.flows.track(flow_), packet, parsed, to_server);
        forward(core_, packet, parsed, flow_, to_server);
      }
    }
    if (inspection.packets != 0) return;
    core_.held.end(facts_.inspection);
    facts_.inspection = 0;
  }

  Core& core_;
  Flow& flow_;
  FlowFacts& facts_;
  RequestFollow& follow_;
  const Segment& segment_;
};

[[nodiscard]] Inspected end(Core& core, Packet& packet, Drop why) noexcept {
  core.drop(packet, why);
  return Inspected::ended;
}

// False: no room for one more.
[[nodiscard]] bool begin_following(Core& core, Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  if (facts.follow != 0) return true;
  facts.follow = core.follows.take();
  if (facts.follow == 0) return false;
  RequestFollow& follow = core.follows[facts.follow];
  follow = RequestFollow{};
  follow.begin = follow.base = core.flows.track(flow).first_byte;
  flow.set(Flow::following);
  return true;
}

// What a SYN carried is cut off and comes again: as if nothing had been read.
void forget_requests(Core& core, Flow& flow) noexcept {
  stop_following(core, flow);
  if (flow.verdict == Verdict::allowed) flow.verdict = Verdict::waiting;
  forget_stream(core, flow);
}

[[nodiscard]] Inspected take_payload(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  FlowFacts& facts = core.flows.facts(flow);
  if (!begin_following(core, flow)) return end(core, packet, Drop::held_full);
  const Segment segment(packet, parsed);
  const Outcome outcome = Reading(core, number, core.follows[facts.follow], segment).run(packet);
  switch (outcome.what) {
    case Outcome::What::passes:
      note_sent(core.flows.track(flow), packet, parsed, to_server);
      return Inspected::pass;
    case Outcome::What::waits:
      if ((parsed.tcp_flags & Tcp::syn) == 0) return wait_for_more(core, number, packet);
      cut_payload(packet, parsed);
      note_sent(core.flows.track(flow), packet, parsed, to_server);
      forget_requests(core, flow);
      return Inspected::pass;
    case Outcome::What::not_http:
      stop_following(core, flow);
      return inspect_looked(core, number, packet, parsed, Look::nothing, {});
    case Outcome::What::refused:
      refuse_request(core, flow, packet, parsed);
      deny_flow(core, number, facts.reason, Drop::hello_denied);
      return end(core, packet, Drop::hello_denied);
    case Outcome::What::denied:
      refuse_flow(core, number, outcome.reason, packet, parsed);
      return end(core, packet, Drop::hello_denied);
    case Outcome::What::ends:
      break;
  }
  return end(core, packet, outcome.drop);
}

}  // namespace

bool is_lost(const Core& core, const Flow& flow) noexcept {
  return flow.has(Flow::midstream) && core.flows.facts(flow).reads_requests && flow.verdict == Verdict::waiting;
}

bool shows_requests(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  FlowFacts& facts = core.flows.facts(flow);
  if (facts.follow != 0) return true;
  if (!flow.is_tcp() || !facts.reads_requests || flow.verdict != Verdict::waiting || parsed.payload_bytes == 0)
    return false;
  const Segment segment(packet, parsed);
  const std::uint32_t start = core.flows.track(flow).first_byte;
  // Not the first byte: it is held (look.h), in the stream that is read here later.
  if (after(segment.first, start) || !after(segment.end, start)) return false;
  if (!is_lost(core, flow) && segment.bytes[start - segment.first] == tls_handshake) {
    facts.reads_requests = false;
    return false;
  }
  return true;
}

Inspected follow_requests(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if ((parsed.tcp_flags & Tcp::rst) != 0) {
    drop_held(core, flow, Drop::hello_abandoned);
    return Inspected::pass;
  }
  const bool waits = holds_back(core, flow);
  if (is_lost(core, flow) || (waits && hello_left_ms(core, flow) <= 0)) {
    refuse_flow(core, number, waits ? Reason::hello_timeout : Reason::hello_malformed, packet, parsed);
    return end(core, packet, Drop::hello_denied);
  }
  if (parsed.payload_bytes != 0) return take_payload(core, number, packet, parsed);
  // The client's end: what waits in front goes first, or nowhere.
  if (waits && (parsed.tcp_flags & Tcp::fin) != 0) return wait_for_more(core, number, packet);
  note_sent(core.flows.track(flow), packet, parsed, to_server);
  return Inspected::pass;
}

void follow_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  RequestFollow& follow = core.follows[core.flows.facts(flow).follow];
  const TcpTrack& track = core.flows.track(flow);
  if (track.acked[to_client] != 0) core.said.acknowledge(follow.said, track.acked[to_client]);
  if ((parsed.tcp_flags & Tcp::rst) != 0) return;
  note_sent(core.flows.track(flow), packet, parsed, to_client);
  const Segment segment(packet, parsed);
  if (follow.awaits == RequestFollow::Switch::none || segment.first != follow.answer || segment.bytes.empty()) return;
  const std::string_view text(reinterpret_cast<const char*>(segment.bytes.data()), segment.bytes.size());
  const bool agrees = follow.awaits == RequestFollow::Switch::upgrade
                          ? text.starts_with("HTTP/1.1 101 ")
                          : text.starts_with("HTTP/1.1 2") || text.starts_with("HTTP/1.0 2");
  follow.awaits = RequestFollow::Switch::none;
  if (!agrees) return;
  core.flows.facts(flow).upgraded = true;
  stop_following(core, flow);
}

void stop_following(Core& core, Flow& flow) noexcept {
  std::uint32_t& number = core.flows.facts(flow).follow;
  flow.clear(Flow::following);
  if (number == 0) return;
  core.said.forget(core.follows[number].said);
  core.follows.give_back(number);
  number = 0;
}

}  // namespace sallyport::dataplane
