#include "pktgen/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pktgen/latency_report.h"
#include "pktgen/tally_report.h"

namespace sallyport::pktgen {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string to_text(const Report& report) {
  std::string text = fmt::format("{}, {:.2f} s", report.mode, report.seconds);
  if (!report.order.empty()) text += fmt::format(", flows in {} order", report.order);
  text +=
      '\n' + tally_text("sent", report.sent, report.seconds) + tally_text("received", report.received, report.seconds);
  text += lost_text(report.lost(), report.loss_percent());
  if (report.missed != 0)
    text += fmt::format("{:<10}{:>14} packets  by the generator itself\n", "missed", report.missed);
  if (report.skipped != 0)
    text += fmt::format("{:<10}{:>14} frames   over the MTU, or no packets\n", "skipped", report.skipped);
  return text + latency_text("latency", report.latency);
}

std::string to_json(const Report& report) {
  Json object = {{"mode", report.mode},
                 {"seconds", report.seconds},
                 {"sent", report.sent.packets},
                 {"received", report.received.packets},
                 {"lost", report.lost()},
                 {"lost_percent", report.loss_percent()},
                 {"missed", report.missed},
                 {"skipped", report.skipped},
                 {"sent_mpps", mpps(report.sent, report.seconds)},
                 {"received_mpps", mpps(report.received, report.seconds)},
                 {"sent_gbps", gbps(report.sent, report.seconds)},
                 {"received_gbps", gbps(report.received, report.seconds)},
                 {"latency_us", latency_json(report.latency)}};
  if (!report.order.empty()) object["order"] = report.order;
  return object.dump(2);
}

}  // namespace sallyport::pktgen
