#include "src/health_check.h"

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace sallyport {
namespace {

using namespace std::chrono_literals;

// A worker turns every 50 microseconds at least; one that shares its processor may have to wait for it.
constexpr auto patience = 500ms;

std::vector<std::uint64_t> heartbeats(const dataplane::Gateway& gateway) {
  std::vector<std::uint64_t> beats;
  for (unsigned i = 0; i < gateway.workers(); ++i) beats.push_back(gateway.worker(i).heartbeat);
  return beats;
}

// Answers as soon as all have turned.
std::vector<unsigned> standing_workers(const dataplane::Gateway& gateway) {
  const std::vector<std::uint64_t> before = heartbeats(gateway);
  const auto end = std::chrono::steady_clock::now() + patience;
  std::vector<unsigned> standing;
  do {
    std::this_thread::sleep_for(1ms);
    const std::vector<std::uint64_t> now = heartbeats(gateway);
    standing.clear();
    for (unsigned i = 0; i < now.size(); ++i) {
      if (now[i] == before[i]) standing.push_back(i);
    }
  } while (!standing.empty() && std::chrono::steady_clock::now() < end);
  return standing;
}

}  // namespace

Health health_of(const dataplane::Gateway& gateway, const LivePolicy& live) {
  Health health;
  health.policy_loaded = live.policy != nullptr;
  health.fenced = gateway.standing().fenced;
  health.standing_workers = standing_workers(gateway);
  for (const dataplane::PortStatus& port : gateway.ports()) {
    if (!port.link_up) health.dark_ports.push_back(port.name);
  }
  return health;
}

}  // namespace sallyport
