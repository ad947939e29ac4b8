#include "dataplane/stages/look.h"

#include <algorithm>
#include <cstring>

#include "dataplane/stages/track.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using classifier::names::ClientHello;
using classifier::names::Parse;
using classifier::names::QuicResult;
using classifier::names::TlsProgress;
using classifier::names::Upgrade;
using classifier::names::UpgradeProtocol;
using namespace wire;

using Bytes = std::span<const std::uint8_t>;

// A flow of an unfinished hello may hold back so much: what a QUIC client sends before it hears anything. Of 0-RTT
// while a piece of the hello is late there may be more; that comes again.
constexpr std::uint32_t quic_held_max = 32U << 10U;
// And in so many packets: enough for a post-quantum hello byte by byte.
constexpr std::uint32_t held_packets_max = 2048;

void take_hello(const ClientHello& hello, Looked& looked) noexcept {
  if (hello.has_server_name) looked.shown.name = hello.server_name;
  looked.shown.ech = hello.ech;
}

[[nodiscard]] Look tls(Core& core, Bytes bytes, TlsProgress& progress, Looked& looked) noexcept {
  ClientHello hello;
  const std::span<std::uint8_t> scratch{core.scratch.data(), core.scratch.size()};
  const Parse parse = classifier::names::parse_client_hello(bytes, progress, scratch, hello);
  if (parse == Parse::not_this) return Look::nothing;
  if (parse == Parse::need_more) return Look::more;
  looked.app = AppProtocol::tls;
  looked.shown.protocol = classifier::Shown::Protocol::tls;
  looked.target = false;
  if (parse == Parse::malformed) return Look::malformed;
  if (parse == Parse::too_large) return Look::too_large;
  looked.shown.name = {};
  take_hello(hello, looked);
  return Look::shown;
}

// For the record of a flow that is allowed anyway, and for [defaults] server_name_binding; where verdicts need
// requests, requests.h has them.
[[nodiscard]] Look http(std::span<const std::uint8_t> bytes, classifier::names::HttpProgress& progress,
                        Looked& looked) noexcept {
  classifier::names::HttpRequest request;
  const Parse parse = classifier::names::parse_http_request(bytes, progress, request);
  if (parse == Parse::need_more) return Look::more;
  if (parse != Parse::done) return Look::nothing;
  looked.app = AppProtocol::http;
  looked.target = false;
  looked.shown.name = request.host;
  looked.method = request.method;
  looked.url = request.target;
  return Look::shown;
}

// Between two hellos of TLS 1.3 stand records of changed ciphers, and early data that the server does not read (RFC
// 8446 sections 4.2.10, D.4).
[[nodiscard]] bool stands_between_hellos(std::uint8_t kind) noexcept {
  return kind == tls_record::change_cipher_spec || kind == tls_record::application_data;
}

// Unit by unit: what stands before TLS, then the hello.
class Reading {
 public:
  Reading(Core& core, bool second_hello, Looked& looked) noexcept
      : core_(core), second_hello_(second_hello), looked_(looked) {}

  // All are as the unit before has left them; `upgrade` and `records` change where all of the bytes are understood.
  [[nodiscard]] Look read(Bytes bytes, StreamProgress& progress, Upgrade& upgrade, RecordWalk& records) noexcept {
    Upgrade next = upgrade;
    RecordWalk walk = records;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t between = second_hello_ ? walk.take(bytes.subspan(at), stands_between_hellos) : 0;
      at += between;
      if (between != 0) continue;
      TlsProgress anew;
      std::size_t unit_bytes = 0;
      TlsProgress& walked = at == 0 ? progress.tls : anew;
      const Look look = unit(bytes.subspan(at), walked, next, unit_bytes);
      looked_.hello_end = static_cast<std::uint32_t>(at) + walked.next_record;
      if (look != Look::preamble) return look;
      at += unit_bytes;
    }
    upgrade = next;
    records = walk;
    return Look::preamble;
  }

 private:
  [[nodiscard]] Look unit(Bytes rest, TlsProgress& progress, Upgrade& upgrade, std::size_t& unit_bytes) noexcept {
    if (upgrade.step == Upgrade::Step::asked) {
      return Look::nothing;  // said before the answer, so it is nobody's name
    }
    if (begins_with_tls(upgrade) || upgrade.step == Upgrade::Step::tls) {
      const Look look = tls(core_, rest, progress, looked_);
      if (look != Look::nothing) return look;
    }
    const auto found = classifier::names::read_upgrade_unit(rest, upgrade);
    switch (found.parse) {
      case Parse::done:
        break;
      case Parse::need_more:
        return Look::more;
      case Parse::malformed:
        return Look::malformed;
      case Parse::not_this:
      case Parse::too_large:
        return Look::nothing;
    }
    unit_bytes = found.bytes;
    if (!found.target.empty()) show_target(found.target, upgrade);
    return Look::preamble;
  }

  // In a dialogue in the clear a hello that was not agreed on is noise to the server, behind which the dialogue goes
  // on.
  [[nodiscard]] static bool begins_with_tls(const Upgrade& upgrade) noexcept {
    return upgrade.step == Upgrade::Step::commands && upgrade.protocol == UpgradeProtocol::none && upgrade.said == 0;
  }

  void show_target(std::string_view name, const Upgrade& upgrade) noexcept {
    looked_.target = true;
    looked_.shown.protocol = classifier::Shown::Protocol::tls;
    looked_.shown.name = name;
    const bool http = upgrade.protocol == UpgradeProtocol::http_connect;
    looked_.app = http ? AppProtocol::http : AppProtocol::socks;
  }

  Core& core_;
  bool second_hello_;
  Looked& looked_;
};

[[nodiscard]] Look read(Core& core, const Flow& flow, Bytes bytes, Inspection& inspection, Looked& looked) noexcept {
  StreamProgress& progress = inspection.progress;
  const Upgrade& upgrade = inspection.upgrade;
  const Look look =
      Reading(core, inspection.second_hello, looked).read(bytes, progress, inspection.upgrade, inspection.records);
  const bool at_beginning = upgrade.protocol == UpgradeProtocol::none && upgrade.tunnels == 0;
  const bool any_name =
      flow.verdict == Verdict::allowed || core.flows.extras(flow).name_table == classifier::no_name_table;
  return look == Look::nothing && any_name && at_beginning ? http(bytes, progress.http, looked) : look;
}

// What was let through and acknowledged can come no more: the stream begins behind it.
void move_base(Core& core, const Flow& flow, Inspection& inspection) noexcept {
  if (inspection.passed == 0 || inspection.packets != 0) return;
  const std::uint32_t end = inspection.base + inspection.passed;
  if (!server_has(core, flow, end)) return;
  core.held.stream(inspection).clear();
  inspection.base = end;
  inspection.contiguous = inspection.passed = 0;
}

// The second hello does not fit behind what was let through before it: of that, what was acknowledged makes room.
[[nodiscard]] bool makes_room(Core& core, const Flow& flow, Inspection& inspection, std::uint32_t end) noexcept {
  const std::uint32_t limit = core.held.hello_bytes();
  if (!inspection.second_hello || inspection.passed == 0) return true;
  if (static_cast<std::int32_t>(end - inspection.base - limit) < 0) return true;
  let_go(core, flow, inspection);
  return inspection.passed == 0 || static_cast<std::int32_t>(end - inspection.base - limit) < 0;
}

// A whole segment behind the stream: let through where the server has all of it anyway.
[[nodiscard]] Look behind(const Core& core, const Flow& flow, std::uint32_t end, std::uint32_t bytes) noexcept {
  // In front of the client's first byte nothing was ever said: a keep-alive has one byte there, more is smuggled.
  const bool in_front = static_cast<std::int32_t>(core.flows.track(flow).first_byte - end) >= 0;
  if (in_front && bytes > 1) return Look::duplicate;
  return server_has(core, flow, end) ? Look::repeated : Look::duplicate;
}

// The flow's inspection with a stream; null: no room.
[[nodiscard]] Inspection* open_inspection(Core& core, Flow& flow) noexcept {
  const bool began = core.flows.extras(flow).inspection == 0;
  if (began) core.flows.own_extras(flow).inspection = core.begin_inspection(flow);
  if (core.flows.extras(flow).inspection == 0) return nullptr;
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  if (!core.held.open_stream(inspection, true)) {
    if (began) core.end_inspection(flow);
    return nullptr;
  }
  if (!inspection.base_known) inspection.base = core.flows.track(flow).first_byte;
  inspection.base_known = true;
  return &inspection;
}

// What stands behind a hello, or a preamble, is read and kept with it, or neither passes.
[[nodiscard]] Look fitting_in(Look look, const Looked& looked, std::uint32_t end, std::uint32_t limit) noexcept {
  const bool goes_on = look == Look::preamble || (look == Look::shown && looked.app == AppProtocol::tls);
  return goes_on && end > limit ? Look::too_large : look;
}

// The segment goes into the stream, and what of it has no gap in front is read.
[[nodiscard]] Look look_at_stream(Core& core, const Flow& flow, Inspection& inspection, std::uint32_t offset,
                                  Bytes bytes, Looked& looked) noexcept {
  const std::uint32_t limit = core.held.hello_bytes();
  ByteStream stream = core.held.stream(inspection);
  const auto count = static_cast<std::uint32_t>(bytes.size());
  const bool known = stream.covers(offset, count);
  if (!stream.add(offset, bytes)) return Look::conflict;
  if (known) return offset + count <= inspection.passed ? Look::repeated : Look::duplicate;
  inspection.contiguous = stream.contiguous(inspection.contiguous);
  if (inspection.contiguous > inspection.passed) {
    const Bytes unread = stream.first(inspection.contiguous).subspan(inspection.passed);
    const Look look = read(core, flow, unread, inspection, looked);
    looked.hello_end += inspection.passed;
    if (look != Look::more) return fitting_in(look, looked, offset + count, limit);
  }
  const bool full = offset + count > limit || inspection.contiguous == limit;
  return full || inspection.packets >= held_packets_max ? Look::too_large : Look::more;
}

}  // namespace

void let_go(Core& core, const Flow& flow, Inspection& inspection) noexcept {
  const std::optional<std::uint32_t> has = server_has(core, flow);
  if (!has || !after(*has, inspection.base)) return;
  const std::uint32_t count = std::min(*has - inspection.base, inspection.passed);
  if (count == 0) return;
  ByteStream stream = core.held.stream(inspection);
  count < core.held.hello_bytes() ? stream.drop_front(count) : stream.clear();
  inspection.base += count;
  inspection.passed -= count;
  inspection.contiguous -= std::min(inspection.contiguous, count);
}

Look look_tcp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Looked& looked) noexcept {
  const auto& tcp = at<Tcp>(packet.data + parsed.l4_offset);
  Bytes bytes{packet.data + parsed.payload_offset, parsed.payload_bytes};
  const std::uint32_t sequence = tcp.sequence.get() + ((tcp.flags & Tcp::syn) != 0 ? 1 : 0);
  std::uint32_t base = core.flows.track(flow).first_byte;
  bool has_all_before = true;
  if (core.flows.extras(flow).inspection != 0 && core.held[core.flows.extras(flow).inspection].base_known) {
    Inspection& inspection = core.held[core.flows.extras(flow).inspection];
    move_base(core, flow, inspection);
    if (!makes_room(core, flow, inspection, sequence + parsed.payload_bytes)) return Look::no_room;
    base = inspection.base;
    has_all_before = !inspection.second_hello || server_has(core, flow, base);
  }
  const auto offset = static_cast<std::int32_t>(sequence - base);
  if (offset < 0) {
    const std::uint32_t stale = base - sequence;
    if (stale >= bytes.size()) {
      return behind(core, flow, sequence + parsed.payload_bytes, parsed.payload_bytes);
    }
    if (!has_all_before) return Look::duplicate;
    bytes = bytes.subspan(stale);
  }
  const auto begin = static_cast<std::uint32_t>(std::max(offset, 0));
  const std::uint32_t limit = core.held.hello_bytes();
  if (begin == 0 && core.flows.extras(flow).inspection == 0) {
    Inspection none{};
    const Bytes fitting = bytes.first(std::min<std::size_t>(bytes.size(), limit));
    const Look look = read(core, flow, fitting, none, looked);
    if (look != Look::more && look != Look::preamble)
      return fitting_in(look, looked, static_cast<std::uint32_t>(bytes.size()), limit);
    if (bytes.size() >= limit) return Look::too_large;
  }
  if (begin >= limit) return Look::too_large;
  if (flow.verdict == Verdict::waiting && !core.held.has_room(packet, core.place_of(flow))) return Look::no_room;
  Inspection* inspection = open_inspection(core, flow);
  return inspection == nullptr ? Look::no_room : look_at_stream(core, flow, *inspection, begin, bytes, looked);
}

void pass_preamble(Inspection& inspection) noexcept {
  inspection.passed = inspection.contiguous;
  inspection.progress = {};
}

bool keep_quic(Core& core, Flow& flow, const QuicState& state) noexcept {
  core.flows.own_extras(flow).inspection = core.begin_inspection(flow);
  if (core.flows.extras(flow).inspection == 0) return false;
  QuicState* kept = core.held.open_quic(core.held[core.flows.extras(flow).inspection]);
  if (kept == nullptr) {
    core.end_inspection(flow);
    return false;
  }
  *kept = state;
  return true;
}

Look look_udp(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed, Looked& looked) noexcept {
  const std::span<const std::uint8_t> datagram{packet.data + parsed.payload_offset, parsed.payload_bytes};
  QuicState* state = &core.quic_scratch[0];
  if (core.flows.extras(flow).inspection != 0) {
    state = core.held.open_quic(core.held[core.flows.extras(flow).inspection]);
    if (state == nullptr) return Look::no_room;
  } else {
    state->connection = {};
    state->stream.clear();
  }
  ClientHello hello;
  const QuicResult result = classifier::names::read_client_datagram(datagram, state->connection, state->stream,
                                                                    *core.quic_keys, hello, core.held.hello_bytes());
  looked.quic_version = state->connection.version;
  if (result == QuicResult::not_quic) return Look::nothing;
  looked.app = AppProtocol::quic;
  looked.shown.protocol = classifier::Shown::Protocol::quic;
  switch (result) {
    case QuicResult::done:
      take_hello(hello, looked);
      return Look::shown;
    case QuicResult::unopened:
      return Look::unopened;
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
  if (core.flows.extras(flow).inspection == 0 && !keep_quic(core, flow, *state)) return Look::no_room;
  return core.held[core.flows.extras(flow).inspection].bytes > quic_held_max ? Look::no_room : Look::more;
}

void forget_stream(Core& core, Flow& flow) noexcept {
  if (core.flows.extras(flow).inspection == 0 || core.held[core.flows.extras(flow).inspection].packets != 0) return;
  core.end_inspection(flow);
}

void note_shown(Core& core, Flow& flow, const Looked& looked) noexcept {
  if (looked.app == AppProtocol::unknown) return;
  core.flows.facts(flow).app = looked.app;
  if (!flow.is_tcp()) core.flows.note(flow, &FlowExtras::quic_version, looked.quic_version);
  if (looked.shown.ech) core.flows.facts(flow).ech = true;
  const SharePlace sender = core.place_of(flow);
  const auto note = [&](std::uint32_t FlowExtras::*which, std::string_view text) {
    if (core.flows.extras(flow).*which == 0) core.flows.note(flow, which, core.names.take(text, sender));
  };
  note(&FlowExtras::url, looked.url);
  note(&FlowExtras::method, looked.method);
  if (looked.shown.name.empty() ||
      (core.flows.facts(flow).name != 0 && core.names[core.flows.facts(flow).name] == looked.shown.name))
    return;
  core.counters.names_seen.add();
  core.names.give_back(core.flows.facts(flow).name);
  core.flows.facts(flow).name = core.names.take(looked.shown.name, sender);
  if (core.flows.facts(flow).name == 0) core.counters.names_not_stored.add();
}

}  // namespace sallyport::dataplane
