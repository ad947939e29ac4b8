#include "dataplane/stages/look.h"

#include <algorithm>
#include <cstring>

#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::names::ClientHello;
using classifier::names::Parse;
using classifier::names::QuicResult;
using namespace wire;

// A flow of an unfinished hello may hold back so much; what a QUIC client sends before it hears anything is far less.
constexpr std::uint32_t quic_held_max = 32U << 10U;

void take_hello(const ClientHello& hello, Looked& looked) noexcept {
  if (hello.has_server_name) looked.shown.name = hello.server_name;
  looked.shown.ech = hello.ech;
}

[[nodiscard]] Look tls(Core& core, std::span<const std::uint8_t> bytes, classifier::names::TlsProgress& progress,
                       Looked& looked) noexcept {
  ClientHello hello;
  const std::span<std::uint8_t> scratch{core.scratch.data(), core.scratch.size()};
  const Parse parse = classifier::names::parse_client_hello(bytes, progress, scratch, hello);
  if (parse == Parse::not_this) return Look::nothing;
  if (parse == Parse::need_more) return Look::more;
  looked.app = AppProtocol::tls;
  looked.shown.protocol = classifier::Shown::Protocol::tls;
  if (parse == Parse::malformed) return Look::malformed;
  if (parse == Parse::too_large) return Look::too_large;
  take_hello(hello, looked);
  return Look::shown;
}

// No verdict asks for a request's host in this version; it is read for the record of a flow that is allowed anyway.
[[nodiscard]] Look http(std::span<const std::uint8_t> bytes, classifier::names::HttpProgress& progress,
                        Looked& looked) noexcept {
  classifier::names::HttpRequest request;
  const Parse parse = classifier::names::parse_http_request(bytes, progress, request);
  if (parse == Parse::need_more) return Look::more;
  if (parse != Parse::done) return Look::nothing;
  looked.app = AppProtocol::http;
  looked.shown.name = request.host;
  return Look::shown;
}

[[nodiscard]] Look read(Core& core, const Flow& flow, std::span<const std::uint8_t> bytes, StreamProgress& progress,
                        Looked& looked) noexcept {
  const Look look = tls(core, bytes, progress.tls, looked);
  return look == Look::nothing && flow.verdict == Verdict::allowed ? http(bytes, progress.http, looked) : look;
}

}  // namespace

Look look_tcp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Looked& looked) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  std::span<const std::uint8_t> bytes{packet.data + parsed.payload_offset, parsed.payload_bytes};
  const std::uint32_t sequence = tcp.sequence.get() + ((tcp.flags & Tcp::syn) != 0 ? 1 : 0);
  FlowFacts& facts = core.flows.facts(flow);
  const bool base_known = facts.inspection != 0 && core.held[facts.inspection].base_known;
  const std::uint32_t base = base_known ? core.held[facts.inspection].base : core.flows.track(flow).first_byte;
  std::int32_t offset = static_cast<std::int32_t>(sequence - base);
  if (offset < 0) {
    const auto stale = static_cast<std::uint32_t>(-offset);
    if (stale >= bytes.size()) return Look::duplicate;
    bytes = bytes.subspan(stale);
    offset = 0;
  }
  const std::uint32_t limit = core.held.hello_bytes();
  if (offset == 0 && facts.inspection == 0) {
    StreamProgress progress;
    const Look look = read(core, flow, bytes.first(std::min<std::size_t>(bytes.size(), limit)), progress, looked);
    if (look != Look::more) return look;
    if (bytes.size() >= limit) return Look::too_large;
  }
  if (static_cast<std::uint32_t>(offset) >= limit) return Look::too_large;

  if (facts.inspection == 0) {
    facts.inspection = core.held.begin(core.tick);
    if (facts.inspection == 0) return Look::no_room;
  }
  Inspection& inspection = core.held[facts.inspection];
  inspection.base = base;
  inspection.base_known = true;
  if (!core.held.open_stream(inspection)) return Look::no_room;
  ByteStream stream = core.held.stream(inspection);
  const auto at_offset = static_cast<std::uint32_t>(offset);
  const bool known = stream.covers(at_offset, static_cast<std::uint32_t>(bytes.size()));
  if (!stream.add(at_offset, bytes)) return Look::conflict;
  if (known) return Look::duplicate;
  inspection.contiguous = stream.contiguous(inspection.contiguous);
  if (inspection.contiguous == 0) return Look::more;
  const Look look = read(core, flow, stream.first(inspection.contiguous), inspection.progress, looked);
  if (look != Look::more) return look;
  return at_offset + bytes.size() > limit || inspection.contiguous == limit ? Look::too_large : Look::more;
}

Look look_udp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Looked& looked) noexcept {
  const std::span<const std::uint8_t> datagram{packet.data + parsed.payload_offset, parsed.payload_bytes};
  FlowFacts& facts = core.flows.facts(flow);
  QuicState* state = &core.quic_scratch[0];
  if (facts.inspection != 0) {
    state = core.held.open_quic(core.held[facts.inspection]);
    if (state == nullptr) return Look::no_room;
  } else {
    state->connection = {};
    state->stream.clear();
  }
  ClientHello hello;
  const QuicResult result =
      classifier::names::read_client_datagram(datagram, state->connection, state->stream, *core.quic_keys, hello);
  looked.quic_version = state->connection.version;
  if (result == QuicResult::not_quic) return Look::nothing;
  looked.app = AppProtocol::quic;
  looked.shown.protocol = classifier::Shown::Protocol::quic;
  switch (result) {
    case QuicResult::done:
      take_hello(hello, looked);
      return Look::shown;
    case QuicResult::malformed:
      return Look::malformed;
    case QuicResult::conflict:
      return Look::conflict;
    case QuicResult::too_large:
      return Look::too_large;
    case QuicResult::need_more:
    case QuicResult::not_quic:
      break;
  }
  if (facts.inspection == 0) {
    facts.inspection = core.held.begin(core.tick);
    if (facts.inspection == 0) return Look::no_room;
    QuicState* kept = core.held.open_quic(core.held[facts.inspection]);
    if (kept == nullptr) return Look::no_room;
    *kept = *state;
  }
  return core.held[facts.inspection].bytes > quic_held_max ? Look::too_large : Look::more;
}

void forget_stream(Core& core, Flow& flow) noexcept {
  std::uint32_t& inspection = core.flows.facts(flow).inspection;
  if (inspection == 0 || core.held[inspection].packets != 0) return;
  core.held.end(inspection);
  inspection = 0;
}

void note_shown(Core& core, Flow& flow, const Looked& looked) noexcept {
  if (looked.app == AppProtocol::unknown) return;
  FlowFacts& facts = core.flows.facts(flow);
  facts.app = looked.app;
  if (!flow.is_tcp()) facts.quic_version = looked.quic_version;
  if (looked.shown.ech) flow.set(Flow::ech);
  if (looked.shown.name.empty() || facts.name != 0) return;
  core.counters.names_seen.add();
  facts.name = core.names.take(looked.shown.name);
  if (facts.name == 0) core.counters.names_not_stored.add();
}

}  // namespace sallyport::dataplane
