// The highest rate that loses no more than so much: the throughput of RFC 2544 section 26.1 where that is nothing
// (NDR), a partial drop rate (PDR) else. A binary search over trials; what one limit has tried serves the next one,
// too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pktgen/report.h"

namespace sallyport::pktgen {

struct Trial {
  double asked = 0;  // packets a second
  Report report;

  // What was really sent: a generator that cannot keep up tries a lower rate than it was asked to.
  [[nodiscard]] double rate() const noexcept {
    return report.seconds > 0 ? static_cast<double>(report.sent.packets) / report.seconds : 0;
  }
  [[nodiscard]] double loss_percent() const noexcept { return report.loss_percent(); }
  // Neither for a rate nor against it.
  [[nodiscard]] bool sent_nothing() const noexcept { return report.sent.packets == 0; }
};

struct SearchBounds {
  double highest = 0;  // packets a second
  double resolution_percent = 1;
  bool given = true;  // the highest; else it is what the device took
};

// The best trial so far for a limit: of those that lost no more, the fastest one that is slower than all that lost
// more. None: even the slowest lost more, or none sent anything.
[[nodiscard]] const Trial* best_trial(std::span<const Trial> trials, double loss_percent);
// The rate to try next; nothing: the bounds are as near as asked, or nothing is to be hoped for.
[[nodiscard]] std::optional<double> next_rate(std::span<const Trial> trials, double loss_percent,
                                              const SearchBounds& bounds);

// What keeps the answer from being higher.
enum class BoundedBy : std::uint8_t {
  loss,       // a faster trial lost more
  rate,       // no faster one was asked for: --rate
  generator,  // nor could one be sent
};
[[nodiscard]] BoundedBy bounded_by(std::span<const Trial> trials, double loss_percent, const Trial& best,
                                   const SearchBounds& bounds);

struct SearchReport {
  std::string traffic;         // "udp", "replay"
  std::string order;           // of the flows; empty: none
  std::vector<double> losses;  // per cent
  std::vector<Trial> trials;   // as they were made
  double trial_seconds = 0;
  SearchBounds bounds;
  bool interrupted = false;  // by a signal

  // Nothing was left to try for this limit.
  [[nodiscard]] bool finished(double loss_percent) const {
    return !interrupted || !next_rate(trials, loss_percent, bounds);
  }
  [[nodiscard]] bool finished() const {
    return std::all_of(losses.begin(), losses.end(), [&](double loss) { return finished(loss); });
  }
};

[[nodiscard]] std::string to_text(const SearchReport& report);
[[nodiscard]] std::string to_json(const SearchReport& report);
// An SVG drawing of loss and latency over rate.
[[nodiscard]] std::string to_svg(const SearchReport& report);

}  // namespace sallyport::pktgen
