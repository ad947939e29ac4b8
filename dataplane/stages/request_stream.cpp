#include "dataplane/stages/request_stream.h"

#include <algorithm>
#include <optional>

#include "dataplane/stages/cut.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/inspect.h"
#include "dataplane/stages/request_verdict.h"
#include "dataplane/stages/track.h"

namespace sallyport::dataplane {
namespace {

using classifier::Reason;
using classifier::names::HttpStep;
using classifier::names::RequestHead;
using Awaits = RequestFollow::Awaits;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t window_max = std::uint32_t{1} << 30U;  // RFC 7323 section 2.3
constexpr std::uint32_t held_packets_max = 2048;

constexpr Outcome passes{Outcome::What::passes};
constexpr Outcome waits{Outcome::What::waits};
[[nodiscard]] constexpr Outcome ends(Drop drop) noexcept { return {Outcome::What::ends, drop}; }
[[nodiscard]] constexpr Outcome denied(Reason reason) noexcept {
  return {Outcome::What::denied, Drop::hello_denied, reason};
}

[[nodiscard]] constexpr bool goes_on(const Outcome& outcome) noexcept {
  return outcome.what == Outcome::What::passes || outcome.what == Outcome::What::waits;
}

// One segment's way through the follower.
class Reading {
 public:
  Reading(Core& core, FlowNumber number, RequestFollow& follow, const Packet& packet, const Parsed& parsed) noexcept
      : core_(core),
        flow_(core.flows[number]),
        extras_(core.flows.own_extras(number)),
        follow_(follow),
        packet_(packet),
        parsed_(parsed),
        segment_(packet, parsed) {}

  [[nodiscard]] Outcome run() noexcept {
    // What no window reaches would be taken for a body that has gone by.
    if (after(segment_.end, server_end() + window_max)) return ends(Drop::hello_unordered);
    if (follow_.awaits_settings) return wait_for_settings();
    if (watches_lines()) {
      // Of a body, which comes in its order as long as lines are watched for.
      const bool gap = after(segment_.first, follow_.base) && follow_.beyond != 0;
      const bool unwatched = after(segment_.first, follow_.lines_end) && follow_.reaches(segment_.first + 1);
      if (gap || unwatched) return ends(Drop::hello_unordered);
      if (!core_.said.has_room(follow_.said, segment_.bytes.size())) return ends(Drop::held_full);
    }
    const Outcome outcome = decide_segment();
    if (outcome.what != Outcome::What::passes || !shows_line(segment_.first, segment_.bytes)) return outcome;
    return begin_to_wait();
  }

 private:
  [[nodiscard]] Outcome decide_segment() noexcept {
    pass_over_body();
    if (after(follow_.base, segment_.first)) {
      const Outcome outcome = compare();
      if (outcome.what != Outcome::What::passes || !after(segment_.end, follow_.base)) return outcome;
      if (shows_line(segment_.first, segment_.bytes.first(follow_.base - segment_.first))) return begin_to_wait();
    }
    if (follow_.reaches(segment_.end)) return passes;
    if (awaits_answer()) return denied(Reason::hello_malformed);
    const std::size_t most = std::max<std::size_t>(segment_.bytes.size(), core_.held.hello_bytes());
    if (!core_.said.has_room(follow_.said, most) || !can_hold()) return ends(Drop::held_full);
    if (follow_.inflater != nullptr && !core_.hpack_shares.has_room(follow_.sender, 0)) return ends(Drop::held_full);
    return read();
  }

  // Is it the server that says what the client speaks from here on (RFC 9110 section 7.8)?
  [[nodiscard]] bool awaits_answer() const noexcept { return follow_.awaits != Awaits::nothing && follow_.is_said(); }

  [[nodiscard]] bool can_hold() const noexcept { return core_.held.has_room(packet_, core_.place_of(flow_)); }

  // Up to where the server has acknowledged the client's bytes.
  [[nodiscard]] std::uint32_t server_end() const noexcept { return server_has(core_, flow_).value_or(follow_.begin); }

  void pass_over_body() noexcept {
    if (follow_.beyond == 0 || !after(segment_.end, follow_.base)) return;
    const std::uint64_t step = std::min<std::uint64_t>(follow_.beyond, segment_.end - follow_.base);
    if (watches_lines()) {
      const Bytes body = segment_.bytes.subspan(follow_.base - segment_.first).first(static_cast<std::size_t>(step));
      core_.said.add(follow_.said, follow_.base, body);
    }
    follow_.base += static_cast<std::uint32_t>(step);
    follow_.beyond -= step;
  }

  // A server of HTTP/1 may take offence at the preface and read on, for lines that are requests to it (RFC 9113 section
  // 3.4). Until this one has answered in HTTP/2, which it does at the preface, such a line waits, and all behind it. It
  // may be in a body: that comes in its order so long, and nothing else is said in its place.
  [[nodiscard]] bool watches_lines() const noexcept {
    return follow_.inflater != nullptr && !follow_.server.is_http2();
  }
  // Is there one in what is new of these bytes, `first` the sequence number of their first?
  [[nodiscard]] bool shows_line(std::uint32_t first, Bytes bytes) noexcept {
    const std::uint32_t end = first + static_cast<std::uint32_t>(bytes.size());
    if (!watches_lines() || !after(end, follow_.lines_end)) return false;
    const std::uint32_t fresh = after(first, follow_.lines_end) ? first : follow_.lines_end;
    follow_.lines_end = end;
    const std::optional<std::size_t> line = follow_.lines.watch(bytes.subspan(fresh - first));
    if (!line) return false;
    const std::uint32_t begin = fresh + static_cast<std::uint32_t>(*line);
    follow_.held_from = after(begin, follow_.base) ? follow_.base : begin;
    follow_.awaits_settings = true;
    return true;
  }

  // With this segment, what is to wait has begun. It is put together in a stream of its own, and read when the server
  // has answered.
  [[nodiscard]] Outcome begin_to_wait() noexcept {
    send_front(packet_, parsed_);
    const Bytes rest = segment_.bytes.subspan(follow_.held_from - segment_.first);
    const bool fits = rest.size() <= core_.held.hello_bytes();
    if (!fits || !can_hold()) return ends(Drop::held_full);
    return begin_stream(follow_.held_from, rest) ? waits : ends(Drop::held_full);
  }
  [[nodiscard]] Outcome wait_for_settings() noexcept {
    const Outcome outcome = compare();
    if (outcome.what != Outcome::What::passes || !after(segment_.end, follow_.held_from)) return outcome;
    send_front(packet_, parsed_);
    const bool begins = extras_.inspection == 0;
    if (!can_hold() || (begins && !begin_stream(follow_.held_from, {}))) return ends(Drop::held_full);
    Inspection& inspection = core_.held[extras_.inspection];
    const Piece piece = piece_in(inspection);
    if (piece.end() > core_.held.hello_bytes() || inspection.packets >= held_packets_max) return undo(begins);
    ByteStream stream = core_.held.stream(inspection);
    const bool known = stream.covers(piece.offset, static_cast<std::uint32_t>(piece.bytes.size()));
    if (!stream.add(piece.offset, piece.bytes)) return denied(Reason::hello_conflict);
    inspection.contiguous = stream.contiguous(inspection.contiguous);
    return known ? ends(Drop::hello_duplicate) : waits;
  }
  // What stands in front of the line goes on by itself, a part of the packet or all of it; the server may need it to
  // answer.
  void send_front(const Packet& packet, const Parsed& parsed) noexcept {
    const std::uint32_t first = Segment(packet, parsed).first;
    if (!after(follow_.held_from, first) || (parsed.tcp_flags & wire::Tcp::syn) != 0) return;
    const std::uint32_t kept = std::min(follow_.held_from - first, parsed.payload_bytes);
    Packet front;
    Parsed parsed_front;
    if (!copy_front(core_, packet, parsed, kept, front, parsed_front)) return;
    note_sent(core_.flows.track(flow_), front, parsed_front, to_server);
    forward(core_, front, parsed_front, flow_, to_server);
  }

  // The segment's bytes, as they lie in the stream of what waits.
  struct Piece {
    std::uint32_t offset;
    Bytes bytes;
    [[nodiscard]] std::size_t end() const noexcept { return offset + bytes.size(); }
  };
  [[nodiscard]] Piece piece_in(const Inspection& inspection) const noexcept {
    const std::uint32_t skipped = after(inspection.base, segment_.first) ? inspection.base - segment_.first : 0;
    return {segment_.first + skipped - inspection.base, segment_.bytes.subspan(skipped)};
  }

  // Bytes that are decided already, as far as the server does not have them yet: they are what they were, or of a body.
  [[nodiscard]] Outcome compare() const noexcept {
    const std::uint32_t has = server_end();
    const std::uint32_t end = after(segment_.end, follow_.base) ? follow_.base : segment_.end;
    const std::uint32_t from = after(has, segment_.first) ? has : segment_.first;
    if (!after(end, from)) return passes;
    if (!server_has(core_, flow_) && after(follow_.begin, segment_.first)) return ends(Drop::hello_duplicate);
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
    if (goes_on(outcome) && follow_.awaits_settings) return begin_to_wait();
    const bool unfinished = outcome.what == Outcome::What::waits;
    return unfinished && !begin_stream(follow_.base, rest) ? ends(Drop::held_full) : outcome;
  }

  // Through the stream that is put together of what waits.
  [[nodiscard]] Outcome read_gathered() noexcept {
    const bool begins = !holds_back(core_, flow_);
    if (begins && !begin_stream(follow_.base, {})) return ends(Drop::held_full);
    Inspection& inspection = core_.held[extras_.inspection];
    ByteStream stream = core_.held.stream(inspection);
    const auto [offset, bytes] = piece_in(inspection);
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
    const std::uint32_t read_end = base + inspection.contiguous;
    if (!goes_on(outcome)) return outcome;
    if (follow_.awaits_settings)
      return hold_gathered(stream.first(inspection.contiguous).subspan(follow_.held_from - base));
    if (follow_.base == base) return outcome;
    rest = aside(rest);
    release(read_end);
    if (extras_.inspection == 0 && rest.empty()) return passes;
    // A segment that reaches past what could be put together is read on.
    const bool cut = after(segment_.end, read_end);
    if (extras_.inspection == 0 && (outcome.what == Outcome::What::passes || cut)) return passes;
    if (!begin_stream(follow_.base, rest)) return ends(Drop::held_full);
    // What is not all in the stream cannot wait.
    return cut ? ends(Drop::hello_unordered) : outcome;
  }
  // The same where these of its bytes wait for the server's answer.
  [[nodiscard]] Outcome hold_gathered(Bytes bytes) noexcept {
    bytes = aside(bytes);
    const std::uint32_t read_end = follow_.held_from + static_cast<std::uint32_t>(bytes.size());
    release(read_end);
    send_front(packet_, parsed_);
    if (!begin_stream(follow_.held_from, bytes)) return ends(Drop::held_full);
    return after(segment_.end, read_end) ? ends(Drop::hello_unordered) : waits;
  }
  // Out of the memory of the stream, which begins anew.
  [[nodiscard]] Bytes aside(Bytes bytes) noexcept {
    std::copy(bytes.begin(), bytes.end(), core_.scratch.data());
    return {core_.scratch.data(), bytes.size()};
  }

  [[nodiscard]] Outcome undo(bool begins) noexcept {
    if (begins) {
      core_.held.end(extras_.inspection);
      extras_.inspection = 0;
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
      const HttpStep step = next(bytes.subspan(done), head);
      outcome = outcome_of(step, head);
      done += step.bytes;
      if (step.bytes != 0) framed = done;
      const std::uint64_t here = std::min<std::uint64_t>(step.skip, bytes.size() - done);
      done += static_cast<std::size_t>(here);
      follow_.beyond = step.skip - here;
      if (awaits_answer() && done != bytes.size()) return denied(Reason::hello_malformed);
    }
    if (outcome.what == Outcome::What::waits && bytes.size() - done >= core_.held.hello_bytes())
      return denied(Reason::hello_too_large);
    core_.said.add(follow_.said, begin, bytes.first(watches_lines() ? done : framed));
    follow_.base = begin + static_cast<std::uint32_t>(done);
    if (goes_on(outcome)) (void)shows_line(begin, bytes);
    bytes = bytes.subspan(done);
    return outcome;
  }

  [[nodiscard]] HttpStep next(Bytes bytes, RequestHead& head) noexcept {
    if (follow_.switched) {
      // A server can be made to say that it agrees, by a status that is the client's to choose; then it reads on.
      const HttpStep begins = classifier::names::look_for_request(bytes, follow_.in_tunnel);
      if (begins.what != HttpStep::What::request) return begins;
      follow_.switched = false;
    }
    if (follow_.inflater == nullptr) return follow_.http1.next(bytes, core_.fields, head);
    classifier::names::FieldRoom room{core_.fields, {core_.field_text.data(), core_.field_text.size()}};
    const HpackUse use(core_, follow_);
    return follow_.http2.next(bytes, *follow_.inflater, room, head);
  }

  [[nodiscard]] Outcome outcome_of(const HttpStep& step, const RequestHead& head) noexcept {
    switch (step.what) {
      case HttpStep::What::http2:
        if (!follow_.server.said()) follow_.server.begin(core_.flows.track(flow_).sent_end[to_client]);
        return begin_http2(core_, follow_, 0) ? passes : ends(Drop::held_full);
      case HttpStep::What::too_large:
        return denied(Reason::hello_too_large);
      case HttpStep::What::need_more:
        return waits;
      case HttpStep::What::framing:
        return passes;
      case HttpStep::What::not_http:
        return {follow_.switched ? Outcome::What::other : Outcome::What::not_http};
      case HttpStep::What::malformed:
        return denied(Reason::hello_malformed);
      case HttpStep::What::request:
        break;
    }
    const bool http2 = follow_.inflater != nullptr;
    follow_.grpc = http2 && is_grpc(head);
    if (!allows(core_, flow_, head, http2)) return {Outcome::What::refused};
    if (!http2) await_answer(head);
    return passes;
  }

  // That of another protocol is read where the answers to all earlier requests end.
  void await_answer(const RequestHead& head) noexcept {
    constexpr std::uint64_t comparable = std::uint64_t{1} << 30U;
    const bool between = !follow_.answered.begun() && !follow_.chunks.open();
    const bool known = !follow_.answers_lost && between && follow_.answer_body < comparable;
    if (known && follow_.unanswered == 0) follow_.awaits = awaits_of(head);
    if (follow_.awaits != Awaits::nothing) {
      follow_.answer += static_cast<std::uint32_t>(follow_.answer_body);
      follow_.answer_body = 0;
    }
    ++follow_.unanswered;
    const bool connects = head.becomes == RequestHead::Switch::connect && follow_.awaits == Awaits::nothing;
    // The length that an answer to HEAD names is of nothing.
    if (connects || head.method == "HEAD") follow_.answers_lost = true;
  }

  // What waits is read from `rest` on, which begins at `base` and is in no memory of the inspection's. False: no room.
  [[nodiscard]] bool begin_stream(std::uint32_t base, Bytes rest) noexcept {
    const bool begins = extras_.inspection == 0;
    if (begins) extras_.inspection = core_.begin_inspection(flow_);
    if (extras_.inspection == 0) return false;
    Inspection& inspection = core_.held[extras_.inspection];
    if (!core_.held.open_stream(inspection, true)) {
      if (begins) core_.held.end(extras_.inspection);
      if (begins) extras_.inspection = 0;
      return false;
    }
    ByteStream stream = core_.held.stream(inspection);
    stream.clear();
    (void)stream.add(0, rest);
    inspection.base = base;
    inspection.base_known = true;
    inspection.contiguous = static_cast<std::uint32_t>(rest.size());
    return true;
  }

  // Of what waits, what is decided goes on, in the order in which it came. What was read and is unfinished waits on,
  // for as long again, as does what waits for the server; what lies behind a gap comes again.
  void release(std::uint32_t read_end) noexcept {
    Inspection& inspection = core_.held[extras_.inspection];
    inspection.since = core_.tick;
    Packet packet;
    for (std::uint32_t left = inspection.packets; left != 0 && core_.held.next(inspection, packet); --left) {
      Parsed parsed;
      Drop why{};
      const bool parses = parse(packet, core_.parse_rules(packet), parsed, why) == ParseResult::ok;
      const std::uint32_t end = parses ? Segment(packet, parsed).end : 0;
      const bool goes = follow_.reaches(end) && !(follow_.awaits_settings && after(end, follow_.held_from));
      if (parses && !goes && !after(end, read_end)) {
        if (follow_.awaits_settings) send_front(packet, parsed);
        core_.held.keep(inspection, packet);
        continue;
      }
      core_.counters.held.subtract(packet.weight);
      if (!parses) {
        core_.drop(packet, why);
      } else if (!goes) {
        core_.drop(packet, Drop::hello_unordered);
      } else {
        note_sent(core_.flows.track(flow_), packet, parsed, to_server);
        forward(core_, packet, parsed, flow_, to_server);
      }
    }
    if (inspection.packets != 0) return;
    core_.held.end(extras_.inspection);
    extras_.inspection = 0;
  }

  Core& core_;
  Flow& flow_;
  FlowExtras& extras_;
  RequestFollow& follow_;
  const Packet& packet_;
  const Parsed& parsed_;
  Segment segment_;
};

}  // namespace

Outcome read_segment(Core& core, FlowNumber number, RequestFollow& follow, const Packet& packet,
                     const Parsed& parsed) noexcept {
  return Reading(core, number, follow, packet, parsed).run();
}

bool begin_http2(Core& core, RequestFollow& follow, std::uint32_t opened) noexcept {
  if (!core.hpack_shares.has_room(follow.sender)) return false;
  const HpackUse use(core, follow);
  follow.inflater = classifier::names::begin_inflater(*core.hpack);
  if (follow.inflater == nullptr) return false;
  follow.http2 = classifier::names::Http2Follower(opened);
  follow.lines_end = follow.base;
  return true;
}

}  // namespace sallyport::dataplane
