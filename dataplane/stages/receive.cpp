#include "dataplane/stages/receive.h"

#include "dataplane/owner.h"
#include "dataplane/stages/hand_over.h"
#include "dataplane/stages/map_port.h"
#include "dataplane/stages/martian.h"
#include "dataplane/stages/parse_plain.h"
#include "dataplane/stages/tunnel.h"
#include "dataplane/stages/tunnel_host.h"

namespace sallyport::dataplane {
namespace {

using Side = FlowTable::Side;

class Receiver {
 public:
  Receiver(Core& core, PortIndex port, std::span<Packet> burst, InFlights& in_flight) noexcept
      : core_(core),
        port_(port),
        burst_(burst),
        next_(in_flight.data()),
        rules_(core.parse_rules(port)),
        rules_in_tunnel_(core.parse_rules_in_tunnel()),
        role_(core.port(port).role),
        carries_tunnels_(core.snapshot->tunnels != nullptr && core.snapshot->tunnels->any_on(port)),
        straight_(!carries_tunnels_ && role_ != config::PortRole::both && PlainParser::applies(rules_)) {}

  std::size_t run() noexcept {
    const InFlight* first = next_;
    for (Packet& packet : burst_) receive(packet);
    return static_cast<std::size_t>(next_ - first);
  }

 private:
  // Parse; what is no packet of a flow ends here.
  void receive(Packet& packet) noexcept {
    packet.port = port_;
    if (straight_ && came_whole(packet)) {
      const PlainKind kind = PlainParser(packet, rules_).kind();
      if (kind != PlainKind::none) {
        keep_plain(packet, kind);
        return;
      }
    }
    receive_any(packet);
  }

  // Apart, so that what it keeps in registers is nothing to the packets that never come here.
  [[gnu::noinline]] void receive_any(Packet& packet) noexcept {
    InFlight& p = *next_;
    Drop why{};
    const ParseRules& rules = packet.tunnel == 0 ? rules_ : rules_in_tunnel_;
    const bool plain = parse_plain(packet, rules, p.parsed);
    const ParseResult result = plain ? ParseResult::ok : parse(packet, rules, p.parsed, why);
    if (result == ParseResult::drop) {
      core_.drop(packet, why);
    } else if (result == ParseResult::kernel) {
      core_.to_kernel(packet);
    } else if (p.parsed.fragment) {
      const Parsed piece = p.parsed;
      collect(packet, piece);
    } else if (carries_tunnels_) {
      open_tunnel(packet);
    } else {
      keep(packet);
    }
  }

  [[nodiscard]] std::size_t slot_of(const Packet& packet) const noexcept {
    return static_cast<std::size_t>(&packet - burst_.data());
  }

  // From a wire, for the first time, in one piece and in no tunnel.
  [[nodiscard]] static bool came_whole(const Packet& packet) noexcept {
    return packet.tunnel == 0 && packet.fragment_size == 0 && !packet.hairpin;
  }

  void keep_plain(Packet& packet, PlainKind kind) noexcept {
    InFlight& p = *next_++;
    p.packet = &packet;
    p.plain = kind;
    p.from_inside = role_ == config::PortRole::inside;
    const IpProtocol protocol = is_tcp(kind) ? IpProtocol::tcp : IpProtocol::udp;
    p.hash = is_v4(kind) ? core_.flows.hash<Family::v4>(PlainLayout<Family::v4>::tuple(packet), protocol, side_of(p))
                         : core_.flows.hash<Family::v6>(PlainLayout<Family::v6>::tuple(packet), protocol, side_of(p));
    core_.flows.prefetch_bucket(p.hash);
  }

  // The packet, parsed, is the next one to be handled.
  void keep(Packet& packet) noexcept {
    InFlight& p = *next_;
    p.packet = &packet;
    p.plain = PlainKind::none;
    p.from_inside = comes_from_inside(packet, p.parsed);
    ++next_;
    if (!followed(p.parsed.kind)) return;
    p.hash = core_.flows.hash(p.parsed.key, side_of(p));
    core_.flows.prefetch_bucket(p.hash);
  }

  void open_tunnel(Packet& packet) noexcept {
    InFlight& p = *next_;
    switch (unwrap(core_, packet, p.parsed, slot_of(packet))) {
      case Unwrapped::ended:
        return;
      case Unwrapped::inner:
        if (p.parsed.fragment) {
          const Parsed piece = p.parsed;
          collect(packet, piece);
          return;
        }
        [[fallthrough]];
      case Unwrapped::plain:
        keep(packet);
        return;
    }
  }

  [[nodiscard]] Arrival arrival_of(const Packet& piece, const Parsed& parsed) const noexcept {
    if (piece.tunnel == 0 || piece.hairpin) return dataplane::arrival_of(piece, parsed);
    return {piece.port, false, true, 0, core_.arrived_from[piece.tunnel - 1U]};
  }

  // What its sender may not send does not wait either. On a port of role `both` the whole tells who sent it.
  [[nodiscard]] bool may_wait(Packet& piece, const Parsed& parsed) noexcept {
    if (piece.hairpin || core_.routing().is_local(parsed.key.destination_address())) return true;
    Drop why{};
    if (is_martian(core_, parsed, comes_from_inside(piece, parsed), why)) {
      end_martian(core_, piece, parsed, why);
      return false;
    }
    const bool inside = piece.tunnel != 0 || role_ == config::PortRole::inside;
    if (!inside || !fails_source_check(core_, parsed)) return true;
    core_.drop(piece, Drop::source_check);
    return false;
  }

  void end_pieces(std::uint32_t count, Drop why) noexcept {
    core_.counters.held.subtract(count);
    core_.counters.drops[static_cast<std::size_t>(why)].add(count);
  }

  // A piece of a datagram; the last one brings the whole.
  void collect(Packet& piece, const Parsed& parsed) noexcept {
    if (!may_wait(piece, parsed)) return;
    const auto release = [](void* core, std::span<Packet> packets) {
      for (Packet& packet : packets) static_cast<Core*>(core)->release(packet);
    };
    end_pieces(core_.fragments.make_room(parsed, release, &core_), Drop::fragments_full);
    Packet whole;
    Drop why{};
    std::uint32_t also = 0;
    const auto result =
        core_.fragments.add(piece, parsed, arrival_of(piece, parsed), core_.tick, whole, why, also, release, &core_);
    end_pieces(also, why);
    switch (result) {
      case Reassembler::Result::dropped:
        core_.drop(piece, why);
        return;
      case Reassembler::Result::held:
        core_.counters.held.add(piece.weight);
        return;
      case Reassembler::Result::whole:
        break;
    }
    core_.counters.held.subtract(static_cast<std::uint64_t>(whole.weight - piece.weight));
    InFlight& p = *next_;
    whole.tunnel = piece.tunnel;
    const ParseResult parsed_whole = parse(whole, core_.parse_rules(whole), p.parsed, why);
    if (parsed_whole != ParseResult::ok) {
      // Neighbour discovery comes in no fragments (RFC 6980 section 5).
      core_.drop(whole, parsed_whole == ParseResult::kernel ? Drop::fragment_bad : why);
      return;
    }
    piece = whole;
    if (piece.tunnel != 0 && is_for_tunnel_host(core_, piece, p.parsed)) {
      core_.drop(piece, Drop::tunnel_to_gateway);
      return;
    }
    const bool outer = carries_tunnels_ && piece.tunnel == 0;
    if (outer && unwrap(core_, piece, p.parsed, slot_of(piece)) != Unwrapped::plain) return;
    if (piece.tunnel != 0 && !may_stay(piece, p.parsed)) return;
    const bool elsewhere = !comes_from_inside(piece, p.parsed) || p.parsed.kind == PacketKind::portless;
    const bool here = piece.tunnel != 0 || piece.hairpin || !elsewhere;
    if (here || belongs_here(piece, p.parsed)) keep(piece);
  }

  // What came through a tunnel has lost the header by which it found its worker, and cannot go on to another one: where
  // its pieces hid behind more headers that it is of a protocol without ports, it ends.
  [[nodiscard]] bool may_stay(Packet& whole, const Parsed& parsed) noexcept {
    const std::uint32_t workers = core_.settings.workers;
    if (workers == 1 || parsed.kind != PacketKind::portless) return true;
    if (possible_owners(whole, parsed, workers).sender == core_.settings.worker) return true;
    core_.drop(whole, Drop::fragment_bad);
    return false;
  }

  // A datagram from outside is put together where its first piece came, and may belong to another worker.
  [[nodiscard]] bool belongs_here(Packet& whole, const Parsed& parsed) noexcept {
    const std::uint32_t self = core_.settings.worker;
    const std::uint32_t owner = Pipeline::owner(whole, core_.port(port_).role, core_.settings.workers, self,
                                                *core_.snapshot, piece_ports(core_.settings.nat));
    if (owner == self || (followed(parsed.kind) && core_.flows.find(parsed.key, Side::outside) != 0)) return true;
    hand_over(core_, whole, parsed, owner);
    return false;
  }

  [[nodiscard]] bool comes_from_inside(const Packet& packet, const Parsed& parsed) const noexcept {
    if (packet.hairpin) return false;
    if (packet.tunnel != 0) return true;
    return role_ == config::PortRole::both ? is_no_answer(parsed) : role_ == config::PortRole::inside;
  }

  // On a port with both sides.
  [[nodiscard]] bool is_no_answer(const Parsed& parsed) const noexcept {
    const classifier::Policy* policy = core_.policy();
    if (policy == nullptr) return false;
    // An answer; or a sender whom the policy knows, in a hairpin.
    if (policy->gives_out(parsed.key.destination_address()) && !is_known_sender(*policy, parsed.key)) return false;
    // An answer to an untranslated flow.
    return !followed(parsed.kind) || core_.flows.find(parsed.key, Side::outside) == 0;
  }

  [[nodiscard]] static bool is_known_sender(const classifier::Policy& policy, const FlowKey& key) noexcept {
    const classifier::Source source = policy.find_source(key.source_address());
    return source.workload != 0 || source.namespace_name != 0;
  }

  Core& core_;
  const PortIndex port_;
  const std::span<Packet> burst_;
  InFlight* next_;  // where the next packet in flight goes
  const ParseRules rules_, rules_in_tunnel_;
  const config::PortRole role_;
  const bool carries_tunnels_;
  const bool straight_;  // a plain packet is one without a tag, and the port alone says where it comes from
};

}  // namespace

std::size_t receive(Core& core, PortIndex port, std::span<Packet> burst, InFlights& in_flight) noexcept {
  return Receiver(core, port, burst, in_flight).run();
}

}  // namespace sallyport::dataplane
