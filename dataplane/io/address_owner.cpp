#include "dataplane/io/address_owner.h"

#include <algorithm>
#include <string>
#include <utility>

#include <poll.h>
#include <pthread.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::chrono::milliseconds, 3> repeat_after = {1s, 5s, 10s};

}  // namespace

void AddressOwner::Repeats::begin() {
  since_ = Clock::now();
  made_ = 0;
}

void AddressOwner::Repeats::stop() { made_ = repeat_after.size(); }

int AddressOwner::Repeats::wait_ms() const {
  if (made_ >= repeat_after.size()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(since_ + repeat_after[made_] - Clock::now());
  return static_cast<int>(std::max(left, 0ms).count());
}

bool AddressOwner::Repeats::is_due() {
  if (wait_ms() != 0) return false;
  ++made_;
  return true;
}

AddressOwner::AddressOwner(Standing::State first, const std::vector<IpAddress>& others, Places places, Log log)
    : standing_(first, others), log_(std::move(log)), places_(std::move(places)) {
  if (places_.tell_again) tellings_.begin();
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
  announcements_.begin();
  wake_.signal();
}

void AddressOwner::disown() {
  places_.next_hop.offer(false, false, netlink_, log_);
  for (EgressRoutes& twin : places_.routes) twin.set({}, netlink_, log_);
  for (EgressAddresses& twin : places_.answers) (void)twin.set({}, netlink_, log_);
  announcements_.stop();
}

int AddressOwner::wait_ms() const {
  const std::lock_guard lock(mutex_);
  const int announcing = announcements_.wait_ms(), telling = tellings_.wait_ms();
  return announcing < 0 || telling < 0 ? std::max(announcing, telling) : std::min(announcing, telling);
}

void AddressOwner::announce_if_due() {
  const std::lock_guard lock(mutex_);
  if (announcements_.is_due() && standing_.state() == Standing::State::active)
    for (const EgressAddresses& twin : places_.answers) twin.announce();
}

void AddressOwner::tell_if_due() {
  const std::lock_guard lock(mutex_);
  if (!tellings_.is_due()) return;
  try {
    places_.tell_again(netlink_);
  } catch (const EnvironmentError& error) {
    log_(Severity::warning, std::string("a routing daemon may not know of it: ") + error.what());
  }
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
    tell_if_due();
  }
}

}  // namespace sallyport::dataplane
