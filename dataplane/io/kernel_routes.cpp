#include "dataplane/io/kernel_routes.h"

#include <algorithm>
#include <array>

#include <poll.h>
#include <pthread.h>

#include "dataplane/io/environment_error.h"
#include "dataplane/io/routing_reader.h"

namespace sallyport::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t requests_a_worker = 1024;
constexpr auto burst_wait = 2ms;   // announcements come in groups
constexpr auto look_anyway = 10s;  // the kernel does not announce every neighbour that goes stale
constexpr auto ask_again = 1s;     // the kernel does so, too, as long as it remembers
constexpr auto packets_wait = 3s;  // NeighbourQueue::timeout_ms
constexpr std::size_t wanted_max = 4096;

}  // namespace

struct KernelRoutes::Seen {
  RoutingParts parts;
  std::vector<KernelNeighbour> stale;
};

KernelRoutes::KernelRoutes(std::vector<unsigned> twins, std::uint32_t workers, Log log)
    : twins_(std::move(twins)), log_(std::move(log)), seen_(std::make_unique<Seen>()) {
  for (std::uint32_t i = 0; i < workers; ++i)
    requests_.push_back(std::make_unique<NeighbourRequests>(requests_a_worker));
}

KernelRoutes::~KernelRoutes() {
  if (!thread_.joinable()) return;
  ended_.store(true, std::memory_order_release);
  wake_.signal();
  thread_.join();
}

std::shared_ptr<const Routing> KernelRoutes::first() {
  refresh({true, true});
  return make();
}

void KernelRoutes::start(Publish publish) {
  publish_ = std::move(publish);
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "sp-routes");
}

KernelRoutes::Counts KernelRoutes::counts() const {
  const std::lock_guard lock(counts_mutex_);
  return counts_;
}

void KernelRoutes::refresh(KernelChanges::Kinds kinds) {
  if (kinds.routes) {
    seen_->parts.routes = route_entries(netlink_.routes(), twins_);
    seen_->parts.locals = local_addresses(netlink_.addresses(), twins_);
  }
  if (kinds.neighbours) {
    const std::vector<KernelNeighbour> neighbours = netlink_.neighbours();
    seen_->parts.neighbours = neighbour_entries(neighbours, twins_);
    for (const NeighbourEntry& found : seen_->parts.neighbours) wanted_.erase({found.port, found.address});
    seen_->stale.clear();
    for (const KernelNeighbour& neighbour : neighbours) {
      const bool ours = std::find(twins_.begin(), twins_.end(), neighbour.interface) != twins_.end();
      if (ours && neighbour.stale) seen_->stale.push_back(neighbour);
    }
  }
}

std::shared_ptr<const Routing> KernelRoutes::make() {
  const RoutingParts& parts = seen_->parts;
  const std::lock_guard lock(counts_mutex_);
  counts_ = {counts_.generation + 1, parts.routes.size(), parts.neighbours.size(), parts.locals.size()};
  return std::make_shared<const Routing>(parts.routes, parts.neighbours, parts.locals, counts_.generation);
}

void KernelRoutes::run() noexcept {
  next_look_ = Clock::now() + look_anyway;
  pause_ = burst_wait;
  while (!ended_.load(std::memory_order_acquire)) {
    wait();
    try {
      take_requests();
      ask_for_wanted();
      KernelChanges::Kinds kinds = take_burst();
      const auto began = Clock::now();
      if (began >= next_look_) kinds.neighbours = true;
      if (!kinds.any()) continue;
      next_look_ = began + look_anyway;
      const RoutingParts before = seen_->parts;
      refresh(kinds);
      if (!(seen_->parts == before)) publish_(make());
      if (kinds.neighbours) verify_stale();
      // Large tables take longer to read than announcements to come: never more than half of the time.
      pause_ = std::max<Clock::duration>(burst_wait, Clock::now() - began);
    } catch (const std::exception& error) {
      log_(Severity::error, std::string("routes and neighbours: ") + error.what());
    }
  }
}

void KernelRoutes::wait() noexcept {
  const auto until = wanted_.empty() ? next_look_ : std::min(next_look_, Clock::now() + Clock::duration(ask_again));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  std::array<pollfd, 2> waiting = {{{changes_.file_descriptor(), POLLIN, 0}, {wake_.file_descriptor(), POLLIN, 0}}};
  ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<long>(left, 0)));
  wake_.clear();
}

KernelChanges::Kinds KernelRoutes::take_burst() {
  const KernelChanges::Kinds first = changes_.take();
  if (!first.any()) return first;
  std::this_thread::sleep_for(pause_);
  const KernelChanges::Kinds more = changes_.take();
  return {first.routes || more.routes, first.neighbours || more.neighbours};
}

void KernelRoutes::take_requests() {
  std::array<NeighbourRequest, 64> batch;
  const auto until = Clock::now() + packets_wait;
  for (const auto& ring : requests_) {
    while (const std::size_t count = ring->pop(batch)) {
      for (std::size_t i = 0; i < count && wanted_.size() < wanted_max; ++i) {
        wanted_[{batch[i].port, batch[i].address}].until = until;
      }
    }
  }
}

void KernelRoutes::ask_for_wanted() {
  const auto now = Clock::now();
  std::erase_if(wanted_, [&](const auto& wanted) { return wanted.second.until < now; });
  for (auto& [place, wanted] : wanted_) {
    if (wanted.ask_next > now) continue;
    wanted.ask_next = now + ask_again;
    ask(twins_[place.first], place.second);
  }
}

void KernelRoutes::verify_stale() {
  for (const KernelNeighbour& neighbour : seen_->stale) ask(neighbour.interface, neighbour.address);
}

void KernelRoutes::ask(unsigned interface, const IpAddress& address) noexcept {
  try {
    netlink_.ask_neighbour(interface, address);
  } catch (const EnvironmentError&) {
    // The twin is down, or the neighbour table is full: the packet's wait ends as neighbour_unresolved.
  }
}

}  // namespace sallyport::dataplane
