#include "dataplane/tap/tap_point.h"

#include <algorithm>

#include "dataplane/tap/client_view.h"

namespace sallyport::dataplane {
namespace {

constexpr std::size_t story_bytes = std::size_t{256} << 10U;
constexpr std::size_t aside_bytes = std::size_t{64} << 10U;

[[nodiscard]] bool accepts(const Tap& tap, const Packet& packet, const Sight& sight) noexcept {
  const PacketFilter* filter = tap.settings().filter.get();
  if (filter == nullptr) return true;
  return sight.ip_bytes != 0 && filter->accepts({packet.data + sight.parsed.l3_offset, sight.ip_bytes});
}

}  // namespace

TapPoint::TapPoint(std::uint32_t worker, World& world, Pipeline& pipeline)
    : worker_(worker), world_(world), pipeline_(pipeline), story_(story_bytes), aside_(aside_bytes) {}

bool TapPoint::attach(Tap& tap) noexcept {
  if (taps_ == taps_max) return false;
  tap_[taps_++] = &tap;
  snap_bytes_ = std::max(snap_bytes_, tap.settings().snap_bytes);
  return true;
}

void TapPoint::detach(const Tap& tap) noexcept {
  const auto end = std::remove(tap_.begin(), tap_.begin() + static_cast<std::ptrdiff_t>(taps_), &tap);
  taps_ = static_cast<std::size_t>(end - tap_.begin());
  snap_bytes_ = 0;
  for (std::size_t i = 0; i < taps_; ++i) snap_bytes_ = std::max(snap_bytes_, tap_[i]->settings().snap_bytes);
}

// ---- who wants it -----------------------------------------------------------------------------------------------

TapPoint::Mask TapPoint::all(bool only_ended) const noexcept {
  unsigned mask = 0;
  for (std::size_t i = 0; i < taps_; ++i) {
    if (tap_[i]->settings().only_ended == only_ended) mask |= 1U << i;
  }
  return static_cast<Mask>(mask);
}

TapPoint::Mask TapPoint::accepting(Mask among, const Packet& packet, const Sight& sight) const noexcept {
  unsigned mask = 0;
  for (std::size_t i = 0; i < taps_; ++i) {
    if ((among >> i & 1U) != 0 && accepts(*tap_[i], packet, sight)) mask |= 1U << i;
  }
  return static_cast<Mask>(mask);
}

TapPoint::Mask TapPoint::wanted(Mask among, PortIndex port, const Packet& packet, Seen seen,
                                Sight& sight) const noexcept {
  sight = pipeline_.look_at(port, packet, seen, *snapshot_);
  const Mask as_it_is = accepting(among, packet, sight);
  if (as_it_is == among || sight.ip_bytes == 0) return as_it_is;
  pipeline_.find_flow(port, packet, seen, sight);
  if (sight.flow == 0 || sight.form == Form::as_client) return as_it_is;
  const ClientView view(packet, sight);
  return static_cast<Mask>(as_it_is | accepting(among, packet, sight));
}

// ---- the worker's calls -----------------------------------------------------------------------------------------

void TapPoint::process(PortIndex port, std::span<Packet> burst, Instant now, const Snapshot& snapshot) noexcept {
  now_ = now;
  snapshot_ = &snapshot;
  world_.look_on(this);
  const Mask following = all(false);
  std::size_t first = 0;  // of the crowd
  for (std::size_t i = 0; following != 0 && i < burst.size(); ++i) {
    Sight sight;
    const Mask mask = wanted(following, port, burst[i], Seen::received, sight);
    if (mask == 0) continue;
    crowd(port, burst.subspan(first, i - first));
    single(port, burst[i], mask, sight);
    first = i + 1;
  }
  crowd(port, burst.subspan(first));
  world_.look_on(nullptr);
}

void TapPoint::advance(Instant now, const Snapshot& snapshot) noexcept {
  now_ = now;
  snapshot_ = &snapshot;
  mode_ = Mode::time;
  world_.look_on(this);
  pipeline_.advance(now, snapshot);
  world_.look_on(nullptr);
}

void TapPoint::crowd(PortIndex port, std::span<Packet> packets) noexcept {
  if (packets.empty()) return;
  mode_ = Mode::crowd;
  pipeline_.process(port, packets, now_, *snapshot_);
}

void TapPoint::single(PortIndex port, Packet& packet, Mask mask, Sight& sight) noexcept {
  mode_ = Mode::single;
  sight.flow = 0;  // the crowd before it may have opened it, or ended it
  pipeline_.find_flow(port, packet, Seen::received, sight);
  story_.begin(now_, worker_, true, sight);
  story_.add_frame(port, packet, Seen::received, sight, snap_bytes_);
  if (sight.flow != 0) story_.set_flow(sight, pipeline_.record(sight.flow));
  const Drops before = drops();
  const std::uint64_t held = pipeline_.counters().held.get();
  pipeline_.process(port, {&packet, 1}, now_, *snapshot_);
  const std::uint64_t held_now = pipeline_.counters().held.get();
  story_.head().held = static_cast<std::uint32_t>(held_now > held ? held_now - held : 0);
  tell_ends(before);
  tell_flow(port, sight);
  put(story_, mask);
}

// As it stands now. The packet is gone, and with it what an ICMP error quotes: that opens no flow and ends none.
void TapPoint::tell_flow(PortIndex port, Sight& sight) noexcept {
  if (sight.parsed.kind == PacketKind::icmp_error) return;
  sight.flow = 0;
  pipeline_.find_flow(port, Packet{}, Seen::received, sight);
  if (sight.flow != 0) story_.set_flow(sight, pipeline_.record(sight.flow));
}

TapPoint::Drops TapPoint::drops() const noexcept {
  Drops counts;
  for (std::size_t i = 0; i < drop_count; ++i) counts[i] = pipeline_.counters().drops[i].get();
  return counts;
}

void TapPoint::tell_ends(const Drops& before) noexcept {
  const Drops after = drops();
  for (std::size_t i = 0; i < drop_count; ++i) {
    if (after[i] != before[i]) story_.add_end(static_cast<Drop>(i), after[i] - before[i]);
  }
}

void TapPoint::put(const Story& story, Mask mask) noexcept {
  for (std::size_t i = 0; i < taps_; ++i) {
    if ((mask >> i & 1U) != 0) story.put_into(*tap_[i]);
  }
}

// ---- what the World tells meanwhile -----------------------------------------------------------------------------

void TapPoint::tell_aside(Mask among, PortIndex port, const Packet& packet, Seen seen, const Drop* why) noexcept {
  if (among == 0 || port == no_port) return;
  Sight sight;
  const Mask mask = wanted(among, port, packet, seen, sight);
  if (mask == 0) return;
  if (sight.flow == 0) pipeline_.find_flow(port, packet, seen, sight);
  aside_.begin(now_, worker_, false, sight);
  aside_.add_frame(port, packet, seen, sight, snap_bytes_);
  if (sight.flow != 0) aside_.set_flow(sight, pipeline_.record(sight.flow));
  if (why != nullptr) aside_.add_end(*why, packet.weight);
  put(aside_, mask);
}

void TapPoint::sent(PortIndex port, std::span<const Packet> packets) noexcept {
  for (const Packet& packet : packets) {
    if (mode_ == Mode::time) {
      tell_aside(all(false), port, packet, Seen::sent, nullptr);
    } else if (mode_ == Mode::single) {
      story_.add_frame(port, packet, Seen::sent, pipeline_.look_at(port, packet, Seen::sent, *snapshot_), snap_bytes_);
    }
  }
}

void TapPoint::refused(PortIndex port, std::span<const Packet> packets) noexcept {
  constexpr Drop full = Drop::transmit_queue_full;
  if (mode_ == Mode::single) story_.forget_last_frames(packets.size());
  const Mask interested = static_cast<Mask>(all(true) | (mode_ == Mode::time ? all(false) : 0));
  for (const Packet& packet : packets) tell_aside(interested, port, packet, Seen::sent, &full);
}

void TapPoint::released(std::span<const Packet> packets) noexcept {
  const Mask interested = static_cast<Mask>(all(true) | (mode_ == Mode::time ? all(false) : 0));
  if (interested == 0) return;
  for (const Packet& packet : packets) {
    if (packet.ended_by == Packet::no_end) continue;
    const auto why = static_cast<Drop>(packet.ended_by);
    tell_aside(interested, packet.port, packet, Seen::ended, &why);
  }
}

void TapPoint::went_to_kernel(PortIndex, const Packet&) noexcept {
  if (mode_ == Mode::single) story_.head().to_kernel = true;
}

void TapPoint::handed_over(std::uint32_t worker, std::span<const Packet>) noexcept {
  if (mode_ == Mode::single) story_.head().handed_to = worker;
}

}  // namespace sallyport::dataplane
