// Counts of packets as people read them.
#pragma once

#include <string>

#include <fmt/format.h>

#include "pktgen/report.h"

namespace sallyport::pktgen {

[[nodiscard]] inline double mpps(const Tally& tally, double seconds) {
  return seconds > 0 ? static_cast<double>(tally.packets) / seconds / 1e6 : 0;
}

[[nodiscard]] inline double gbps(const Tally& tally, double seconds) {
  return seconds > 0 ? static_cast<double>(tally.bytes) * 8 / seconds / 1e9 : 0;
}

// A line each.
[[nodiscard]] inline std::string tally_text(const char* name, const Tally& tally, double seconds) {
  return fmt::format("{:<10}{:>14} packets  {:>11.6f} Mpps  {:>10.6f} Gbit/s\n", name, tally.packets,
                     mpps(tally, seconds), gbps(tally, seconds));
}

[[nodiscard]] inline std::string lost_text(std::uint64_t lost, double percent, const char* more = "") {
  return fmt::format("{:<10}{:>14} packets  {:>9.4f} %{}\n", "lost", lost, percent, more);
}

}  // namespace sallyport::pktgen
