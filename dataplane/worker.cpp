#include "dataplane/worker.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include <sys/prctl.h>
#include <x86intrin.h>

#include "dataplane/snapshot.h"

namespace sallyport::dataplane {
namespace {

constexpr std::uint32_t turns_to_spin = 512;  // some 20 microseconds: a conversation's next packet is often that near
constexpr long nap_first_ns = 5'000;
constexpr long nap_longest_ns = 50'000;  // a device's queue of 1024 holds what comes in at 20 Mpps meanwhile
constexpr std::uint32_t turns_a_nap_length = 64;
constexpr std::uint32_t naps_to_wait = 16;            // then it waits to be woken, where there is who wakes it
constexpr std::chrono::milliseconds wait_longest(4);  // timers come up meanwhile
constexpr std::uint32_t full_turns_max = 32;          // of 32 packets: what a device's queue of 1024 holds

// Nanoseconds since the epoch, as the wall showed them when the program began, plus what a steady clock counted since:
// never runs back, whatever happens to the wall clock.
Instant read_clock() noexcept {
  const auto nanoseconds = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
  };
  static const std::uint64_t wall_minus_steady = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_MONOTONIC);
  return wall_minus_steady + nanoseconds(CLOCK_MONOTONIC);
}

}  // namespace

Worker::Worker(WorkerSettings settings, DeviceWorld& world, Pipeline& pipeline, Quiescence& quiescence,
               Mailbox& mailbox)
    : settings_(std::move(settings)),
      world_(world),
      pipeline_(pipeline),
      quiescence_(quiescence),
      mailbox_(mailbox),
      taps_(settings_.number, world, pipeline) {}

void Worker::run() noexcept {
  ::prctl(PR_SET_TIMERSLACK, 1'000UL);  // a nap of 5 microseconds is not one of 55
  quiescence_.online(settings_.number);
  cycles_ = __rdtsc();
  while (end_.load(std::memory_order_acquire) == End::not_yet) {
    const bool busy = turn();
    counters_.turns.add();
    quiescence_.quiescent(settings_.number);
    rest(busy);
  }
  while (end_.load(std::memory_order_acquire) == End::halted) {
    pipeline_.advance(read_clock(), quiescence_.current());  // whoever reads the tables may ask the policy of today
    (void)mailbox_.serve();
    counters_.turns.add();
    quiescence_.quiescent(settings_.number);
    rest(false);
  }
  if (end_.load(std::memory_order_acquire) == End::gracefully) {
    world_.wait_for_records();
    pipeline_.finish(read_clock(), quiescence_.current());
  }
  quiescence_.offline(settings_.number);
  mailbox_.close();
}

bool Worker::turn() noexcept {
  const Instant now = read_clock();
  const bool late = settings_.fence_after_ns != 0 && fence_if_late(now);
  const Snapshot& snapshot = quiescence_.current();
  Came most = Came::nothing;
  for (std::size_t port = 0; port < settings_.roles.size(); ++port) {
    most = std::max(most, receive(static_cast<PortIndex>(port), now, snapshot));
  }
  if (settings_.workers > 1) most = std::max(most, take_handed_over(now, snapshot));
  watch_queues(most);
  bool busy = most != Came::nothing;
  // Whoever was fenced says nothing on any wire: not even that it is the master still, for VRRP's sake. Nor does
  // anybody say what was to be said before a stop, or as if there had been none: that the egress addresses are here.
  busy |= world_.send_from_kernel(late || (settings_.standing != nullptr && settings_.standing->fenced()));
  advance(now, snapshot);
  busy |= mailbox_.serve();
  return busy;
}

bool Worker::fence_if_late(Instant now) noexcept {
  const bool late = last_turn_ != 0 && now - last_turn_ > settings_.fence_after_ns;
  last_turn_ = now;
  if (late && settings_.standing->fence()) settings_.fenced->signal();
  return late;
}

// Whoever gets as much as a turn takes, turn after turn, leaves more behind.
void Worker::watch_queues(Came most) noexcept {
  full_turns_ = most == Came::as_much_as_fits ? std::min(full_turns_ + 1, full_turns_max) : 0;
  pipeline_.set_strained(full_turns_ == full_turns_max);
}

Worker::Came Worker::receive(PortIndex port, Instant now, const Snapshot& snapshot) noexcept {
  Came most = Came::nothing;
  for (const std::uint16_t queue : world_.receive_queues(port)) {
    std::array<Packet, DeviceWorld::receive_burst> burst;
    world_.begin_stages();
    std::size_t count = world_.receive(port, queue, burst);
    if (count == 0) continue;
    most = std::max(most, count == burst.size() ? Came::as_much_as_fits : Came::some);
    if (settings_.workers > 1) {
      if (settings_.steered[port]) check_steering(port, std::span(burst).first(count));
      count = sort_out(port, std::span(burst).first(count), snapshot);
    }
    world_.has_passed(Stage::receive);
    if (count != 0) process(port, std::span(burst).first(count), now, snapshot);
  }
  return most;
}

// Packets of several ports, in order; the pipeline takes those of one port at a time.
Worker::Came Worker::take_handed_over(Instant now, const Snapshot& snapshot) noexcept {
  std::array<Packet, DeviceWorld::burst_max> burst;
  world_.begin_stages();
  const std::size_t count = world_.receive_handed_over(burst);
  if (count != 0) world_.has_passed(Stage::receive);
  for (std::size_t first = 0; first < count;) {
    const PortIndex port = burst[first].port;
    std::size_t end = first + 1;
    while (end < count && burst[end].port == port) ++end;
    process(port, std::span(burst).subspan(first, end - first), now, snapshot);
    first = end;
  }
  if (count == 0) return Came::nothing;
  return count == burst.size() ? Came::as_much_as_fits : Came::some;
}

void Worker::process(PortIndex port, std::span<Packet> packets, Instant now, const Snapshot& snapshot) noexcept {
  if (taps_.idle()) [[likely]] {
    pipeline_.process(port, packets, now, snapshot);
  } else {
    taps_.process(port, packets, now, snapshot);
  }
}

void Worker::advance(Instant now, const Snapshot& snapshot) noexcept {
  if (taps_.idle()) [[likely]] {
    pipeline_.advance(now, snapshot);
  } else {
    taps_.advance(now, snapshot);
  }
}

void Worker::check_steering(PortIndex port, std::span<const Packet> packets) noexcept {
  SteeringCheck& check = counters_.steering[port];
  if (check.has_seen_enough()) return;
  for (const Packet& packet : packets) {
    check.look(packet, settings_.roles[port], settings_.number, settings_.workers, settings_.piece_ports);
  }
}

std::size_t Worker::sort_out(PortIndex port, std::span<Packet> packets, const Snapshot& snapshot) noexcept {
  std::array<std::uint32_t, DeviceWorld::receive_burst> owners;
  for (std::size_t i = 0; i < packets.size(); ++i) owners[i] = owner_of(packets[i], port, snapshot);

  const auto take = [&](std::uint32_t owner, std::span<Packet> into) {
    std::size_t taken = 0;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (owners[i] == owner) into[taken++] = packets[i];
    }
    return taken;
  };
  // One ring operation for each owner that the burst has.
  std::array<Packet, DeviceWorld::receive_burst> others;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const std::uint32_t owner = owners[i];
    const bool seen = std::find(owners.begin(), owners.begin() + static_cast<std::ptrdiff_t>(i), owner) !=
                      owners.begin() + static_cast<std::ptrdiff_t>(i);
    if (owner == settings_.number || seen) continue;
    (void)world_.hand_over(owner, std::span(others).first(take(owner, others)));
  }
  return take(settings_.number, packets);
}

std::uint32_t Worker::owner_of(const Packet& packet, PortIndex port, const Snapshot& snapshot) const noexcept {
  return Pipeline::owner(packet, settings_.roles[port], settings_.workers, settings_.number, snapshot,
                         settings_.piece_ports);
}

void Worker::rest(bool busy) noexcept {
  idle_turns_ = busy ? 0 : idle_turns_ + 1;
  if (!busy) __builtin_ia32_pause();
  if (idle_turns_ > turns_to_spin && settings_.idle == config::IdleMode::adaptive) {
    quiescence_.offline(settings_.number);
    sleep(idle_turns_ - turns_to_spin);
    quiescence_.online(settings_.number);
  }
  count_cycles(busy);
}

void Worker::sleep(std::uint32_t naps) noexcept {
  const bool moves = end_.load(std::memory_order_acquire) == End::not_yet;  // else what comes is left where it is
  if (naps > naps_to_wait && moves && world_.can_wait()) {
    world_.wait(wait_longest);
    return;
  }
  const timespec nap{0, std::min(nap_longest_ns, nap_first_ns * (1 + static_cast<long>(naps / turns_a_nap_length)))};
  ::nanosleep(&nap, nullptr);
}

void Worker::count_cycles(bool busy) noexcept {
  const std::uint64_t now = __rdtsc();
  (busy ? counters_.busy_cycles : counters_.idle_cycles).add(now - cycles_);
  cycles_ = now;
}

}  // namespace sallyport::dataplane
