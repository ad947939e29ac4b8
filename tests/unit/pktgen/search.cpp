// The search over made-up devices, and what it draws.
#include "pktgen/search.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace sallyport::pktgen {
namespace {

// A device that loses what is over its capacity, and a generator that cannot send more than `able`.
Trial trial_of(double asked, double capacity, double able = 1e9) {
  Trial trial{asked, {}};
  const double rate = std::min(asked, able);
  trial.report.seconds = 10;
  trial.report.sent.packets = static_cast<std::uint64_t>(rate * 10);
  trial.report.received.packets = static_cast<std::uint64_t>(std::min(rate, capacity) * 10);
  for (std::uint64_t i = 1; i <= 100; ++i) trial.report.latency.add(i * (rate > capacity ? 100'000 : 1000));
  return trial;
}

std::vector<Trial> searched(double loss, const SearchBounds& bounds, double capacity, double able = 1e9) {
  std::vector<Trial> trials;
  while (const std::optional<double> rate = next_rate(trials, loss, bounds)) {
    trials.push_back(trial_of(*rate, capacity, able));
  }
  return trials;
}

TEST(Search, ComesAsNearAsAsked) {
  for (const double capacity : {1000.0, 333'333.0, 990'000.0}) {
    const auto trials = searched(0, {1e6, 0.5}, capacity);
    const Trial* best = best_trial(trials, 0);
    if (capacity < 5000) {
      EXPECT_EQ(best, nullptr) << "slower than the resolution can tell from nothing";
      continue;
    }
    ASSERT_NE(best, nullptr);
    EXPECT_LE(best->rate(), capacity);
    EXPECT_GE(best->rate(), capacity - 5000);
    EXPECT_LE(trials.size(), 10U);
  }
}

TEST(Search, TheHighestRateIsTriedFirstAndIsEnoughIfNothingIsLost) {
  const auto trials = searched(0, {1e6, 1}, 2e6);
  ASSERT_EQ(trials.size(), 1U);
  EXPECT_EQ(best_trial(trials, 0)->rate(), 1e6);
}

TEST(Search, ALimitUsesTheTrialsOfTheOneBefore) {
  std::vector<Trial> trials = searched(0, {1e6, 1}, 500'000);
  const std::size_t alone = searched(10, {1e6, 1}, 500'000).size();
  const std::size_t before = trials.size();
  while (const auto rate = next_rate(trials, 10, {1e6, 1})) trials.push_back(trial_of(*rate, 500'000));
  EXPECT_LT(trials.size() - before, alone);
  EXPECT_NEAR(best_trial(trials, 10)->rate(), 555'555, 10'000);
  EXPECT_NEAR(best_trial(trials, 0)->rate(), 500'000, 10'000);
}

TEST(Search, AnEarlierLossAtALowerRateCountsAgainstAFasterTrial) {
  std::vector<Trial> trials = {trial_of(1e6, 4e5), trial_of(5e5, 1e9), trial_of(3e5, 1e5), trial_of(1e5, 1e9)};
  EXPECT_EQ(best_trial(trials, 0)->rate(), 1e5);
}

TEST(Search, AGeneratorThatIsTooSlowEndsIt) {
  const auto trials = searched(0, {1e6, 1}, 2e6, 2e5);
  ASSERT_EQ(trials.size(), 1U);
  EXPECT_EQ(best_trial(trials, 0)->rate(), 2e5);
}

TEST(Search, LossEverywhereFindsNothingAndEnds) {
  const auto trials = searched(0, {1e6, 1}, 0);
  EXPECT_EQ(best_trial(trials, 0), nullptr);
  EXPECT_LE(trials.size(), 9U);
}

// Neither for a rate nor against it: as good as not made.
TEST(Search, ATrialThatSentNothingIsNoResultAndTheLast) {
  std::vector<Trial> trials = {trial_of(1e6, 5e5), Trial{2.5e5, {}}};
  trials.back().report.seconds = 10;
  EXPECT_EQ(best_trial(trials, 0), nullptr);
  EXPECT_EQ(next_rate(trials, 0, {1e6, 1}), std::nullopt);
  trials.front() = trial_of(3e5, 5e5);
  EXPECT_EQ(best_trial(trials, 0)->rate(), 3e5) << "it did not lose anything either";
}

SearchReport report_of(std::vector<Trial> trials) {
  SearchReport report;
  report.traffic = "udp";
  report.order = "random";
  report.losses = {0, 0.5};
  report.trials = std::move(trials);
  report.trial_seconds = 10;
  return report;
}

TEST(Search, IsToldAsTextAndJson) {
  const SearchReport report = report_of(searched(0, {1e6, 1}, 500'000));
  const std::string text = to_text(report);
  EXPECT_NE(text.find("NDR"), std::string::npos);
  EXPECT_NE(text.find("PDR 0.5 %"), std::string::npos);
  EXPECT_NE(to_json(report).find("\"results\""), std::string::npos);
  EXPECT_NE(to_text(report_of({})).find("none: no trial sent anything"), std::string::npos);
  EXPECT_NE(to_text(report_of({trial_of(1e6, 0)})).find("none: even the slowest trial lost more"), std::string::npos);
}

TEST(Search, WhatBoundsTheAnswerIsTold) {
  SearchReport report = report_of(searched(0, {1e6, 1}, 500'000));
  report.bounds = {1e6, 1};
  EXPECT_EQ(to_text(report).find(">="), std::string::npos) << to_text(report);
  EXPECT_NE(to_json(report).find("\"bounded_by\": \"loss\""), std::string::npos);
  report.trials = searched(0, report.bounds, 2e6);
  EXPECT_NE(to_text(report).find("bounded by --rate"), std::string::npos) << to_text(report);
  EXPECT_NE(to_text(report).find(">="), std::string::npos);
  EXPECT_NE(to_json(report).find("\"bounded_by\": \"rate\""), std::string::npos);
  report.trials = searched(0, report.bounds, 2e6, 2e5);
  EXPECT_NE(to_text(report).find("bounded by the generator"), std::string::npos) << to_text(report);
  report.trials = searched(0, report.bounds, 2e6);
  report.bounds.given = false;
  EXPECT_NE(to_json(report).find("\"bounded_by\": \"generator\""), std::string::npos);
}

TEST(Search, AnInterruptedOneHasNotFoundWhatItWasStillLookingFor) {
  SearchReport report = report_of({});
  report.bounds = {1e6, 1};
  report.interrupted = true;
  EXPECT_FALSE(report.finished());
  EXPECT_NE(to_text(report).find("interrupted, not found"), std::string::npos);
  EXPECT_EQ(to_text(report).find("lost more"), std::string::npos);
  EXPECT_NE(to_json(report).find("\"interrupted\": true"), std::string::npos);
  report.trials = {trial_of(1e6, 5e5), trial_of(5e5, 5e5)};
  EXPECT_FALSE(report.finished(0)) << "the bounds were still far apart";
  EXPECT_EQ(to_json(report).find("\"bounded_by\": \"loss\""), std::string::npos);
  EXPECT_EQ(to_svg(report).find("NDR"), std::string::npos);
  report.trials = searched(0, report.bounds, 2e6);
  EXPECT_TRUE(report.finished()) << "it came too late to matter";
}

TEST(Search, LowRatesAreNotRoundedAway) {
  SearchReport report = report_of({trial_of(20, 100)});
  EXPECT_NE(to_text(report).find("0.000020 Mpps"), std::string::npos) << to_text(report);
}

TEST(Plot, DrawsEveryTrialInsideItsFrame) {
  const SearchReport report = report_of(searched(0, {1e6, 1}, 500'000));
  const std::string svg = to_svg(report);
  std::size_t points = 0;
  for (std::size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) {
    ++points;
    const double x = std::stod(svg.substr(svg.find("cx=\"", at) + 4));
    const double y = std::stod(svg.substr(svg.find("cy=\"", at) + 4));
    EXPECT_TRUE(x >= 70 && x <= 700 && y >= 60 && y <= 430) << x << ' ' << y;
  }
  EXPECT_EQ(points, 4 * report.trials.size());
  for (const char* part : {"NDR: ", "PDR 0.5 %", "p50", "p99.9", "rate, Mpps", "packets lost, %", "latency, us"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(Plot, NothingToDrawIsAnEmptyFrame) {
  for (const auto& report : {report_of({}), report_of({Trial{}})}) {
    const std::string svg = to_svg(report);
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

}  // namespace
}  // namespace sallyport::pktgen
