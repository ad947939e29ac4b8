#include "dataplane/stages/hand_over.h"

#include <algorithm>

#include "dataplane/owner.h"
#include "dataplane/stages/fragment.h"

namespace sallyport::dataplane {
namespace {

void count_elsewhere(Core& core, const Packet& packet) noexcept {
  core.counters.received.subtract(packet.weight);
  core.counters.ports[packet.port].received_packets.subtract(packet.weight);
  core.counters.ports[packet.port].received_bytes.subtract(packet.length);
}

void hand_over_pieces(Core& core, Packet& whole, const Parsed& parsed, std::uint32_t owner) noexcept {
  Fragmenter fragmenter(whole, parsed, whole.fragment_size, static_cast<std::uint16_t>(whole.fragment_id));
  std::uint16_t left = whole.weight;
  while (!fragmenter.done()) {
    Packet piece;
    if (!core.world.allocate(fragmenter.next_bytes(), piece)) break;
    piece.port = whole.port;
    piece.tunnel = whole.tunnel;
    piece.asked_elsewhere = whole.asked_elsewhere;
    piece.hairpin = whole.hairpin;
    fragmenter.make(piece);
    // Never more pieces than it came in; the last one stands for what came in smaller ones.
    piece.weight = fragmenter.done() ? left : std::min<std::uint16_t>(left, 1);
    left = static_cast<std::uint16_t>(left - piece.weight);
    count_elsewhere(core, piece);
    (void)core.world.hand_over(owner, {&piece, 1});
  }
  core.counters.drops[static_cast<std::size_t>(Drop::buffers_exhausted)].add(left);
  core.release(whole);
}

}  // namespace

void hand_over(Core& core, Packet& packet, const Parsed& parsed, std::uint32_t owner) noexcept {
  if (packet.reassembled) {
    hand_over_pieces(core, packet, parsed, owner);
    return;
  }
  count_elsewhere(core, packet);
  (void)core.world.hand_over(owner, {&packet, 1});
}

void hand_to_kernel(Core& core, Packet& packet, const Parsed& parsed) noexcept {
  if (!packet.reassembled || packet.tunnel != 0 || !core.settings.kernel) {
    core.to_kernel(packet);
    return;
  }
  Fragmenter fragmenter(packet, parsed, packet.fragment_size, static_cast<std::uint16_t>(packet.fragment_id));
  while (!fragmenter.done()) {
    Packet piece;
    if (!core.world.allocate(fragmenter.next_bytes(), piece)) {
      core.drop(packet, Drop::buffers_exhausted);
      return;
    }
    piece.port = packet.port;
    fragmenter.make(piece);
    core.world.to_kernel(piece.port, piece);
  }
  core.to_kernel(packet);
}

bool ask_elsewhere(Core& core, Packet& packet, const Parsed& parsed) noexcept {
  const bool both = core.port(packet.port).role == config::PortRole::both;
  if (!both || packet.tunnel != 0 || core.settings.workers == 1 || core.policy() == nullptr) return false;
  const PossibleOwners owners = possible_owners(packet, parsed, core.settings.workers);
  const std::uint32_t self = core.settings.worker;
  const std::uint32_t next = packet.asked_elsewhere || self != owners.sender ? owners.sender : owners.answer;
  if (next == self) return false;
  packet.asked_elsewhere = true;
  hand_over(core, packet, parsed, next);
  return true;
}

}  // namespace sallyport::dataplane
