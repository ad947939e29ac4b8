#include "src/replay_summary.h"

#include <cstdio>
#include <cstdlib>
#include <iterator>

#include <fmt/format.h>

namespace sallyport {
namespace {

void put(std::string& out, std::string_view what, std::uint64_t count) {
  fmt::format_to(std::back_inserter(out), "{:<26}{}\n", what, count);
}

void put_drops(std::string& out, const ReplayTotals& totals) {
  for (std::size_t i = 0; i < totals.drops.size(); ++i) {
    if (totals.drops[i] == 0) continue;
    const auto drop = static_cast<dataplane::Drop>(i);
    fmt::format_to(std::back_inserter(out), "  {:<24}{:<10}{}\n", to_string(drop), totals.drops[i], description(drop));
  }
}

void put_denials(std::string& out, const ReplayTotals& totals) {
  for (std::size_t i = 0; i < totals.denied_by_reason.size(); ++i) {
    if (totals.denied_by_reason[i] == 0) continue;
    const auto reason = static_cast<classifier::Reason>(i);
    fmt::format_to(std::back_inserter(out), "  {:<24}{}\n", classifier::to_string(reason), totals.denied_by_reason[i]);
  }
}

}  // namespace

std::string summary_text(const ReplayTotals& totals, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  std::string out;
  put(out, "packets in", totals.received);
  put(out, "packets out", totals.transmitted);
  put(out, "packets made here", totals.originated);
  put(out, "packets dropped", totals.dropped());
  put_drops(out, totals);
  put(out, "flows in", totals.flows);
  put(out, "flows allowed", totals.flows_allowed);
  put(out, "flows denied", totals.flows_denied);
  put_denials(out, totals);
  put(out, "names seen", totals.names_seen);
  put(out, "packets per second",
      seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(totals.received) / seconds) : 0);
  return out;
}

void check_sums(const ReplayTotals& totals) {
  if (totals.held == 0 && totals.received == totals.transmitted + totals.dropped()) return;
  fmt::print(stderr, "the sums do not hold: {} received, {} transmitted, {} held, {} dropped\n{}", totals.received,
             totals.transmitted, totals.held, totals.dropped(), summary_text(totals, {}));
  std::abort();
}

}  // namespace sallyport
