#include "dataplane/stages/hear.h"

#include <cstring>

#include "dataplane/stages/cut.h"
#include "dataplane/stages/guard.h"
#include "dataplane/stages/requests.h"
#include "dataplane/stages/track.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using wire::Tcp;

[[nodiscard]] bool is_reset(const Parsed& parsed) noexcept { return (parsed.tcp_flags & Tcp::rst) != 0; }

[[nodiscard]] bool must_show(const Flow& flow) noexcept {
  return flow.protocol == IpProtocol::tcp || flow.protocol == IpProtocol::udp;
}

[[nodiscard]] bool matters(const Flow& flow) noexcept {
  return flow.verdict == Verdict::waiting || flow.is_listened_to();
}

// What may have to wait does so in a buffer of its own: those in which datagrams are put together are wanted again at
// once. Where there is none it is not held (HeldPayload::has_room).
void move_out(Core& core, Packet& packet) noexcept {
  Packet own;
  if (!core.world.allocate(packet.length, own)) return;
  std::memcpy(own.data, packet.data, packet.length);
  Packet moved = packet;
  moved.data = own.data;
  moved.headroom = own.headroom;
  moved.buffer = own.buffer;
  moved.reassembled = false;
  core.release(packet);
  packet = moved;
}

}  // namespace

Inspected hear_client(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  if (packet.reassembled && matters(flow)) move_out(core, packet);
  if (flow.is_tcp() && matters(flow)) {
    // A reset needs no payload to end a connection, so it carries none past the verdict.
    if (is_reset(parsed) && parsed.payload_bytes != 0) cut_payload(packet, parsed);
    // A server takes the urgent byte out of the stream, wherever it lies: what was read here is not what it reads.
    if (!is_reset(parsed) && (parsed.tcp_flags & Tcp::urg) != 0 && !flow.has(Flow::observing)) {
      refuse_flow(core, number, classifier::Reason::hello_conflict, packet, parsed);
      core.drop(packet, Drop::hello_denied);
      return Inspected::ended;
    }
  }
  if (flow.has(Flow::following) || (flow.verdict == Verdict::waiting && shows_requests(core, number, packet, parsed))) {
    return follow_requests(core, number, packet, parsed);
  }
  if (flow.verdict == Verdict::waiting) {
    if (is_reset(parsed)) {
      abandon_held(core, flow);
      return Inspected::pass;
    }
    const bool ends = flow.is_tcp() && (parsed.tcp_flags & Tcp::fin) != 0;
    const bool says = parsed.payload_bytes != 0 || ends || !flow.is_tcp();
    return must_show(flow) && says ? inspect(core, number, packet, parsed) : Inspected::pass;
  }
  if (flow.has(Flow::observing)) {
    observe(core, number, packet, parsed);
  } else if (flow.has(Flow::guarded) || flow.has(Flow::sealed)) {
    return guard(core, number, packet, parsed);
  }
  return Inspected::pass;
}

Inspected hear_server(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed,
                      std::uint32_t expected) noexcept {
  Flow& flow = core.flows[number];
  if (!matters(flow)) return Inspected::pass;
  if (flow.has(Flow::following)) return follow_answer(core, number, packet, parsed);
  if (flow.has(Flow::guarded)) {
    guard_answer(core, number, packet, parsed, expected);
  } else if (flow.verdict == Verdict::waiting && is_reset(parsed)) {
    abandon_held(core, flow);
  } else if (flow.verdict == Verdict::waiting && parsed.payload_bytes != 0) {
    if (begins_http2(core, flow, packet, parsed)) return follow_answer(core, number, packet, parsed);
    return inspect_answer(core, number, packet, parsed, expected);
  } else if (flow.has(Flow::observing) && flow.is_tcp() && parsed.payload_bytes != 0) {
    observe_answer(core, number, packet, parsed, expected);
  }
  return Inspected::pass;
}

std::uint32_t next_from_server(const Core& core, const Flow& flow, const Packet& packet,
                               const Parsed& parsed) noexcept {
  if (!flow.is_tcp() || !matters(flow)) return 0;
  const TcpTrack& track = core.flows.track(flow);
  if (track.knows(to_client, TcpTrack::an_end)) return track.sent_end[to_client];
  return wire::at<Tcp>(packet.data + parsed.l4_offset).sequence.get();
}

}  // namespace sallyport::dataplane
