#include "dataplane/stages/guard_quic.h"

#include <algorithm>
#include <array>

#include "classifier/names/quic_version.h"
#include "dataplane/stages/look.h"
#include "dataplane/stages/turns.h"

namespace sallyport::dataplane {
namespace {

using Bytes = std::span<const std::uint8_t>;

[[nodiscard]] std::uint64_t name_of(const Core& core, const classifier::names::QuicConnection& connection) noexcept {
  std::array<char, 25> bytes{};
  std::copy(connection.original_dcid.begin(), connection.original_dcid.end(), bytes.begin());
  bytes[20] = static_cast<char>(connection.dcid_length);
  std::copy_n(reinterpret_cast<const char*>(&connection.version), sizeof connection.version, &bytes[21]);
  return core.hash(bytes.data(), bytes.size()) | 1U;
}

// What a datagram shows to one who has seen nothing before it.
[[nodiscard]] const QuicState& read_alone(Core& core, Bytes datagram) noexcept {
  QuicState& state = core.quic_scratch[0];
  state.connection = {};
  state.stream.clear();
  classifier::names::ClientHello hello;
  (void)classifier::names::read_client_datagram(datagram, state.connection, state.stream, *core.quic_keys, hello,
                                                core.held.hello_bytes());
  return state;
}

// A datagram in which no Initial can be, most of them, costs a look at its first byte.
[[nodiscard]] bool has_long_header(Bytes datagram) noexcept { return !datagram.empty() && (datagram[0] & 0x80U) != 0; }

// The connection that was let through and is kept; null: none.
[[nodiscard]] const classifier::names::QuicConnection* kept(Core& core, const Flow& flow) noexcept {
  if (core.flows.extras(flow).inspection == 0 || holds_back(core, flow)) return nullptr;
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  return inspection.quic != 0 ? &core.held.open_quic(inspection)->connection : nullptr;
}
// The server has taken its hello. Its client may not know that yet, and says it again.
[[nodiscard]] bool is_taken(Core& core, const Flow& flow) noexcept {
  const auto* connection = kept(core, flow);
  return connection != nullptr && connection->accepted;
}
// The server keeps nothing of it.
[[nodiscard]] bool is_refused(Core& core, const Flow& flow) noexcept {
  const auto* connection = kept(core, flow);
  return connection != nullptr && connection->may_restart;
}

// Something is wrong with an Initial while the connection that was judged is not confirmed yet. Another connection has
// to wait for that: it comes again.
[[nodiscard]] Inspected refuse_initial(Core& core, FlowNumber number, Look look, Packet& packet,
                                       const Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  const QuicState& other = read_alone(core, {packet.data + parsed.payload_offset, parsed.payload_bytes});
  const bool another = other.connection.dcid_known && name_of(core, other.connection) != core.flows.extras(flow).judged;
  if (look == Look::conflict && another) return end(core, packet, Drop::hello_unordered);
  return refuse(core, number, reason_of(look), packet, parsed);
}

// The connection that was judged, and that the server has taken, is kept no longer. Of its client nothing is wanted in
// an Initial with its first Destination Connection ID but what asks whether the server is there: a server that has
// forgotten the connection would begin another by it.
[[nodiscard]] Inspected guard_forgotten(Core& core, Flow& flow, Look look, Packet& packet) noexcept {
  const bool asks = look == Look::more && core.quic_scratch[0].stream.end() == 0;
  core.end_inspection(flow);
  return asks ? Inspected::pass : end(core, packet, Drop::hello_duplicate);
}

// 0-RTT alone, while nothing of its connection is kept: that of the connection that was judged has only been under way
// for longer than the server's answer; other has come before its Initial, and comes again behind it.
[[nodiscard]] Inspected guard_early_data(Core& core, const Flow& flow, const classifier::names::QuicConnection& of,
                                         Packet& packet) noexcept {
  const bool judged = name_of(core, of) == core.flows.extras(flow).judged;
  return judged ? Inspected::pass : end(core, packet, Drop::hello_unordered);
}

[[nodiscard]] bool is_judged(const Core& core, const Flow& flow, const QuicState& state) noexcept {
  return state.connection.dcid_known && name_of(core, state.connection) == core.flows.extras(flow).judged;
}

// An Initial that is not of the connection that is kept, and which the server has taken: it is kept no longer.
[[nodiscard]] Look look_anew(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed,
                             Looked& looked) noexcept {
  const Bytes datagram{packet.data + parsed.payload_offset, parsed.payload_bytes};
  if (is_judged(core, flow, read_alone(core, datagram))) return Look::conflict;
  core.end_inspection(flow);
  looked = {};
  return look_udp(core, flow, packet, parsed, looked);
}

// A packet with a long header that may be an Initial, where Initials are read.
[[nodiscard]] Inspected guard_initial(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  const bool holding = holds_back(core, flow);
  const bool known = core.flows.extras(flow).inspection != 0 && !holding;
  const bool taken = is_taken(core, flow);
  Looked looked;
  Look look = look_udp(core, flow, packet, parsed, looked);
  if (taken && look == Look::conflict) look = look_anew(core, flow, packet, parsed, looked);
  if (look == Look::nothing) return Inspected::pass;
  if (look == Look::no_room) return end(core, packet, Drop::held_full);
  if (look == Look::unopened) return end(core, packet, Drop::hello_denied);
  const QuicState& state = core.flows.extras(flow).inspection != 0
                               ? *core.held.open_quic(core.held[core.flows.extras(flow).inspection])
                               : core.quic_scratch[0];
  const bool wrong = look == Look::malformed || look == Look::conflict || look == Look::too_large;
  if (is_judged(core, flow, state) && !holding) {
    if (!known) return guard_forgotten(core, flow, look, packet);
    if (wrong) return refuse_initial(core, number, look, packet, parsed);
    if (!state.connection.second_hello) return Inspected::pass;
    core.held[core.flows.extras(flow).inspection].second_hello = true;
  }
  core.flows.note(flow, &FlowExtras::judged, std::uint64_t{0});
  return inspect_looked(core, number, packet, parsed, look, looked);
}

}  // namespace

Inspected guard_datagram(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept {
  Flow& flow = core.flows[number];
  const Bytes datagram{packet.data + parsed.payload_offset, parsed.payload_bytes};
  if (!has_long_header(datagram)) {
    if (is_taken(core, flow)) core.end_inspection(flow);  // 1-RTT: its client knows it, too
    return Inspected::pass;
  }
  const bool by_name = core.flows.facts(flow).app == AppProtocol::quic || holds_back(core, flow);
  if (by_name && classifier::names::is_unreadable(datagram)) return end(core, packet, Drop::hello_denied);
  if (flow.has(Flow::sealed)) {
    return classifier::names::has_initial_packet(datagram) ? end(core, packet, Drop::hello_duplicate) : Inspected::pass;
  }
  classifier::names::QuicConnection of;
  if (core.flows.extras(flow).inspection == 0 && classifier::names::is_early_data(datagram, of)) {
    return guard_early_data(core, flow, of, packet);
  }
  return guard_initial(core, number, packet, parsed);
}

void guard_server_datagram(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept {
  if (core.flows.extras(flow).inspection == 0 || holds_back(core, flow)) return;
  QuicState* state = core.held.open_quic(core.held[core.flows.extras(flow).inspection]);
  if (state == nullptr) return;
  const Bytes datagram{packet.data + parsed.payload_offset, parsed.payload_bytes};
  if (state->connection.accepted) return;
  classifier::names::read_server_datagram(datagram, state->connection, *core.quic_keys);
  if (state->connection.accepted && !core.held.spares_quic()) core.end_inspection(flow);
}

void begin_quic_guard(Core& core, FlowNumber number, bool hello) noexcept {
  Flow& flow = core.flows[number];
  if (!hello) {
    core.end_inspection(flow);
    return;
  }
  if (core.flows.extras(flow).inspection == 0 && !keep_quic(core, flow, core.quic_scratch[0])) {
    flow.set(Flow::sealed);
    return;
  }
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  inspection.second_hello = false;
  core.flows.own_extras(flow).judged = name_of(core, core.held.open_quic(inspection)->connection);
  restart_turns(core, number);
}

void quic_guard_overdue(Core& core, Flow& flow) noexcept {
  if (!is_taken(core, flow) && !is_refused(core, flow)) flow.set(Flow::sealed);
  core.end_inspection(flow);
}

}  // namespace sallyport::dataplane
