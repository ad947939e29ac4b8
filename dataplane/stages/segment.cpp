#include "dataplane/stages/segment.h"

#include <optional>

#include "dataplane/stages/guard.h"
#include "dataplane/stages/requests.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using wire::Tcp;

[[nodiscard]] std::uint32_t sequence_of(const Packet& packet, const Parsed& parsed) noexcept {
  return wire::at<Tcp>(packet.data + parsed.l4_offset).sequence.get();
}

[[nodiscard]] bool is_syn_ack(const Parsed& parsed) noexcept {
  return (parsed.tcp_flags & (Tcp::syn | Tcp::ack)) == (Tcp::syn | Tcp::ack);
}

[[nodiscard]] bool asks_unanswered(const Core& core, const Flow& flow) noexcept {
  if (flow.tcp == TcpState::established) return false;  // without a look at its facts
  const FlowFacts& facts = core.flows.facts(flow);
  return facts.unanswered && facts.asks_name;
}

// Of a flow that a name decides about, what no client says there: anything before its SYN is answered but that SYN, or
// in a simultaneous open the SYN-ACK (RFC 9293 section 3.5); and that SYN once more behind what followed it.
[[nodiscard]] std::optional<Drop> out_of_place(const Core& core, const Flow& flow, const Packet& packet,
                                               const Parsed& parsed) noexcept {
  if ((parsed.tcp_flags & Tcp::rst) != 0) return std::nullopt;
  if (!is_first_syn(parsed)) {
    if (!asks_unanswered(core, flow)) return std::nullopt;
    const bool opens = (parsed.tcp_flags & Tcp::syn) != 0 && parsed.payload_bytes == 0 &&
                       sequence_of(packet, parsed) + 1 == core.flows.track(flow).first_byte;
    return opens ? std::nullopt : std::optional(Drop::hello_unordered);
  }
  const FlowFacts& facts = core.flows.facts(flow);
  const bool opening =
      flow.tcp == TcpState::syn_client || flow.tcp == TcpState::syn_both || flow.tcp == TcpState::syn_crossed;
  if (!facts.asks_name || facts.unanswered || (opening && flow.verdict == Verdict::waiting)) return std::nullopt;
  return Drop::hello_duplicate;
}

// The server's first SYN-ACK. It acknowledges the client's SYN, and of what that carried as much as the server took;
// another number answers another SYN, and says where the client's payload begins. A flow that was decided by what its
// own SYN carried does not begin by that.
void take_syn_ack(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  if (!facts.unanswered) return;
  TcpTrack& track = core.flows.track(flow);
  const std::uint32_t begin = wire::at<Tcp>(packet.data + parsed.l4_offset).acknowledgment.get();
  if (begin - track.first_byte > track.sent_end[to_server] - track.first_byte) {
    if (facts.asks_name && flow.verdict != Verdict::waiting) return;
    track.first_byte = begin;
  }
  if (facts.asks_name) track.set_acked(to_client, begin);
  facts.unanswered = false;
  if (flow.has(Flow::guarded)) expect_answer(core, flow, sequence_of(packet, parsed) + 1);
  if (flow.has(Flow::following)) expect_answer_to_requests(core, flow, sequence_of(packet, parsed) + 1);
}

}  // namespace

void begin_stream(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  core.flows.track(flow).first_byte = sequence_of(packet, parsed) + ((parsed.tcp_flags & Tcp::syn) != 0 ? 1 : 0);
  core.flows.facts(flow).unanswered = is_first_syn(parsed);
}

bool begins_anew(const Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  if (!is_first_syn(parsed)) return false;
  const bool repeated = core.flows.track(flow).first_byte == sequence_of(packet, parsed) + 1;
  if (flow.verdict == Verdict::denied) return !repeated;
  if (!repeated && core.flows.facts(flow).asks_name) return true;
  return flow.tcp == TcpState::closing || flow.tcp == TcpState::reset ||
         ((flow.tcp == TcpState::fin_client || flow.tcp == TcpState::fin_server) && !repeated);
}

bool follow_tcp(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  Flow& flow = core.flows[number];
  if (direction == to_server) {
    if (const std::optional<Drop> why = out_of_place(core, flow, packet, parsed)) {
      core.drop(packet, *why);
      return false;
    }
  }
  const TcpState before = flow.tcp;
  if (!track_tcp(core, flow, packet, parsed, direction)) {
    core.drop(packet, Drop::tcp_rst_invalid);
    return false;
  }
  if (is_first_syn(parsed) && direction == to_server && flow.tcp == TcpState::syn_client) {
    begin_stream(core, flow, packet, parsed);
  }
  if (direction == to_client) {
    const bool opening = before == TcpState::syn_client || before == TcpState::syn_crossed;
    if (is_syn_ack(parsed) && (opening || asks_unanswered(core, flow))) {
      take_syn_ack(core, flow, packet, parsed);
    }
    if (parsed.payload_bytes != 0 && asks_unanswered(core, flow)) {
      core.drop(packet, Drop::hello_unordered);
      return false;
    }
  }
  const bool closed = flow.tcp != before && (flow.tcp == TcpState::closing || flow.tcp == TcpState::reset);
  if (closed) {
    core.wheel.remove(number);
    core.wheel.add(number, core.tick, 1000);
  }
  return true;
}

}  // namespace sallyport::dataplane
