#include "pktgen/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pktgen/latency_report.h"
#include "pktgen/tally_report.h"

namespace sallyport::pktgen {
namespace {

using Json = nlohmann::ordered_json;

// Empty where there are none.
std::string count_text(const char* name, std::uint64_t count, const char* what) {
  return count == 0 ? "" : fmt::format("{:<10}{:>14} {}\n", name, count, what);
}

}  // namespace

std::string to_text(const Report& report) {
  std::string text = fmt::format("{}, {:.2f} s", report.mode, report.seconds);
  if (!report.order.empty()) text += fmt::format(", flows in {} order", report.order);
  text +=
      '\n' + tally_text("sent", report.sent, report.seconds) + tally_text("received", report.received, report.seconds);
  text += lost_text(report.lost(), report.loss_percent());
  text += count_text("repeated", report.repeated, "packets  came back more often than they were sent");
  text += count_text("reordered", report.reordered.value_or(0), "packets  came back behind one that was sent later");
  text += count_text("foreign", report.foreign, "packets  not of this run: of others, or a machine's own answers");
  text += count_text("missed", report.missed, "packets  by the generator itself");
  text += count_text("skipped", report.skipped, "frames   over the MTU, or no packets");
  text += count_text("skipped", report.skipped_control, "frames   of ARP, neighbour discovery and the like");
  return text + latency_text("latency", report.latency);
}

std::string to_json(const Report& report) {
  Json object = {{"mode", report.mode},
                 {"seconds", report.seconds},
                 {"sent", report.sent.packets},
                 {"received", report.received.packets},
                 {"lost", report.lost()},
                 {"lost_percent", report.loss_percent()},
                 {"repeated", report.repeated},
                 {"foreign", report.foreign},
                 {"missed", report.missed},
                 {"skipped", report.skipped},
                 {"skipped_control", report.skipped_control},
                 {"sent_mpps", mpps(report.sent, report.seconds)},
                 {"received_mpps", mpps(report.received, report.seconds)},
                 {"sent_gbps", gbps(report.sent, report.seconds)},
                 {"received_gbps", gbps(report.received, report.seconds)},
                 {"latency_us", latency_json(report.latency)}};
  if (report.reordered) object["reordered"] = *report.reordered;
  if (!report.order.empty()) object["order"] = report.order;
  return object.dump(2);
}

}  // namespace sallyport::pktgen
