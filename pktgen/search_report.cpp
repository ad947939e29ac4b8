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
  std::string text = fmt::format("{:>10.4f} Mpps  {:>8.3f} Gbit/s  {:>9.5f} % lost", trial.rate() / 1e6, gbps(trial),
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
          {"missed", trial.report.missed},
          {"lost_percent", trial.loss_percent()},
          {"latency_us", latency_json(trial.report.latency)}};
}

}  // namespace

std::string to_text(const SearchReport& report) {
  std::string text = fmt::format("search over {}, {:g} s a trial", report.traffic, report.trial_seconds);
  if (!report.order.empty()) text += fmt::format(", flows in {} order", report.order);
  text += fmt::format("\n\n{} trials\n", report.trials.size());
  for (const Trial& trial : report.trials) text += trial_text(trial);
  text += '\n';
  for (const double loss : report.losses) {
    const Trial* best = best_trial(report.trials, loss);
    const std::string name = loss == 0 ? "NDR" : fmt::format("PDR {:g} %", loss);
    text +=
        fmt::format("{:<12}{}", name, best == nullptr ? "none: even the slowest trial lost more\n" : trial_text(*best));
  }
  return text;
}

std::string to_json(const SearchReport& report) {
  Json object = {{"mode", "search"}, {"traffic", report.traffic}, {"trial_seconds", report.trial_seconds}};
  if (!report.order.empty()) object["order"] = report.order;
  object["results"] = Json::array();
  for (const double loss : report.losses) {
    const Trial* best = best_trial(report.trials, loss);
    object["results"].push_back({{"loss_percent", loss}, {"trial", best == nullptr ? Json() : trial_json(*best)}});
  }
  object["trials"] = Json::array();
  for (const Trial& trial : report.trials) object["trials"].push_back(trial_json(trial));
  return object.dump(2);
}

}  // namespace sallyport::pktgen
