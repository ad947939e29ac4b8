#include "dataplane/stages/requests.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "classifier/names/tls_client_hello.h"
#include "dataplane/stages/cut.h"
#include "dataplane/stages/decide.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/request_stream.h"
#include "dataplane/stages/track.h"
#include "dataplane/stages/turns.h"

namespace sallyport::dataplane {
namespace {

using classifier::Reason;
using Awaits = RequestFollow::Awaits;
using wire::Tcp;

// False: no room for one more.
[[nodiscard]] bool begin_following(Core& core, Flow& flow) noexcept {
  if (core.flows.extras(flow).follow != 0) return true;
  const SharePlace sender = core.place_of(flow);
  if (!core.follow_shares.has_room(sender)) return false;
  const std::uint32_t number = core.follows.take();
  if (number == 0) return false;
  core.follow_shares.take(sender);
  core.flows.own_extras(flow).follow = number;
  RequestFollow& follow = core.follows[number];
  follow = RequestFollow{};
  follow.sender = follow.said.sender = sender;
  follow.begin = follow.base = core.flows.track(flow).first_byte;
  follow.answer = core.flows.track(flow).sent_end[to_client];
  follow.server.begin(follow.answer);
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
  const Outcome outcome = read_segment(core, number, core.follows[core.flows.extras(flow).follow], packet, parsed);
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
    case Outcome::What::other:
      facts.upgraded = true;
      stop_following(core, flow);
      release_held(core, number);
      note_sent(core.flows.track(flow), packet, parsed, to_server);
      return Inspected::pass;
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
  if (core.flows.extras(flow).follow != 0) return true;
  if (!flow.is_tcp() || !facts.reads_requests || flow.verdict != Verdict::waiting || parsed.payload_bytes == 0)
    return false;
  const Segment segment(packet, parsed);
  const std::uint32_t start = core.flows.track(flow).first_byte;
  // Not the first byte: it is held (look.h), in the stream that is read here later.
  if (after(segment.first, start) || !after(segment.end, start)) return false;
  const auto said = segment.bytes.subspan(start - segment.first);
  constexpr std::uint8_t tls_major_max = 15;  // some servers read any below 0x1000
  const bool tls = classifier::names::begins_tls_record(said[0]) && (said.size() == 1 || said[1] <= tls_major_max);
  if (!is_lost(core, flow) && tls) {
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

namespace {

// What an HTTP/2 server says. It reads the client's header blocks with a table of up to the size that it has told.
void walk_answer(Core& core, RequestFollow& follow, std::uint32_t sequence,
                 std::span<const std::uint8_t> bytes) noexcept {
  follow.server.walk(sequence, bytes);
  const std::uint32_t told = follow.server.header_table_bytes();
  if (told <= follow.table_bytes || !core.hpack_shares.has_room(follow.sender, told)) return;
  const HpackUse use(core, follow);
  if (classifier::names::offer_table(*core.hpack, *follow.inflater, told)) follow.table_bytes = told;
}

// The server has shown that it speaks HTTP/2. What waited for that is taken as if it came now.
void take_held_again(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  FlowExtras& extras = core.flows.own_extras(flow);
  core.follows[extras.follow].awaits_settings = false;
  if (extras.inspection == 0) return;
  Inspection waiting = core.held.end_holding(std::exchange(extras.inspection, 0));
  Packet packet;
  while (core.held.next(waiting, packet)) {
    core.counters.held.subtract(packet.weight);
    Parsed parsed;
    Drop why = Drop::hello_denied;
    const bool denied = flow.verdict == Verdict::denied;
    if (denied || parse(packet, core.parse_rules(packet), parsed, why) != ParseResult::ok) {
      core.drop(packet, why);
    } else if (follow_requests(core, number, packet, parsed) == Inspected::pass) {
      forward(core, packet, parsed, flow, to_server);
    }
  }
}

// Behind the head that counts.
void end_answer(RequestFollow& follow) noexcept {
  const std::optional<std::uint64_t> body = follow.answered.body_bytes();
  const bool chunked = follow.answered.is_chunked();
  follow.answers_lost = follow.answers_lost || (!body && !chunked);
  follow.answer_body = body.value_or(0);
  if (chunked) follow.chunks.begin();
  follow.answered = {};
  --follow.unanswered;
}

// Through the server's answers in HTTP/1. What does not come in order, outside of a body, ends it.
void walk_answers(RequestFollow& follow, const Segment& segment) noexcept {
  while (!follow.answers_lost && after(segment.end, follow.answer)) {
    const std::uint32_t left = segment.end - follow.answer;
    if (follow.answer_body != 0) {
      const std::uint64_t step = std::min<std::uint64_t>(follow.answer_body, left);
      follow.answer += static_cast<std::uint32_t>(step);
      follow.answer_body -= step;
      continue;
    }
    const bool in_chunks = follow.chunks.open();
    follow.answers_lost = (!in_chunks && follow.unanswered == 0) || after(segment.first, follow.answer);
    if (follow.answers_lost) return;
    const auto rest = segment.bytes.last(left);
    if (in_chunks) {
      follow.answer += static_cast<std::uint32_t>(follow.chunks.take(rest, follow.answer_body));
      follow.answers_lost = follow.chunks.broken();
      continue;
    }
    follow.answer += static_cast<std::uint32_t>(follow.answered.take(rest));
    if (follow.answered.complete()) end_answer(follow);
  }
}

// The server's answer to a request for another protocol, which is HTTP/2 or one that is not followed.
void take_answer(Core& core, RequestFollow& follow, const Segment& segment) noexcept {
  if (!after(segment.end, follow.answer)) return;
  const auto rest = segment.bytes.subspan(follow.answer - segment.first);
  const std::size_t taken = follow.answered.take(rest);
  follow.answer += static_cast<std::uint32_t>(taken);
  if (!follow.answered.complete()) return;
  const Awaits asked = std::exchange(follow.awaits, Awaits::nothing);
  const classifier::names::HttpAnswer answered = follow.answered;
  const unsigned status = answered.status();
  constexpr unsigned switching_protocols = 101;
  // A page with the status of an agreement, but no protocol in its Upgrade field, is a page. So is one that comes
  // before the server has been told the whole request.
  const bool agrees = status == switching_protocols && answered.names_protocol() && follow.is_said();
  if (asked == Awaits::tunnel ? status / 100 != 2 : !agrees) {
    end_answer(follow);
    walk_answers(follow, segment);
    return;
  }
  // If it was a page all the same, its body may be the client's to choose.
  follow.answered = {};
  follow.unanswered = 0;
  follow.answers_lost = asked != Awaits::tunnel || !answered.names_no_body();
  if (asked == Awaits::http2 && answered.names_h2c()) {
    // Where there is no room it goes on as HTTP/1.1, in which the preface is malformed.
    if (!begin_http2(core, follow, 1)) return;
    follow.server.begin(follow.answer);
    walk_answer(core, follow, follow.answer, rest.subspan(taken));
    return;
  }
  follow.http1 = {};
  follow.switched = true;
  follow.in_tunnel = asked == Awaits::tunnel;
  walk_answers(follow, segment);
}

}  // namespace

bool begins_http2(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  if (!flow.is_tcp() || flow.has(Flow::midstream) || !facts.reads_requests || core.flows.extras(flow).inspection != 0)
    return false;
  const Segment segment(packet, parsed);
  const bool next = core.flows.track(flow).ends_at(to_client, segment.first);
  return next && classifier::names::Http2Follower::begins_server(segment.bytes) && begin_following(core, flow);
}

Inspected follow_answer(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  RequestFollow& follow = core.follows[core.flows.extras(flow).follow];
  TcpTrack& track = core.flows.track(flow);
  if (const auto has = server_has(core, flow)) core.said.acknowledge(follow.said, *has);
  if ((parsed.tcp_flags & Tcp::rst) != 0) return Inspected::pass;
  const Segment segment(packet, parsed);
  // Whom a client of HTTP/1 has asked does not speak HTTP/2, but where it says so.
  if (follow.inflater == nullptr && follow.http1.requests() == 0) follow.server.walk(segment.first, segment.bytes);
  if (follow.inflater != nullptr) {
    // What shows that it speaks HTTP/2, and what it offers with that, is read in order.
    if (!segment.bytes.empty() && follow.server.is_early(segment.first))
      return end(core, packet, Drop::hello_unordered);
    walk_answer(core, follow, segment.first, segment.bytes);
  }
  if (follow.inflater != nullptr && follow.server.is_other()) {
    refuse_both(core, flow, packet, parsed, to_client);
    deny_flow(core, number, Reason::hello_malformed, Drop::hello_denied);
    return end(core, packet, Drop::hello_denied);
  }
  if (follow.awaits != Awaits::nothing && !segment.bytes.empty()) {
    // What the server agrees to is read in order.
    if (after(segment.first, follow.answer)) return end(core, packet, Drop::hello_unordered);
    take_answer(core, follow, segment);
  } else if (follow.inflater == nullptr) {
    walk_answers(follow, segment);
  }
  note_sent(track, packet, parsed, to_client);
  if (!follow.awaits_settings || !follow.server.is_http2()) return Inspected::pass;
  forward(core, packet, parsed, flow, to_client);
  take_held_again(core, number);
  return Inspected::ended;
}

void expect_answer_to_requests(Core& core, const Flow& flow, std::uint32_t sequence) noexcept {
  RequestFollow& follow = core.follows[core.flows.extras(flow).follow];
  follow.answer = sequence;
  follow.server.begin(sequence);
}

void stop_following(Core& core, Flow& flow) noexcept {
  flow.clear(Flow::following);
  if (core.flows.extras(flow).follow == 0) return;
  std::uint32_t& number = core.flows.own_extras(flow).follow;
  RequestFollow& follow = core.follows[number];
  core.said.forget(follow.said);
  {
    const HpackUse use(core, follow);
    classifier::names::end_inflater(follow.inflater);
  }
  core.follow_shares.give_back(follow.sender);
  core.follows.give_back(number);
  number = 0;
}

}  // namespace sallyport::dataplane
