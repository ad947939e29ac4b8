#include "pktgen/connect_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pktgen/latency_report.h"

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
  line("attempted", report.attempted, rate(report.attempted));
  line("established", report.established, rate(report.established));
  line("answered", report.answered, rate(report.answered));
  line("closed", report.closed);
  line("reset", report.reset, fmt::format("  {} of them when open", report.reset_when_open));
  line(
      "timed out", report.timed_out(),
      fmt::format("  at SYN {}, hello {}, FIN {}", report.timed_out_syn, report.timed_out_hello, report.timed_out_fin));
  line("open", report.open_most, "  at once at most");
  if (report.overrun + report.missed != 0) {
    text += fmt::format("{:<12}{:>12} frames      by the generator itself\n", "missed", report.overrun + report.missed);
  }
  return text + latency_text("handshake", report.handshake) + latency_text("hello", report.hello);
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
      {"open_most", report.open_most},
      {"answered_a_second", a_second(report.answered, report.seconds)},
      {"sent", report.sent.packets},
      {"received", report.received.packets},
      {"missed", report.overrun + report.missed},
      {"latency_us", {{"handshake", latency_json(report.handshake)}, {"hello", latency_json(report.hello)}}}};
  return object.dump(2);
}

}  // namespace sallyport::pktgen
