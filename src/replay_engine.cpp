#include "src/replay_engine.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

namespace sallyport {
namespace {

using dataplane::Drop;
using dataplane::Instant;
using dataplane::Packet;

constexpr Instant millisecond = 1'000'000;
constexpr Instant second = 1'000 * millisecond;
constexpr Instant minute = 60 * second;

// Steps through a gap: fine while short timeouts (a neighbour, fragments, a hello) may come up, coarser while flows may
// end, then at once; but no longer than the pipeline's 32-bit clock of milliseconds can tell apart.
constexpr Instant fine_step = 10 * millisecond;
constexpr Instant coarse_step = second;
constexpr Instant longest_step = Instant{10} * 24 * 60 * minute;

Instant longest_timeout(const dataplane::PipelineSettings& settings, const dataplane::Snapshot& snapshot) {
  const config::Timeouts& timeouts = settings.timeouts;
  const auto longest = std::max({timeouts.tcp_established, timeouts.tcp_transitory, timeouts.udp, timeouts.icmp,
                                 settings.nat.fragment_timeout, snapshot.policy->model().defaults.hello_timeout});
  // Beyond them: what is remembered of ended and denied flows, ports at rest.
  return static_cast<Instant>(std::chrono::nanoseconds(longest).count()) + 10 * minute;
}

}  // namespace

std::uint64_t ReplayTotals::dropped() const noexcept {
  return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

ReplayEngine::ReplayEngine(const dataplane::PipelineSettings& settings, dataplane::Snapshot snapshot,
                           ReplayWorld& world)
    : world_(world),
      snapshot_(std::move(snapshot)),
      pipeline_(settings, world),
      longest_timeout_(longest_timeout(settings, snapshot_)) {}

void ReplayEngine::bring_to(Instant time) {
  if (!started_) {
    started_ = true;
    now_ = advanced_ = time;
  } else if (time <= now_) {
    return;
  } else if (time - advanced_ >= millisecond) {
    step_to(time);
  } else {
    now_ = time;
  }
  world_.set_time(now_);
}

void ReplayEngine::step_to(Instant time) {
  const Instant since = advanced_;
  while (advanced_ < time) {
    const Instant passed = advanced_ - since;
    const Instant step = passed < minute ? fine_step : passed < longest_timeout_ ? coarse_step : longest_step;
    advanced_ = now_ = time - advanced_ > step ? advanced_ + step : time;
    world_.set_time(now_);
    pipeline_.advance(now_, snapshot_);
  }
}

bool ReplayEngine::take_buffer(Packet& packet) noexcept {
  if (world_.take_buffer(packet)) return true;
  count_dropped(1, Drop::buffers_exhausted);
  return false;
}

void ReplayEngine::process(dataplane::PortIndex port, Packet packet) noexcept {
  packet.port = port;
  pipeline_.process(port, {&packet, 1}, now_, snapshot_);
}

void ReplayEngine::drop(const Packet& packet, Drop why) noexcept {
  count_dropped(packet.weight, why);
  world_.give_back(packet);
}

void ReplayEngine::count_dropped(std::uint64_t count, Drop why) noexcept {
  drops_[static_cast<std::size_t>(why)] += count;
}

void ReplayEngine::finish() { pipeline_.finish(now_, snapshot_); }

ReplayTotals ReplayEngine::totals() const noexcept {
  const dataplane::Counters& counters = pipeline_.counters();
  ReplayTotals totals;
  totals.received = counters.received.get() + std::accumulate(drops_.begin(), drops_.end(), std::uint64_t{0});
  totals.transmitted = counters.transmitted.get();
  totals.originated = counters.originated.get();
  totals.held = counters.held.get();
  for (std::size_t i = 0; i < drops_.size(); ++i) totals.drops[i] = counters.drops[i].get() + drops_[i];
  totals.flows = counters.flows_opened.get();
  totals.flows_allowed = counters.flows_allowed.get();
  totals.flows_denied = counters.flows_denied.get();
  totals.names_seen = counters.names_seen.get();
  for (std::size_t i = 0; i < totals.denied_by_reason.size(); ++i) {
    totals.denied_by_reason[i] = counters.denied_by_reason[i].get();
  }
  return totals;
}

}  // namespace sallyport
