#include "config/host_name.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace sallyport::config {
namespace {

using Kind = HostPattern::Kind;

TEST(HostName, OneFormForEveryWriting) {
  const std::array<std::pair<std::string_view, std::string_view>, 12> table{
      {{"example.com", "example.com"},
       {"WWW.Example.COM", "www.example.com"},  // case 50
       {"example.com.", "example.com"},         // case 49
       {"localhost", "localhost"},
       {"_dmarc.example.com", "_dmarc.example.com"},  // case 58
       {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
       {"m\u00fcnchen.de", "xn--mnchen-3ya.de"},
       {"M\u00dcNCHEN.de", "xn--mnchen-3ya.de"},
       {"fa\u00df.de", "xn--fa-hia.de"},  // UTS 46, non-transitional
       {"\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"},
       {"1.example", "1.example"},
       {"a-b--c.example", "a-b--c.example"}}};
  for (const auto& [written, name] : table) {
    const auto parsed = normalize_host_name(written);
    ASSERT_TRUE(parsed) << parsed.error;
    EXPECT_EQ(*parsed, name);
  }
}

TEST(HostName, Case58BoundsOfNamesAndLabels) {
  const std::string label(63, 'a');
  EXPECT_TRUE(normalize_host_name(label + ".example"));
  EXPECT_FALSE(normalize_host_name(label + "a.example"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_TRUE(normalize_host_name(longest));
  EXPECT_TRUE(normalize_host_name(longest + "."));
  EXPECT_FALSE(normalize_host_name(longest + "b"));
  EXPECT_FALSE(normalize_host_name(std::string(100'000, 'a')));
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\u00fc";
  EXPECT_FALSE(normalize_host_name(umlauts));
}

TEST(HostName, WhatIsNoName) {
  using namespace std::string_view_literals;
  const std::array<std::pair<std::string_view, std::string_view>, 19> table{
      {{""sv, "empty"},
       {"."sv, "empty"},
       {"a..b"sv, "a label is empty"},
       {".a"sv, "a label is empty"},
       {"a.com.."sv, "a label is empty"},
       {"foo.*.com"sv, "first label"},  // case 56
       {"f*.com"sv, "first label"},
       {"*"sv, "first label"},
       {"**.x"sv, "first label"},
       {"1.2.3.4"sv, "address"},  // case 53
       {"2001:db8::1"sv, "address"},
       {"[::1]"sv, "letters, digits"},
       {"a b.com"sv, "letters, digits"},
       {"a.com:443"sv, "letters, digits"},
       {"https://a.com"sv, "letters, digits"},
       {"a.com\0.evil"sv, "letters, digits"},
       {"a.com "sv, "letters, digits"},
       {"\uff11.2.3.4"sv, "address"},  // a full-width 1
       {"\u0300.com"sv, ""}}};         // a label that starts with a combining mark
  for (const auto& [written, part] : table) {
    const auto parsed = normalize_host_name(written);
    EXPECT_FALSE(parsed) << written;
    EXPECT_NE(parsed.error.find(part), std::string::npos) << parsed.error << " expected: " << part;
  }
  EXPECT_FALSE(normalize_host_name("1.2.3.4."));
  EXPECT_FALSE(normalize_host_name("a\u00fc\xff.com"));
}

TEST(HostPattern, ThreeKindsOfText) {
  const auto exact = parse_host_pattern("Example.com");
  ASSERT_TRUE(exact);
  EXPECT_EQ((*exact).kind, Kind::exact);
  EXPECT_EQ((*exact).text, "example.com");
  const auto wildcard = parse_host_pattern("*.Example.com.");
  ASSERT_TRUE(wildcard);
  EXPECT_EQ((*wildcard).kind, Kind::wildcard);
  EXPECT_EQ((*wildcard).text, "example.com");
  const auto apex = parse_host_pattern(".m\u00fcnchen.de");
  ASSERT_TRUE(apex);
  EXPECT_EQ((*apex).kind, Kind::apex);
  EXPECT_EQ((*apex).text, "xn--mnchen-3ya.de");
  for (const std::string_view text : {"*", "*.", ".", "*.*.com", "*.*", "*.1.2.3.4", "..com", "*..com", "*a.com"}) {
    EXPECT_FALSE(parse_host_pattern(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::config
