// Track: the life of a flow. What a segment does to its state, when it is over, what its record says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "dataplane/core.h"

namespace sallyport::dataplane {

// False: a reset outside the window; nothing was changed (nat.md 12, RFC 5961 section 3).
[[nodiscard]] bool track_tcp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed,
                             Direction direction) noexcept;
// Nobody acknowledges what was not said.
[[nodiscard]] inline bool may_acknowledge(const TcpTrack& track, std::uint32_t number, Direction direction) noexcept {
  const Direction other = opposite(direction);
  return !track.knows(other, TcpTrack::an_end) || !after(number, track.sent_end[other]);
}
// What track_tcp() does of a segment in the middle of an established connection that nobody listens to: neither SYN,
// FIN nor RST, and it waits for nothing. False: too little is known of its side, and nothing was done.
[[nodiscard]] inline bool track_middle(TcpTrack& track, const wire::Tcp& tcp, std::uint32_t payload_bytes,
                                       Direction direction) noexcept {
  if (track.known[direction] != TcpTrack::known_mask) [[unlikely]]
    return false;
  const auto advance = [](std::uint32_t& latest, std::uint32_t number) {
    if (after(number, latest)) latest = number;
  };
  advance(track.sent_end[direction], tcp.sequence.get() + payload_bytes);
  if (const std::uint32_t number = tcp.acknowledgment.get(); may_acknowledge(track, number, direction))
    advance(track.acked[direction], number);
  track.window[direction] = std::max<std::uint16_t>(tcp.window.get(), 1);
  return true;
}
// The segment is forwarded: its bytes count as said.
void note_sent(TcpTrack& track, const Packet& packet, const Parsed& parsed, Direction direction) noexcept;
// Up to where the server has acknowledged the client's payload, where that is known. What it acknowledges before its
// SYN-ACK is of another connection.
[[nodiscard]] inline std::optional<std::uint32_t> server_has(const Core& core, const Flow& flow) noexcept {
  const TcpTrack& track = core.flows.track(flow);
  const bool known = !core.flows.facts(flow).unanswered && track.knows(to_client, TcpTrack::an_acknowledgment);
  return known ? std::optional(track.acked[to_client]) : std::nullopt;
}
// Does it have everything up to here?
[[nodiscard]] inline bool server_has(const Core& core, const Flow& flow, std::uint32_t end) noexcept {
  const std::optional<std::uint32_t> has = server_has(core, flow);
  return has && !after(end, *has);
}
inline void count_packet(Core& core, Flow& flow, const Packet& packet, Direction direction) noexcept {
  flow.counts[direction].add(packet.length);
  // RFC 4787 REQ-6: outbound traffic keeps a mapping alive; for TCP both sides do.
  if (direction == to_server || flow.is_tcp() || core.settings.nat.udp_inbound_refresh) {
    flow.last_seen = core.tick;
    if (core.mappings.resting()) core.mappings.refresh(core.flows.facts(flow).mapping, core.tick);
  } else {
    flow.last_packet = core.tick;
  }
}

[[nodiscard]] std::uint32_t timeout_ms(const Core& core, const Flow& flow) noexcept;
[[nodiscard]] bool expired(const Core& core, const Flow& flow) noexcept;
// A flow that was found: is it over? Then it has ended now.
[[nodiscard]] bool ended_by_time(Core& core, FlowNumber number) noexcept;

[[nodiscard]] FlowRecord record_of(const Core& core, const Flow& flow, FlowEnd end) noexcept;
// Once a flow; later calls do nothing.
void write_record(Core& core, Flow& flow, FlowEnd end) noexcept;
// That its translation begins.
void record_translation(Core& core, const Flow& flow) noexcept;
// Takes it out of all tables, what it holds ends as `held_as`.
void end_flow(Core& core, FlowNumber number, FlowEnd end, Drop held_as = Drop::hello_abandoned) noexcept;
void drop_held(Core& core, Flow& flow, Drop why) noexcept;
// The same for a reset, which may not have reached the other side: what was let through before stays said.
void abandon_held(Core& core, Flow& flow) noexcept;

// The wheel has brought the flow up.
void flow_due(Core& core, FlowNumber number) noexcept;

}  // namespace sallyport::dataplane
