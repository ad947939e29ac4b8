#include "pktgen/connect_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pktgen/latency_report.h"
#include "pktgen/tally_report.h"

namespace sallyport::pktgen {
namespace {

using Json = nlohmann::ordered_json;

double a_second(std::uint64_t count, double seconds) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }

}  // namespace

std::string to_text(const ConnectReport& report) {
  std::string text = fmt::format("connect, {:.2f} s\n", report.seconds);
  const auto line = [&](const char* name, std::uint64_t count, const std::string& more = "") {
    text += fmt::format("{:<12}{:>12} connections{}\n", name, count, more);
  };
  const auto rate = [&](std::uint64_t count) {
    return fmt::format("  {:>12.0f} a second", a_second(count, report.seconds));
  };
  const std::string asked = report.rate ? fmt::format(" of {:.0f} asked for", *report.rate) : "";
  line("attempted", report.attempted, rate(report.attempted) + asked);
  line("established", report.established, rate(report.established));
  line("answered", report.answered, rate(report.answered));
  line("closed", report.closed);
  line("reset", report.reset, fmt::format("  {} of them when open", report.reset_when_open));
  line(
      "timed out", report.timed_out(),
      fmt::format("  at SYN {}, hello {}, FIN {}", report.timed_out_syn, report.timed_out_hello, report.timed_out_fin));
  line("open", report.open, fmt::format("  {} at once at most", report.open_most));
  if (report.endpoints_exhausted) {
    text += fmt::format("{:<12}all ports of {} addresses were taken at times: more --sources carry more\n", "endpoints",
                        report.sources);
  }
  text += tally_text("sent", report.sent, report.frames_seconds);
  text += tally_text("received", report.received, report.frames_seconds);
  text += lost_text(report.lost(), report.loss_percent(), " of those that want an answer: SYN, hello, FIN");
  if (report.overrun + report.missed != 0) {
    text += fmt::format("{:<12}{:>12} frames      by the generator itself\n", "missed", report.overrun + report.missed);
  }
  return text + latency_text("handshake", report.handshake, "no SYN was answered") +
         latency_text("hello", report.hello, "no hello was answered");
}

std::string to_json(const ConnectReport& report) {
  const Json object = {
      {"mode", "connect"},
      {"seconds", report.seconds},
      {"attempted", report.attempted},
      {"established", report.established},
      {"answered", report.answered},
      {"closed", report.closed},
      {"reset", report.reset},
      {"reset_when_open", report.reset_when_open},
      {"timed_out", report.timed_out()},
      {"timed_out_at",
       {{"syn", report.timed_out_syn}, {"hello", report.timed_out_hello}, {"fin", report.timed_out_fin}}},
      {"open", report.open},
      {"open_most", report.open_most},
      {"rate_asked", report.rate ? Json(*report.rate) : Json()},
      {"attempted_a_second", a_second(report.attempted, report.seconds)},
      {"answered_a_second", a_second(report.answered, report.seconds)},
      {"sources", report.sources},
      {"endpoints_exhausted", report.endpoints_exhausted},
      {"frames_seconds", report.frames_seconds},
      {"sent", report.sent.packets},
      {"received", report.received.packets},
      {"lost", report.lost()},
      {"lost_percent", report.loss_percent()},
      {"sent_mpps", mpps(report.sent, report.frames_seconds)},
      {"received_mpps", mpps(report.received, report.frames_seconds)},
      {"sent_gbps", gbps(report.sent, report.frames_seconds)},
      {"received_gbps", gbps(report.received, report.frames_seconds)},
      {"missed", report.overrun + report.missed},
      {"latency_us", {{"handshake", latency_json(report.handshake)}, {"hello", latency_json(report.hello)}}}};
  return object.dump(2);
}

}  // namespace sallyport::pktgen
