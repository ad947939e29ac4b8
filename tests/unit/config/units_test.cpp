#include "config/document/units.h"

#include <array>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "config/document/in_quotes.h"
#include "config/document/suggestion.h"
#include "config/document/utf8.h"

namespace sallyport::config {
namespace {

using namespace std::string_view_literals;

TEST(Duration, WhatOperatorsWrite) {
  const std::array<std::pair<std::string_view, std::int64_t>, 9> table{{{"10s", 10'000},
                                                                        {"2h4m", 7'440'000},
                                                                        {"60s", 60'000},
                                                                        {"250ms", 250},
                                                                        {"0s", 0},
                                                                        {"1h0m30s", 3'630'000},
                                                                        {"90m", 5'400'000},
                                                                        {"1s500ms", 1'500},
                                                                        {"007s", 7'000}}};
  for (const auto& [text, milliseconds] : table) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text << parsed.error;
    EXPECT_EQ((*parsed).count(), milliseconds) << text;
    EXPECT_EQ(*parse_duration(to_string(*parsed)), *parsed) << text;
  }
  EXPECT_EQ(to_string(std::chrono::milliseconds(7'440'000)), "2h4m");
}

TEST(Duration, NothingElse) {
  for (const auto text : {"", "10", "s", "10 s", "10S", "1d", "1.5s", "-1s", "+1s", "1m1h", "1s1s", "1ms1s", "10sx",
                          "99999999999999999999s", "281474976710657ms", "9999999999h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Quantity, SizesGoBy1024AndBitsBy1000) {
  EXPECT_EQ(*parse_size("4096"), 4096U);
  EXPECT_EQ(*parse_size("12K"), 12U * 1024);
  EXPECT_EQ(*parse_size("256M"), 256U << 20U);
  EXPECT_EQ(*parse_size("1G"), 1U << 30U);
  EXPECT_EQ(*parse_bits("100M"), 100'000'000U);
  EXPECT_EQ(*parse_bits("1500K"), 1'500'000U);
  EXPECT_EQ(*parse_bits("10G"), 10'000'000'000U);
  for (const auto text : {"", "K", "1KB", "1 K", "1k", "-1", "0x10", "1.5M", "99999999999999999999", "99999999T"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(NumberRange, BothEndsIncluded) {
  const auto ports = parse_number_range("1024-65535", 1, 65535);
  ASSERT_TRUE(ports);
  EXPECT_EQ((*ports).first, 1024U);
  EXPECT_EQ((*ports).last, 65535U);
  EXPECT_EQ((*parse_number_range("80", 1, 65535)).last, 80U);
  for (const auto text : {"", "-", "1-", "-1", "2-1", "0-5", "1-65536", "1 - 2", "1-2-3", "a-b"}) {
    EXPECT_FALSE(parse_number_range(text, 1, 65535)) << text;
  }
}

TEST(NumberList, RangesAndNumbers) {
  EXPECT_EQ(*parse_number_list("1-3,5", 15), (std::vector<unsigned>{1, 2, 3, 5}));
  EXPECT_EQ(*parse_number_list("0", 15), (std::vector<unsigned>{0}));
  for (const auto text : {"", ",", "1,", ",1", "1,1", "1-3,2", "16", "3-1", "1, 2", "1-4294967296"}) {
    EXPECT_FALSE(parse_number_list(text, 15)) << text;
  }
}

TEST(Suggestion, NearestKeyOrNone) {
  EXPECT_EQ(edit_distance("networks", "networks"), 0U);
  EXPECT_EQ(edit_distance("network", "networks"), 1U);
  EXPECT_EQ(edit_distance("netowrks", "networks"), 1U);  // two neighbours swapped
  EXPECT_EQ(edit_distance("TCP", "tcp"), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  const std::array<std::string_view, 3> keys{"name", "namespace", "traffic_policy"};
  EXPECT_EQ(suggestion("trafic-policy", keys), ", did you mean \"traffic_policy\"?");
  EXPECT_EQ(suggestion("nmae", keys), ", did you mean \"name\"?");
  EXPECT_EQ(suggestion("bandwidth", keys), "");
  const std::vector<std::string_view> options{"--port", "--proto"};
  EXPECT_EQ(suggestion("--prot", options), ", did you mean \"--proto\"?") << "as near as the other, and begun so";
  EXPECT_EQ(suggestion("", keys), "");
}

TEST(Quoted, ForeignTextIsMadeHarmless) {
  EXPECT_EQ(in_quotes("plain"), "\"plain\"");
  EXPECT_EQ(in_quotes("a\nb\x1b[0m"), "\"a\\x0ab\\x1b[0m\"");
  EXPECT_EQ(in_quotes("m\u00fcnchen"), "\"m\u00fcnchen\"");
  EXPECT_EQ(in_quotes("\xff"), "\"\\xff\"");
  EXPECT_EQ(in_quotes(std::string(200, 'x')), "\"" + std::string(80, 'x') + "...\"");
}

TEST(Utf8, WellFormedSequencesOnly) {
  const std::array<std::pair<std::string_view, std::size_t>, 16> table{{{"a"sv, 1},
                                                                        {"\0"sv, 1},
                                                                        {"\xc3\xa9"sv, 2},
                                                                        {"\xe2\x82\xac"sv, 3},
                                                                        {"\xf0\x9f\x98\x80"sv, 4},
                                                                        {"\xf4\x8f\xbf\xbf"sv, 4},
                                                                        {""sv, 0},
                                                                        {"\x80"sv, 0},
                                                                        {"\xc0\x80"sv, 0},          // overlong
                                                                        {"\xc3"sv, 0},              // cut off
                                                                        {"\xe0\x80\x80"sv, 0},      // overlong
                                                                        {"\xed\xa0\x80"sv, 0},      // surrogate
                                                                        {"\xf0\x80\x80\x80"sv, 0},  // overlong
                                                                        {"\xf4\x90\x80\x80"sv, 0},  // above U+10FFFF
                                                                        {"\xf5\x80\x80\x80"sv, 0},
                                                                        {"\xe2\x82\x28"sv, 0}}};
  for (const auto& [text, length] : table) EXPECT_EQ(utf8_sequence(text), length) << in_quotes(text);
}

}  // namespace
}  // namespace sallyport::config
