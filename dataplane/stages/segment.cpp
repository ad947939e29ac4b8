#include "dataplane/stages/segment.h"

#include "dataplane/stages/track.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using wire::Tcp;

[[nodiscard]] bool is_first_syn(const Parsed& parsed) noexcept {
  return parsed.kind == PacketKind::tcp && (parsed.tcp_flags & (Tcp::syn | Tcp::ack)) == Tcp::syn;
}

[[nodiscard]] std::uint32_t sequence_of(const Packet& packet, const Parsed& parsed) noexcept {
  return wire::at<Tcp>(packet.data + parsed.l4_offset).sequence.get();
}

}  // namespace

void begin_stream(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  core.flows.track(flow).first_byte = sequence_of(packet, parsed) + ((parsed.tcp_flags & Tcp::syn) != 0 ? 1 : 0);
}

bool begins_anew(const Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  if (!is_first_syn(parsed)) return false;
  const bool repeated = core.flows.track(flow).first_byte == sequence_of(packet, parsed) + 1;
  if (flow.verdict == Verdict::denied) return !repeated;
  return flow.tcp == TcpState::closing || flow.tcp == TcpState::reset ||
         ((flow.tcp == TcpState::fin_client || flow.tcp == TcpState::fin_server) && !repeated);
}

bool follow_tcp(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  Flow& flow = core.flows[number];
  const TcpState before = flow.tcp;
  if (!track_tcp(core, flow, packet, parsed, direction)) {
    core.drop(packet, Drop::tcp_rst_invalid);
    return false;
  }
  if (is_first_syn(parsed) && direction == to_server && flow.tcp == TcpState::syn_client) {
    begin_stream(core, flow, packet, parsed);
  }
  if (before == TcpState::syn_client && direction == to_client) {
    begin_where_server_says(core.flows.track(flow), packet, parsed);
  }
  const bool closed = flow.tcp != before && (flow.tcp == TcpState::closing || flow.tcp == TcpState::reset);
  if (closed) {
    core.wheel.remove(number);
    core.wheel.add(number, core.tick, 1000);
  }
  return true;
}

}  // namespace sallyport::dataplane
