#include "src/turn.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "src/health_check.h"

namespace sallyport {
namespace {

using Json = nlohmann::ordered_json;

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

End Turn::drain() {
  const dataplane::StandingStatus before = gateway_.standing();
  if (!before.active) return {ExitCode::no, "this gateway stands by: no new flow comes to it"};
  gateway_.drain();
  const std::string text =
      fmt::format("draining: {} flows go on, new ones are to go elsewhere", gateway_.counters().flows_live);
  if (!before.draining) log_.info(text);
  told_();
  return {ExitCode::done, text};
}

End Turn::status(AnswerLines& lines) const {
  const std::shared_ptr<const LivePolicy> live = reloader_.live();
  const std::vector<std::string> found = problems(health_of(gateway_, *live));
  const dataplane::StandingStatus standing = gateway_.standing();
  const std::uint64_t flows = gateway_.counters().flows_live;
  const Json answer = {{"state", standing.active ? "active" : "standby"},
                       {"draining", standing.draining},
                       {"flows", flows},
                       {"healthy", found.empty()},
                       {"problems", found},
                       {"policy_generation", live->generation},
                       {"policy_hash", live->policy ? live->policy->hash() : ""},
                       {"replication", replication_json(replication_())}};
  lines.send(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!found.empty()) return {ExitCode::no, fmt::format("this gateway cannot forward: {}", fmt::join(found, "; "))};
  if (standing.draining) return {ExitCode::no, fmt::format("this gateway drains: {} flows are left", flows)};
  return {};
}

}  // namespace sallyport
