#include "src/readiness.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>

#include "src/health_check.h"

namespace sallyport {
namespace {

constexpr auto period = std::chrono::milliseconds(100);

std::string_view families(bool v4, bool v6) {
  if (v4) return v6 ? "of IPv4 and IPv6" : "of IPv4";
  return "of IPv6";
}

}  // namespace

Readiness::Readiness(dataplane::Gateway& gateway, const Reloader& reloader, const config::HaConfig& ha, Log& log)
    : gateway_(gateway), reloader_(reloader), ha_(ha), log_(log) {
  if (ha.next_hop.empty()) return;
  thread_ = std::thread([this] { watch(); });
  ::pthread_setname_np(thread_.native_handle(), "sp-ready");
}

void Readiness::stop() {
  if (!thread_.joinable()) return;
  ended_.store(true, std::memory_order_release);
  thread_.join();
  gateway_.offer_next_hop(false, false);
}

void Readiness::watch() {
  while (!ended_.load(std::memory_order_acquire)) {
    look();
    std::this_thread::sleep_for(period);
  }
}

void Readiness::look() {
  const std::vector<std::string> found = problems(health_of(gateway_, *reloader_.live()));
  const dataplane::StandingStatus standing = gateway_.standing();
  const bool takes = takes_senders({standing.active, found.empty(), standing.draining, !ha_.drain_to.empty(),
                                    standing.draining ? gateway_.counters().flows_live : 0});
  const dataplane::RoutingStatus routing = gateway_.routing();
  const bool v4 = takes && routing.leads_out_v4;
  const bool v6 = takes && routing.leads_out_v6;
  gateway_.offer_next_hop(v4, v6);
  if (v4 == v4_ && v6 == v6_) return;
  tell(v4, v6);
  if (!found.empty()) log_.warning(fmt::format("this gateway cannot forward: {}", fmt::join(found, "; ")));
}

void Readiness::tell(bool v4, bool v6) {
  v4_ = v4;
  v6_ = v6;
  if (v4 || v6) {
    log_.info(fmt::format("the senders' next hop {} is offered", families(v4, v6)));
  } else {
    log_.info("the senders' next hop is taken back");
  }
}

}  // namespace sallyport
