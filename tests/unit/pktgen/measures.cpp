// Latency, pace, payload times: what numbers are made of.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pktgen/latency.h"
#include "pktgen/pace.h"
#include "pktgen/payload_times.h"
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

std::span<const std::uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(PayloadTimes, APayloadIsKnownAgain) {
  PayloadTimes times;
  times.sent(bytes("a payload of some length, one"), 100);
  times.sent(bytes("a payload of some length, two"), 200);
  EXPECT_EQ(times.received(bytes("a payload of some length, one")), 100U);
  EXPECT_EQ(times.received(bytes("a payload of some length, two")), 200U);
  EXPECT_FALSE(times.received(bytes("a payload that was never sent")));
}

TEST(PayloadTimes, WhatIsSentTwiceOrTooShortIsNotMeasured) {
  PayloadTimes times;
  times.sent(bytes("a payload of some length, one"), 100);
  times.sent(bytes("a payload of some length, one"), 200);
  EXPECT_FALSE(times.received(bytes("a payload of some length, one")));
  times.sent(bytes("short"), 100);
  EXPECT_FALSE(times.received(bytes("short")));
}

TEST(Report, LossIsWhatDidNotComeBackAndNeverNegative) {
  Report report;
  report.seconds = 2;
  report.sent = {1000, 64'000};
  report.received = {990, 63'000};
  EXPECT_EQ(report.lost(), 10U);
  EXPECT_NE(to_text(report).find("1.0000 %"), std::string::npos);
  EXPECT_NE(to_json(report).find("\"latency_us\": null"), std::string::npos);
  report.received.packets = 2000;
  EXPECT_EQ(report.lost(), 0U);
}

}  // namespace
}  // namespace sallyport::pktgen
