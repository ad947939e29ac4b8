// Latency and pace: what numbers are made of.
#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "pktgen/latency.h"
#include "pktgen/pace.h"
#include "pktgen/report.h"

namespace sallyport::pktgen {
namespace {

TEST(Latency, NothingMeasuredIsZero) {
  EXPECT_EQ(Latency{}.percentile(0.99), 0U);
  EXPECT_EQ(Latency{}.count(), 0U);
}

TEST(Latency, PercentilesAreRightToABucket) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> all;
  Latency latency;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random() >> (random() % 60);
    all.push_back(value);
    latency.add(value);
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.0001, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(share * 100'000) - 1]);
    const auto said = static_cast<double>(latency.percentile(share));
    EXPECT_GE(said, exact) << share;
    EXPECT_LE(said, exact * (1 + 1.0 / 64) + 1) << share;
  }
  EXPECT_EQ(latency.largest(), all.back());
}

TEST(Latency, TheEdgesOfAllBucketsAreTaken) {
  Latency latency;
  for (unsigned bit = 0; bit < 64; ++bit) {
    latency.add((std::uint64_t{1} << bit) - 1);
    latency.add(std::uint64_t{1} << bit);
  }
  latency.add(~std::uint64_t{0});
  EXPECT_EQ(latency.percentile(1.0), ~std::uint64_t{0});
}

TEST(Pace, KeepsTheRate) {
  Pace pace(1000.0, 1'000'000);  // a packet each thousand cycles
  std::size_t sent = 0;
  for (std::uint64_t now = 1; now <= 10'000'001; now += 333) {
    const std::size_t due = pace.due(now, 32);
    pace.taken(due);
    sent += due;
  }
  EXPECT_NEAR(static_cast<double>(sent), 10'000, 2);
}

TEST(Pace, AStandstillIsNotMadeUpForByAFlood) {
  Pace pace(100'000.0, 1'000'000);
  (void)pace.due(1, 32);
  std::size_t due = 0;
  std::size_t now = 0;
  while ((now = pace.due(100'000'000, 32)) != 0) {
    pace.taken(now);
    due += now;
  }
  EXPECT_LE(due, 1000U);
}

TEST(Pace, WithoutARateEverythingIsDue) {
  Pace pace(std::nullopt, 1);
  EXPECT_EQ(pace.due(1, 32), 32U);
}

TEST(Pace, ARateBeyondAllBoundsIsJustDue) {
  Pace pace(1e300, 1);
  (void)pace.due(1, 32);
  EXPECT_EQ(pace.due(1'000'000, 32), 32U);
}

TEST(Report, LossIsWhatDidNotComeBackAndNeverNegative) {
  Report report;
  report.seconds = 2;
  report.sent = {1000, 64'000};
  report.received = {990, 63'000};
  EXPECT_EQ(report.lost(), 10U);
  EXPECT_NE(to_text(report).find("1.0000 %"), std::string::npos);
  EXPECT_NE(to_json(report).find("\"latency_us\": null"), std::string::npos);
  for (const char* part : {"repeated", "reordered", "foreign", "missed", "skipped"}) {
    EXPECT_EQ(to_text(report).find(part), std::string::npos) << part;
  }
  report.received.packets = 2000;
  EXPECT_EQ(report.lost(), 0U);
}

TEST(Report, WhatDoesNotCountAsReceivedIsTold) {
  Report report;
  report.repeated = 11;
  report.reordered = 12;
  report.foreign = 13;
  report.missed = 14;
  report.skipped = 15;
  report.skipped_control = 16;
  const std::string text = to_text(report);
  const std::string json = to_json(report);
  for (const auto& [name, field, number] : {std::tuple{"repeated", "repeated", "11"},
                                            {"reordered", "reordered", "12"},
                                            {"foreign", "foreign", "13"},
                                            {"missed", "missed", "14"},
                                            {"skipped", "skipped", "15"},
                                            {"skipped", "skipped_control", "16"}}) {
    EXPECT_NE(text.find(name), std::string::npos) << text;
    EXPECT_NE(text.find(number), std::string::npos) << text;
    EXPECT_NE(json.find('"' + std::string(field) + "\": " + number), std::string::npos) << json;
  }
}

TEST(Report, LowRatesAreNotRoundedAway) {
  Report report;
  report.seconds = 10;
  report.sent = {100, 6000};
  EXPECT_NE(to_text(report).find("0.000010 Mpps"), std::string::npos) << to_text(report);
}

}  // namespace
}  // namespace sallyport::pktgen
