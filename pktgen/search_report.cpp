#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pktgen/latency_report.h"
#include "pktgen/search.h"

namespace sallyport::pktgen {
namespace {

using Json = nlohmann::ordered_json;

double gbps(const Trial& trial) {
  const Report& report = trial.report;
  return report.seconds > 0 ? static_cast<double>(report.sent.bytes) * 8 / report.seconds / 1e9 : 0;
}

std::string trial_text(const Trial& trial) {
  const Latency& latency = trial.report.latency;
  std::string text = fmt::format("{:>11.6f} Mpps  {:>10.6f} Gbit/s  {:>9.5f} % lost", trial.rate() / 1e6, gbps(trial),
                                 trial.loss_percent());
  if (latency.count() != 0) {
    text += fmt::format("  p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, max {:.1f} us",
                        microseconds(latency.percentile(0.5)), microseconds(latency.percentile(0.99)),
                        microseconds(latency.percentile(0.999)), microseconds(latency.largest()));
  }
  return text + '\n';
}

Json trial_json(const Trial& trial) {
  return {{"asked_pps", trial.asked},
          {"rate_pps", trial.rate()},
          {"gbps", gbps(trial)},
          {"sent", trial.report.sent.packets},
          {"received", trial.report.received.packets},
          {"repeated", trial.report.repeated},
          {"foreign", trial.report.foreign},
          {"missed", trial.report.missed},
          {"lost_percent", trial.loss_percent()},
          {"latency_us", latency_json(trial.report.latency)}};
}

std::string none_text(const SearchReport& report) {
  const bool nothing =
      std::all_of(report.trials.begin(), report.trials.end(), [](const Trial& trial) { return trial.sent_nothing(); });
  return nothing ? "none: no trial sent anything\n" : "none: even the slowest trial lost more\n";
}

const char* bound_name(BoundedBy bound) {
  if (bound == BoundedBy::loss) return "loss";
  return bound == BoundedBy::rate ? "rate" : "generator";
}

// A line for each limit. A rate that no faster trial has failed at is one that the gateway can do at least.
std::string result_text(const SearchReport& report, double loss) {
  if (!report.finished(loss)) return "interrupted, not found\n";
  const Trial* best = best_trial(report.trials, loss);
  if (best == nullptr) return none_text(report);
  const BoundedBy bound = bounded_by(report.trials, loss, *best, report.bounds);
  if (bound == BoundedBy::loss) return "   " + trial_text(*best);
  return " >=" + trial_text(*best) +
         fmt::format("{:<15}bounded by {}\n", "",
                     bound == BoundedBy::rate ? "--rate: a higher one may pass, too"
                                              : "the generator: nothing faster could be sent");
}

Json result_json(const SearchReport& report, double loss) {
  const Trial* best = best_trial(report.trials, loss);
  if (best == nullptr || !report.finished(loss))
    return {{"loss_percent", loss}, {"bounded_by", Json()}, {"trial", Json()}};
  return {{"loss_percent", loss},
          {"bounded_by", bound_name(bounded_by(report.trials, loss, *best, report.bounds))},
          {"trial", trial_json(*best)}};
}

}  // namespace

std::string to_text(const SearchReport& report) {
  std::string text = fmt::format("search over {}, {:g} s a trial", report.traffic, report.trial_seconds);
  if (!report.order.empty()) text += fmt::format(", flows in {} order", report.order);
  text += fmt::format("\n\n{} trials\n", report.trials.size());
  for (const Trial& trial : report.trials) text += trial_text(trial);
  text += '\n';
  for (const double loss : report.losses) {
    text += fmt::format("{:<12}{}", loss == 0 ? "NDR" : fmt::format("PDR {:g} %", loss), result_text(report, loss));
  }
  return text;
}

std::string to_json(const SearchReport& report) {
  Json object = {{"mode", "search"},
                 {"traffic", report.traffic},
                 {"trial_seconds", report.trial_seconds},
                 {"interrupted", report.interrupted}};
  if (!report.order.empty()) object["order"] = report.order;
  object["results"] = Json::array();
  for (const double loss : report.losses) object["results"].push_back(result_json(report, loss));
  object["trials"] = Json::array();
  for (const Trial& trial : report.trials) object["trials"].push_back(trial_json(trial));
  return object.dump(2);
}

}  // namespace sallyport::pktgen
