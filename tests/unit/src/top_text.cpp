#include "src/top_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sallyport {
namespace {

const Style plain(-1);

TopAnswers answers(double at_seconds, unsigned denied, unsigned received) {
  TopAnswers all;
  all.at_seconds = at_seconds;
  all.ports = Json::parse(fmt::format(
      R"({{"ports":[{{"name":"inside","role":"inside","link":"up","received_packets":{},"received_bytes":{},
          "transmitted_packets":5,"transmitted_bytes":500,"missed":0}}]}})",
      received, 1000 * received));
  all.reasons = Json::parse(fmt::format(
      R"({{"received":{},"transmitted":5,"held":3,"reasons":{{"policy_denied":{},"no_route":0}},
          "flows":{{"opened":10,"allowed":8,"denied":{},"live":1234567,
          "denied_by":{{"network_default":{},"no_name":1}}}}}})",
      received, denied, denied, denied));
  all.policy = Json::parse(R"({"loaded":true,"generation":2,"since":"2026-01-02T08:00:00Z",
                               "rules":[{"rule":"a/b","flows":4},{"rule":"c/d","flows":40}]})");
  all.workers = Json::parse(fmt::format(R"({{"workers":[{{"busy_cycles":{},"idle_cycles":{}}}]}})",
                                        static_cast<unsigned>(at_seconds * 25) + 100,
                                        static_cast<unsigned>(at_seconds * 75) + 900));
  all.egress = Json::parse(R"({"top_sources":[{"address":"10.1.2.3","namespace":"prod","workload":"web","flows":7}],
                               "in_use":[{"address":"203.0.113.8","flows":7,"ports_used":{"tcp":6,"udp":1}}]})");
  return all;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(TopText, RatesAreWhatHasChanged) {
  const TopAnswers before = answers(10, 10, 1000);
  const TopAnswers now = answers(12, 30, 3'001'000);
  const std::string text = top_text(now, &before, {200, 0}, plain);
  for (const char* part : {"policy generation 2", "1 worker, 25% busy", "1,234,567 live", "10/s denied", "1.50M/s in",
                           "3 held", "12.0G"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_NE(text.find("prod/web"), std::string::npos);
  EXPECT_NE(text.find("203.0.113.8"), std::string::npos);
  EXPECT_LT(text.find("network_default"), text.find("no_name")) << "the fastest first";
  EXPECT_LT(text.find("c/d"), text.find("a/b")) << "then the most";
  EXPECT_EQ(text.find("no_route"), std::string::npos) << "what never happened";
}

TEST(TopText, TheFirstPictureHasNoRates) {
  const std::string text = top_text(answers(10, 10, 1000), nullptr, {200, 0}, plain);
  EXPECT_NE(text.find("-/s denied"), std::string::npos) << text;
}

TEST(TopText, CountersOfAnotherProcessAreNoRate) {
  const TopAnswers before = answers(10, 100, 5000);
  const TopAnswers now = answers(11, 1, 10);
  EXPECT_NE(top_text(now, &before, {200, 0}, plain).find("-/s denied"), std::string::npos);
}

TEST(TopText, FitsTheScreen) {
  const TopAnswers before = answers(10, 10, 1000);
  const TopAnswers now = answers(11, 30, 3000);
  for (const ScreenSize size : {ScreenSize{40, 10}, ScreenSize{1, 1}, ScreenSize{80, 24}, ScreenSize{200, 100}}) {
    const std::string text = top_text(now, &before, size, plain);
    EXPECT_LE(lines_of(text), size.rows);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      EXPECT_LE(end - at, size.columns);
      at = end + 1;
    }
  }
}

TEST(TopText, NumbersAreShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(999.7), "1.00k");
  EXPECT_EQ(short_number(45'600), "45.6k");
  EXPECT_EQ(short_number(1'234'567), "1.23M");
  EXPECT_EQ(short_number(456e9), "456G");
}

TEST(TopText, AnswersOfAnotherVersionAreNoHarm) {
  TopAnswers odd;
  odd.ports = Json::parse("[]");
  odd.reasons = Json::parse(R"({"reasons":5,"flows":[]})");
  odd.policy = Json::parse(R"({"loaded":"yes","rules":{"a":1}})");
  EXPECT_FALSE(top_text(odd, &odd, {80, 24}, plain).empty());
}

}  // namespace
}  // namespace sallyport
