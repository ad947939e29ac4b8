#include "pktgen/search.h"

#include <algorithm>

namespace sallyport::pktgen {
namespace {

constexpr std::size_t trials_max = 64;

// The slowest trial that lost too much; without one, no end.
std::optional<double> lowest_failing(std::span<const Trial> trials, double loss_percent) {
  std::optional<double> lowest;
  for (const Trial& trial : trials) {
    if (trial.sent_nothing() || trial.loss_percent() <= loss_percent) continue;
    if (!lowest || trial.rate() < *lowest) lowest = trial.rate();
  }
  return lowest;
}

}  // namespace

const Trial* best_trial(std::span<const Trial> trials, double loss_percent) {
  const std::optional<double> failing = lowest_failing(trials, loss_percent);
  const Trial* best = nullptr;
  for (const Trial& trial : trials) {
    if (trial.sent_nothing() || trial.loss_percent() > loss_percent || (failing && trial.rate() >= *failing)) continue;
    if (best == nullptr || trial.rate() > best->rate()) best = &trial;
  }
  return best;
}

std::optional<double> next_rate(std::span<const Trial> trials, double loss_percent, const SearchBounds& bounds) {
  if (trials.size() >= trials_max || (!trials.empty() && trials.back().sent_nothing())) return std::nullopt;
  const std::optional<double> failing = lowest_failing(trials, loss_percent);
  const Trial* best = best_trial(trials, loss_percent);
  if (!failing) return best == nullptr ? std::optional(bounds.highest) : std::nullopt;
  const double low = best == nullptr ? 0 : best->rate();
  const double apart = bounds.highest * bounds.resolution_percent / 100;
  if (*failing - low <= apart) return std::nullopt;
  return (low + *failing) / 2;
}

BoundedBy bounded_by(std::span<const Trial> trials, double loss_percent, const Trial& best,
                     const SearchBounds& bounds) {
  if (lowest_failing(trials, loss_percent)) return BoundedBy::loss;
  const bool kept_up = best.rate() >= bounds.highest * (1 - bounds.resolution_percent / 100);
  return bounds.given && kept_up ? BoundedBy::rate : BoundedBy::generator;
}

}  // namespace sallyport::pktgen
