#include "src/turn.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "src/health.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

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

Json replication_json(const ReplicationStatus& status) {
  if (status.role == ReplicationStatus::Role::off) return nullptr;
  return {{"role", to_string(status.role)},
          {"connected", status.connected},
          {"problem", status.problem},
          {"text", to_text(status)},
          {"connects", status.connects},
          {"flows_sent", status.flows_sent},
          {"ends_sent", status.ends_sent},
          {"flows_received", status.flows_received},
          {"ends_received", status.ends_received},
          {"refused", status.refused},
          {"lost_queued", status.lost_queued},
          {"lost_away", status.lost_away},
          {"whole_ms", status.whole_ms},
          {"lag_ms", status.lag_ms}};
}

}  // namespace

End Turn::activate() {
  const bool before = gateway_.standing().active;
  gateway_.activate();
  const std::string text = "active: this gateway forwards and answers for the egress addresses";
  if (!before) log_.info(text);
  told_();
  return {ExitCode::done, text};
}

End Turn::stand_by() {
  const dataplane::StandingStatus before = gateway_.standing();
  gateway_.stand_by();
  const std::string text = "standby: nothing is forwarded, and nobody here answers for the egress addresses";
  if (before.active || before.fenced) log_.info(text);
  told_();
  return {ExitCode::done, text};
}

End Turn::status(AnswerLines& lines) const {
  const std::shared_ptr<const LivePolicy> live = reloader_.live();
  const std::vector<std::string> found = problems(health_of(gateway_, *live));
  const Json answer = {{"state", gateway_.standing().active ? "active" : "standby"},
                       {"healthy", found.empty()},
                       {"problems", found},
                       {"policy_generation", live->generation},
                       {"policy_hash", live->policy ? live->policy->hash() : ""},
                       {"replication", replication_json(replication_())}};
  lines.send(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (found.empty()) return {};
  return {ExitCode::no, fmt::format("this gateway cannot forward: {}", fmt::join(found, "; "))};
}

}  // namespace sallyport
