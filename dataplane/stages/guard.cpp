#include "dataplane/stages/guard.h"

#include <algorithm>

#include "classifier/names/tls_client_hello.h"
#include "dataplane/stages/guard_quic.h"
#include "dataplane/stages/look.h"
#include "dataplane/stages/track.h"
#include "dataplane/stages/turns.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::Reason;
using namespace wire;

using Bytes = std::span<const std::uint8_t>;

// A segment's payload from `base` on, and how far behind it.
struct Piece {
  std::uint32_t offset = 0;
  Bytes bytes;
};
[[nodiscard]] Piece piece_of(const Packet& packet, const Parsed& parsed, std::uint32_t base) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  const std::uint32_t sequence = tcp.sequence.get() + ((tcp.flags & Tcp::syn) != 0 ? 1 : 0);
  const auto offset = static_cast<std::int32_t>(sequence - base);
  const Bytes bytes{packet.data + parsed.payload_offset, parsed.payload_bytes};
  if (offset >= 0) return {static_cast<std::uint32_t>(offset), bytes};
  return {0, bytes.subspan(std::min<std::size_t>(base - sequence, bytes.size()))};
}

[[nodiscard]] Piece behind(const Piece& piece, std::uint32_t offset) noexcept {
  if (piece.offset >= offset) return piece;
  return {offset, piece.bytes.subspan(std::min<std::size_t>(offset - piece.offset, piece.bytes.size()))};
}

[[nodiscard]] bool has_all(const Core& core, const Flow& flow, const Inspection& inspection) noexcept {
  return server_has(core, flow, inspection.base + inspection.passed);
}

void end_guard(Core& core, Flow& flow) noexcept {
  flow.clear(Flow::guarded);
  core.end_inspection(flow);
}

constexpr std::size_t retry_head_bytes = 11 + classifier::names::hello_retry_random.size();

// The records behind the hello, before the server has answered it: early data (RFC 8446 section 4.2.10) and changed
// ciphers. False: one that is neither.
[[nodiscard]] bool walk_records(Inspection& inspection, Bytes bytes) noexcept {
  using namespace tls_record;
  const auto is_passed = [](std::uint8_t kind) {
    return kind == change_cipher_spec || kind == alert || kind == application_data;
  };
  return inspection.records.take(bytes, is_passed) == bytes.size();
}

// Is there room to keep all of it? What is not kept could be said again in other words.
[[nodiscard]] bool is_kept(const Core& core, const Inspection& inspection, const Piece& piece) noexcept {
  return inspection.stream == 0 || piece.offset + piece.bytes.size() <= core.held.hello_bytes();
}

// New bytes behind what was let through.
[[nodiscard]] Inspected extend(Core& core, FlowNumber number, Inspection& inspection, const Piece& piece,
                               Packet& packet, const Parsed& parsed) noexcept {
  if (piece.offset > inspection.passed) return end(core, packet, Drop::hello_unordered);
  if (!is_kept(core, inspection, piece)) return end(core, packet, Drop::held_full);
  const Bytes fresh = piece.bytes.subspan(inspection.passed - piece.offset);
  if (!walk_records(inspection, fresh)) return refuse(core, number, Reason::hello_conflict, packet, parsed);
  if (inspection.stream != 0) (void)core.held.stream(inspection).add(piece.offset, piece.bytes);
  inspection.passed += static_cast<std::uint32_t>(fresh.size());
  return Inspected::pass;
}

[[nodiscard]] Inspected guard_segment(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  if (inspection.answered && has_all(core, flow, inspection)) {
    end_guard(core, flow);
    return Inspected::pass;
  }
  if (parsed.payload_bytes == 0) return Inspected::pass;
  Piece piece = piece_of(packet, parsed, inspection.base);
  if (!inspection.answered && !is_kept(core, inspection, piece)) {
    let_go(core, flow, inspection);
    piece = piece_of(packet, parsed, inspection.base);
  }
  // The server throws away what it has; a keep-alive may bring any byte (RFC 9293 section 3.8.4).
  if (has_all(core, flow, inspection)) piece = behind(piece, inspection.passed);
  if (inspection.stream == 0) {
    if (piece.offset < inspection.passed && !piece.bytes.empty()) return end(core, packet, Drop::hello_duplicate);
  } else if (!core.held.stream(inspection).agrees(piece.offset, piece.bytes)) {
    return refuse(core, number, Reason::hello_conflict, packet, parsed);
  }
  const bool goes_on = piece.offset + piece.bytes.size() > inspection.passed;
  if (!goes_on || inspection.answered) return Inspected::pass;
  return extend(core, number, inspection, piece, packet, parsed);
}

// The bytes of the hello are gone: nothing of it may be said again until the server has it, and nothing behind it until
// the server has answered it.
[[nodiscard]] Inspected guard_sealed(Core& core, Flow& flow, Packet& packet, const Parsed& parsed) noexcept {
  const std::uint32_t hello_end = core.flows.track(flow).first_byte;
  const bool answered = !flow.has(Flow::guarded);
  if (answered && server_has(core, flow, hello_end)) {
    flow.clear(Flow::sealed);
    return Inspected::pass;
  }
  if (parsed.payload_bytes == 0) return Inspected::pass;
  if (after(hello_end, at<Tcp>(packet.data + parsed.l4_offset).sequence.get()))
    return end(core, packet, Drop::hello_duplicate);
  return answered ? Inspected::pass : end(core, packet, Drop::hello_unordered);
}

// Are these bytes, behind `seen` of them, those of a HelloRetryRequest, as far as they are there? (RFC 8446
// section 4.1.3: a ServerHello with this random.)
[[nodiscard]] bool may_be_retry(Bytes bytes, std::size_t seen = 0) noexcept {
  constexpr std::size_t type_at = 0, message_at = 5, random_at = 11;
  constexpr auto& retry_random = classifier::names::hello_retry_random;
  constexpr std::uint8_t handshake = 22, server_hello = 2;
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), retry_head_bytes - seen))) {
    const std::size_t at = seen++;
    if (at == type_at && byte != handshake) return false;
    if (at == message_at && byte != server_hello) return false;
    if (at >= random_at && byte != retry_random[at - random_at]) return false;
  }
  return true;
}

// The server wants another hello, or may: it is waited for as the first was, behind the record that is under way. What
// the server does not have yet may be said again meanwhile, where it is kept: in the same words.
void await_second_hello(Core& core, Flow& flow, Inspection& inspection, Bytes answer) noexcept {
  inspection.retry_bytes = static_cast<std::uint8_t>(std::min(answer.size(), retry_head_bytes));
  flow.clear(Flow::guarded);
  flow.verdict = Verdict::waiting;
  inspection.contiguous = inspection.passed;
  if (inspection.stream == 0) {
    inspection.base += inspection.passed;
    inspection.passed = inspection.contiguous = 0;
  }
  inspection.progress = {};
  const std::uint8_t tunnels = inspection.upgrade.tunnels;  // it stays inside of them
  inspection.upgrade = {};
  inspection.upgrade.tunnels = tunnels;
  inspection.upgrade.step = classifier::names::Upgrade::Step::tls;
  inspection.second_hello = true;
  restart_turns(core, core.flows.number_of(flow));
}

// The answer that came after hello_timeout. It may still ask for another hello.
void take_late_answer(Core& core, Flow& flow, Bytes answer) noexcept {
  if (!may_be_retry(answer)) {
    flow.clear(Flow::guarded);
    return;
  }
  const std::uint32_t number = core.begin_inspection(flow);
  core.flows.note(flow, &FlowExtras::inspection, number);
  if (number == 0) return;
  flow.clear(Flow::sealed);
  Inspection& inspection = core.held[number];
  inspection.base = core.flows.track(flow).first_byte;
  inspection.base_known = true;
  inspection.judged_name = core.flows.extras(flow).judged;
  await_second_hello(core, flow, inspection, answer);
}

void guard_server_segment(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed,
                          std::uint32_t expected) noexcept {
  if (flow.has(Flow::sealed)) {
    const bool fresh = at<Tcp>(packet.data + parsed.l4_offset).sequence.get() == expected;
    const Bytes answer{packet.data + parsed.payload_offset, parsed.payload_bytes};
    if (fresh && !answer.empty()) take_late_answer(core, flow, answer);
    return;
  }
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  if (!inspection.answered && parsed.payload_bytes != 0) {
    const std::uint32_t sequence = at<Tcp>(packet.data + parsed.l4_offset).sequence.get();
    if (sequence == inspection.server_next) {
      const Bytes answer{packet.data + parsed.payload_offset, parsed.payload_bytes};
      if (may_be_retry(answer)) {
        await_second_hello(core, flow, inspection, answer);
        return;
      }
      inspection.answered = true;
    }
  }
  if (inspection.answered && has_all(core, flow, inspection)) end_guard(core, flow);
}

}  // namespace

bool prepare_guard(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  if (core.flows.extras(flow).inspection != 0) return true;  // its bytes are there
  core.flows.own_extras(flow).inspection = core.begin_inspection(flow);
  if (core.flows.extras(flow).inspection == 0) return false;
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  inspection.base = core.flows.track(flow).first_byte;
  inspection.base_known = true;
  const Piece piece = piece_of(packet, parsed, inspection.base);
  inspection.contiguous = piece.offset + static_cast<std::uint32_t>(piece.bytes.size());
  if (core.held.open_stream(inspection, false)) (void)core.held.stream(inspection).add(piece.offset, piece.bytes);
  return true;
}

bool may_follow_hello(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed,
                      std::uint32_t hello_end) noexcept {
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  inspection.records = {};
  const std::uint32_t capacity = core.held.hello_bytes();
  const Bytes all = inspection.stream == 0
                        ? piece_of(packet, parsed, inspection.base).bytes
                        : core.held.stream(inspection).first(std::min(inspection.contiguous, capacity));
  return walk_records(inspection, all.subspan(std::min<std::size_t>(hello_end, all.size())));
}

bool asks_again(Inspection& inspection, Bytes answer) noexcept {
  const std::size_t seen = inspection.retry_bytes;
  if (!may_be_retry(answer, seen)) return false;
  inspection.retry_bytes = static_cast<std::uint8_t>(std::min(seen + answer.size(), retry_head_bytes));
  return true;
}

bool has_asked_again(const Core& core, const Flow& flow) noexcept {
  const std::uint32_t number = core.flows.extras(flow).inspection;
  return number != 0 && core.held[number].second_hello && core.held[number].retry_bytes == retry_head_bytes;
}

void expect_answer(Core& core, const Flow& flow, std::uint32_t sequence) noexcept {
  const std::uint32_t inspection = core.flows.extras(flow).inspection;
  if (inspection != 0) core.held[inspection].server_next = sequence;
}

void begin_guard(Core& core, FlowNumber number, bool hello) noexcept {
  Flow& flow = core.flows[number];
  flow.set(Flow::guarded);
  if (!flow.is_tcp()) {
    begin_quic_guard(core, number, hello);
    return;
  }
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  inspection.passed = inspection.contiguous;
  inspection.answered = !hello || inspection.second_hello;
  inspection.second_hello = false;
  inspection.server_next = core.flows.track(flow).sent_end[to_client];
  restart_turns(core, number);
}

Inspected guard(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if (!flow.is_tcp()) return guard_datagram(core, number, packet, parsed);
  if ((parsed.tcp_flags & Tcp::rst) != 0) return Inspected::pass;
  return flow.has(Flow::sealed) ? guard_sealed(core, flow, packet, parsed)
                                : guard_segment(core, number, packet, parsed);
}

void guard_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                  std::uint32_t expected) noexcept {
  Flow& flow = core.flows[number];
  if (!flow.is_tcp()) {
    guard_server_datagram(core, flow, packet, parsed);
  } else {
    guard_server_segment(core, flow, packet, parsed, expected);
  }
}

void guard_overdue(Core& core, FlowNumber number) noexcept {
  Flow& flow = core.flows[number];
  if (!flow.is_tcp()) {
    quic_guard_overdue(core, flow);
    return;
  }
  const Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  core.flows.track(flow).first_byte = inspection.base + inspection.passed;
  // Where the record under way ends is forgotten: no hello is the second one there.
  core.flows.own_extras(flow).judged = inspection.records.is_within_one() ? 0 : inspection.judged_name;
  flow.set(Flow::sealed);
  if (inspection.answered) flow.clear(Flow::guarded);
  core.end_inspection(flow);
}

}  // namespace sallyport::dataplane
