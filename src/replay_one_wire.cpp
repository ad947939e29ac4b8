#include <cstring>
#include <span>
#include <utility>

#include "dataplane/flow/key_hash.h"
#include "dataplane/stages/icmp_error.h"
#include "dataplane/stages/parse.h"
#include "dataplane/stages/reassemble.h"
#include "dataplane/wire/headers.h"
#include "src/replay_ahead.h"
#include "src/replay_answer.h"
#include "src/replay_frame.h"
#include "src/replay_sides.h"
#include "src/replay_wires.h"

namespace sallyport {
namespace {

using dataplane::Drop;
using dataplane::FlowKey;
using dataplane::IpProtocol;
using dataplane::Packet;
using dataplane::PacketKind;
using dataplane::Parsed;
using dataplane::ParseResult;
using dataplane::Reassembler;
using dataplane::Tick;
using dataplane::wire::Tcp;

constexpr unsigned nested_fragments_max = 4;  // tunnels whose packets came in pieces, inside each other
constexpr std::uint32_t wholes_max = 1;       // each is copied at once

// Finds each packet's side and hands it to the pipeline as if it had come in there.
class OneWire {
 public:
  OneWire(ReplayEngine& engine, const ReplaySetup& setup)
      : engine_(engine),
        setup_(setup),
        loader_(true, setup.settings.ports[setup.inside].vlan),
        sides_(setup.settings.timeouts),
        random_(setup.settings.seed),
        hash_(random_),
        fragments_(setup.settings.nat.fragments_max,
                   static_cast<std::uint32_t>(setup.settings.nat.fragment_timeout.count()), wholes_max, hash_) {}

  void take(const CapturedFrame& frame);
  // The capture's end: what still waits for its fragments ends.
  void finish();
  [[nodiscard]] const ReplaySides& sides() const noexcept { return sides_; }
  [[nodiscard]] const UnknownLinkTypes& unknown_link_types() const noexcept { return loader_.unknown_link_types(); }

 private:
  [[nodiscard]] ParseResult parse(const Packet& packet) noexcept;
  [[nodiscard]] Tick tick() const noexcept { return static_cast<Tick>(engine_.now() / 1'000'000); }
  [[nodiscard]] bool put_together(Packet& packet);
  void expire_fragments(Tick tick);
  static void give_back_pieces(void* engine, std::span<Packet> pieces);

  void dispatch(const Packet& packet);
  void dispatch_connection(const Packet& packet);
  void dispatch_echo_reply(const Packet& packet);
  void dispatch_error(Packet packet);
  [[nodiscard]] bool sent_from_inside(const Packet& packet, const Parsed& quoted) const noexcept;
  void send_answer(Packet packet, const dataplane::Translation& translation);

  ReplayEngine& engine_;
  const ReplaySetup& setup_;
  FrameLoader loader_;
  ReplaySides sides_;
  dataplane::Random random_;
  dataplane::KeyHash hash_;
  Reassembler fragments_;
  Parsed parsed_;  // of the packet in hand
};

ParseResult OneWire::parse(const Packet& packet) noexcept {
  Drop why{};
  return dataplane::parse(packet, {.any_vlan = true, .verify_ip_checksum = false}, parsed_, why);
}

void OneWire::take(const CapturedFrame& frame) {
  engine_.bring_to(frame.time_ns);
  expire_fragments(tick());
  Packet packet;
  if (!engine_.take_buffer(packet)) return;
  if (!loader_.load(frame, packet)) {
    engine_.drop(packet, Drop::not_ip);
    return;
  }
  ParseResult result = parse(packet);
  for (unsigned i = 0; i < nested_fragments_max && result == ParseResult::ok && parsed_.fragment; ++i) {
    if (!put_together(packet)) return;
    if (loader_.unwrap(packet)) packet.fragment_size = 0;  // the tunnel's packet was cut, not this one
    result = parse(packet);
  }
  // What is broken is the pipeline's to count.
  if (result == ParseResult::ok && !parsed_.fragment) {
    dispatch(packet);
  } else {
    engine_.process(setup_.inside, packet);
  }
}

// False: the rest of the datagram is not there yet, or never will be; the packet is gone.
bool OneWire::put_together(Packet& packet) {
  engine_.count_dropped(fragments_.make_room(parsed_, give_back_pieces, &engine_), Drop::fragments_full);
  Packet whole;
  Drop why{};
  std::uint32_t also = 0;
  const auto result = fragments_.add(packet, parsed_, arrival_of(packet, parsed_), tick(), whole, why, also,
                                     give_back_pieces, &engine_);
  if (result == Reassembler::Result::held) return false;
  if (result == Reassembler::Result::dropped) {
    engine_.drop(packet, why);
    engine_.count_dropped(also, why);
    return false;
  }
  const bool room = engine_.take_buffer(packet);  // the pieces were given back
  if (room) {
    std::memcpy(packet.data, whole.data, whole.length);
    packet.length = whole.length;
    packet.weight = whole.weight;
    packet.fragment_size = whole.fragment_size;
    packet.fragment_id = whole.fragment_id;
  }
  fragments_.give_back(whole);
  return room;
}

void OneWire::give_back_pieces(void* engine, std::span<Packet> pieces) {
  for (const Packet& piece : pieces) static_cast<ReplayEngine*>(engine)->give_back(piece);
}

void OneWire::expire_fragments(Tick tick) {
  engine_.count_dropped(fragments_.expire(tick, give_back_pieces, &engine_), Drop::fragment_timeout);
}

void OneWire::finish() {
  constexpr Tick long_after = 0x3fffffff;
  expire_fragments(tick() + long_after);
}

void OneWire::dispatch(const Packet& packet) {
  switch (parsed_.kind) {
    case PacketKind::icmp_error:
      return dispatch_error(packet);
    case PacketKind::echo_request:
      return engine_.process(setup_.inside, packet);
    case PacketKind::echo_reply:
      return dispatch_echo_reply(packet);
    case PacketKind::tcp:
    case PacketKind::udp:
    case PacketKind::sctp:
    case PacketKind::portless:
    case PacketKind::other:
      return dispatch_connection(packet);
  }
}

void OneWire::dispatch_connection(const Packet& packet) {
  const auto has_flags = [&](std::uint8_t flags) {
    return parsed_.kind == PacketKind::tcp && (parsed_.tcp_flags & (Tcp::syn | Tcp::ack)) == flags;
  };
  if (sides_.note(parsed_.key, has_flags(Tcp::syn | Tcp::ack), engine_.now()) == ReplaySides::Sender::inside) {
    engine_.process(setup_.inside, packet);
  } else if (const auto translation = engine_.translation(parsed_.key.reversed())) {
    send_answer(packet, *translation);
  } else if (has_flags(Tcp::syn)) {
    // The connection that this side once answered is over; now it opens one itself.
    sides_.set_inside(parsed_.key, engine_.now());
    engine_.process(setup_.inside, packet);
  } else {
    engine_.drop(packet, Drop::no_mapping);
  }
}

// The identifier stands in the source port both ways. A reply to nothing is the pipeline's to count.
void OneWire::dispatch_echo_reply(const Packet& packet) {
  FlowKey request = parsed_.key;
  std::swap(request.source, request.destination);
  if (const auto translation = engine_.translation(request)) {
    send_answer(packet, *translation);
  } else {
    engine_.process(setup_.inside, packet);
  }
}

// An error about what the client sent comes to it from outside; one about what the server sent goes out to it.
void OneWire::dispatch_error(Packet packet) {
  Parsed quoted;
  const bool known = dataplane::parse_quoted(false, packet, parsed_, quoted) && sent_from_inside(packet, quoted);
  const auto translation = known ? engine_.translation(quoted.key) : std::nullopt;
  if (translation && parsed_.key.destination == quoted.key.source) {
    address_error(packet, parsed_, quoted, *translation);
    engine_.process(setup_.outside, packet);
  } else {
    engine_.process(setup_.inside, packet);
  }
}

bool OneWire::sent_from_inside(const Packet& packet, const Parsed& quoted) const noexcept {
  const std::uint8_t icmp_type = packet.data[quoted.l4_offset];
  switch (quoted.key.protocol) {
    case IpProtocol::icmp:
      return icmp_type == dataplane::wire::icmp_echo_request;
    case IpProtocol::icmp6:
      return icmp_type == dataplane::wire::icmp6_echo_request;
    case IpProtocol::tcp:
    case IpProtocol::udp:
    case IpProtocol::sctp:
      break;
  }
  return sides_.find(quoted.key, engine_.now()) == ReplaySides::Sender::inside;
}

void OneWire::send_answer(Packet packet, const dataplane::Translation& translation) {
  address_answer(packet, parsed_, translation);
  engine_.process(setup_.outside, packet);
}

}  // namespace

UnknownLinkTypes replay_one_wire(CaptureReader& capture, ReplayEngine& engine, const ReplaySetup& setup) {
  OneWire wire(engine, setup);
  ReplayAhead ahead(capture, engine, wire.sides());
  while (const CapturedFrame* frame = ahead.next()) wire.take(*frame);
  wire.finish();
  return wire.unknown_link_types();
}

}  // namespace sallyport
