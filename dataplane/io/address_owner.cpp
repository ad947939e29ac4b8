#include "dataplane/io/address_owner.h"

#include <algorithm>
#include <utility>

#include <poll.h>
#include <pthread.h>

namespace sallyport::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::chrono::milliseconds, 3> repeat_after = {1s, 5s, 10s};

}  // namespace

AddressOwner::AddressOwner(Standing::State first, const std::vector<IpAddress>& others, Places places, Log log)
    : standing_(first, others), log_(std::move(log)), places_(std::move(places)), repeats_(repeat_after.size()) {
  thread_ = std::thread([this] { serve(); });
  ::pthread_setname_np(thread_.native_handle(), "sp-announce");
}

AddressOwner::~AddressOwner() {
  ended_.store(true, std::memory_order_release);
  wake_.signal();
  thread_.join();
}

void AddressOwner::set(std::vector<AddressRange> ranges) {
  const std::lock_guard lock(mutex_);
  wanted_ = std::move(ranges);
  if (standing_.state() == Standing::State::active) answer();
}

void AddressOwner::activate() {
  const std::lock_guard lock(mutex_);
  standing_.become(Standing::State::active);
  answer();
}

void AddressOwner::stand_by() {
  const std::lock_guard lock(mutex_);
  standing_.become(Standing::State::leaving);
  disown();
  standing_.become(Standing::State::standby);
}

void AddressOwner::drain() {
  const std::lock_guard lock(mutex_);
  if (standing_.state() == Standing::State::active) standing_.drain();
}

void AddressOwner::offer_next_hop(bool v4, bool v6) {
  const std::lock_guard lock(mutex_);
  const bool active = standing_.state() == Standing::State::active;
  places_.next_hop.offer(active && v4, active && v6, netlink_, log_);
}

void AddressOwner::answer() {
  bool announced = false;
  for (EgressAddresses& twin : places_.answers) announced = twin.set(wanted_, netlink_, log_) || announced;
  for (EgressRoutes& twin : places_.routes) twin.set(wanted_, netlink_, log_);
  if (!announced) return;
  announced_ = Clock::now();
  repeats_ = 0;
  wake_.signal();
}

void AddressOwner::disown() {
  places_.next_hop.offer(false, false, netlink_, log_);
  for (EgressRoutes& twin : places_.routes) twin.set({}, netlink_, log_);
  for (EgressAddresses& twin : places_.answers) (void)twin.set({}, netlink_, log_);
  repeats_ = repeat_after.size();
}

int AddressOwner::wait_ms() const {
  const std::lock_guard lock(mutex_);
  if (repeats_ == repeat_after.size()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(announced_ + repeat_after[repeats_] - Clock::now());
  return static_cast<int>(std::max(left, 0ms).count());
}

void AddressOwner::announce_if_due() {
  const std::lock_guard lock(mutex_);
  if (repeats_ == repeat_after.size() || Clock::now() < announced_ + repeat_after[repeats_]) return;
  ++repeats_;
  if (standing_.state() != Standing::State::active) return;
  for (const EgressAddresses& twin : places_.answers) twin.announce();
}

void AddressOwner::serve() noexcept {
  pollfd waiting{wake_.file_descriptor(), POLLIN, 0};
  while (!ended_.load(std::memory_order_acquire)) {
    ::poll(&waiting, 1, wait_ms());
    wake_.clear();
    if (standing_.fenced() && standing_.state() == Standing::State::leaving) {
      const std::lock_guard lock(mutex_);
      if (!standing_.fenced()) continue;  // told otherwise meanwhile
      disown();
      standing_.settle();
      log_(Severity::error,
           "a worker was stopped for longer than [ha] fence_after, so another gateway may have taken over: this one "
           "stands by, and says so to `sallyport ha status`, until `sallyport ha` tells it what to be");
    }
    announce_if_due();
  }
}

}  // namespace sallyport::dataplane
