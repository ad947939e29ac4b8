#include "config/address.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/address_union.h"

namespace sallyport {
namespace {

IpAddress ip(std::string_view text) { return parse_address(text).value(); }
Prefix net(std::string_view text) { return parse_prefix(text).value().prefix; }

TEST(Address, TextFormsGoThereAndBack) {
  const std::array<std::array<std::string_view, 2>, 12> forms{{{"0.0.0.0", "0.0.0.0"},
                                                               {"255.255.255.255", "255.255.255.255"},
                                                               {"10.1.2.3", "10.1.2.3"},
                                                               {"::", "::"},
                                                               {"::1", "::1"},
                                                               {"2001:DB8::1", "2001:db8::1"},
                                                               {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
                                                               {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                                               {"fe80::1", "fe80::1"},
                                                               {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
                                                               {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
                                                               {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"}}};
  for (const auto& [written, canonical] : forms) {
    const auto address = parse_address(written);
    ASSERT_TRUE(address) << written;
    EXPECT_EQ(to_string(*address), canonical);
    EXPECT_EQ(parse_address(canonical), address);
  }
}

TEST(Address, NothingElseIsAnAddress) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv,
                          " 1.2.3.4"sv,
                          "1.2.3.4 "sv,
                          "1.2.3"sv,
                          "1.2.3.4.5"sv,
                          "01.2.3.4"sv,
                          "1.2.3.256"sv,
                          "1.2.3.-4"sv,
                          "0x1.2.3.4"sv,
                          "1.2.3.4\0"sv,
                          "fe80::1%eth0"sv,
                          "[::1]"sv,
                          ":::"sv,
                          "1::2::3"sv,
                          "1:2:3:4:5:6:7"sv,
                          "1:2:3:4:5:6:7:8:9"sv,
                          "12345::"sv,
                          "g::"sv,
                          "1.2.3.4/32"sv,
                          "::1.2.3"sv,
                          "::ffff:1.2.3.4.5.6.7.8.9.10.11.12.13.14.15"sv}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Address, MappedV4StaysV6) {
  const IpAddress mapped = ip("::ffff:10.0.0.1");
  EXPECT_EQ(mapped.family, Family::v6);
  EXPECT_FALSE(net("0.0.0.0/0").contains(mapped));
  EXPECT_NE(mapped, ip("10.0.0.1"));
}

TEST(Address, V4AsNumber) {
  EXPECT_EQ(ip("10.1.2.3").to_v4(), 0x0a010203U);
  EXPECT_EQ(IpAddress::from_v4(0xc0000201U), ip("192.0.2.1"));
  const std::array<std::uint8_t, 4> bytes{192, 0, 2, 1};
  EXPECT_EQ(IpAddress::from_bytes(Family::v4, bytes.data()), ip("192.0.2.1"));
}

// The family first, then byte by byte.
TEST(Address, Order) {
  const std::array<std::string_view, 10> rising{"0.0.0.0", "0.0.0.255", "0.0.1.0", "1.0.0.0",   "255.0.0.1",
                                                "::",      "::ff",      "::100",   "0:0:0:1::", "ff00::"};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    for (std::size_t j = 0; j < rising.size(); ++j) {
      EXPECT_EQ(ip(rising[i]) <=> ip(rising[j]), i <=> j) << rising[i] << ' ' << rising[j];
      EXPECT_EQ(ip(rising[i]) == ip(rising[j]), i == j) << rising[i] << ' ' << rising[j];
    }
  }
}

TEST(Prefix, ParsedWithHostBitsCleared) {
  const auto exact = parse_prefix("10.0.0.0/8");
  ASSERT_TRUE(exact);
  EXPECT_FALSE(exact->host_bits_cleared);
  const auto inexact = parse_prefix("192.168.0.1/16");
  ASSERT_TRUE(inexact);
  EXPECT_TRUE(inexact->host_bits_cleared);
  EXPECT_EQ(to_string(inexact->prefix), "192.168.0.0/16");
  EXPECT_EQ(to_string(net("2001:db8::ffff/33")), "2001:db8::/33");
  EXPECT_EQ(to_string(net("255.255.255.255/0")), "0.0.0.0/0");
}

TEST(Prefix, NothingElseIsAPrefix) {
  for (const std::string_view text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8 ",
        "10.0.0.0/8/8", "::/129", "::/1000", "/8", "10.0.0.0/255.0.0.0", "10/8", "::/0x8"}) {
    EXPECT_FALSE(parse_prefix(text)) << text;
  }
}

struct Edges {
  std::string_view prefix;
  std::string_view first;
  std::string_view last;
  std::string_view before;  // empty: none
  std::string_view behind;
};

// Boundary addresses match, their neighbours do not.
TEST(Prefix, Case20EdgesOfEveryKindOfLength) {
  const std::array<Edges, 9> table{{
      {"10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
      {"192.0.2.128/25", "192.0.2.128", "192.0.2.255", "192.0.2.127", "192.0.3.0"},
      {"192.0.2.4/31", "192.0.2.4", "192.0.2.5", "192.0.2.3", "192.0.2.6"},
      {"192.0.2.4/32", "192.0.2.4", "192.0.2.4", "192.0.2.3", "192.0.2.5"},
      {"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "", ""},
      {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""},
      {"2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db7::", "2001:db8:8000::"},
      {"2001:db8::2/127", "2001:db8::2", "2001:db8::3", "2001:db8::1", "2001:db8::4"},
      {"2001:db8::2/128", "2001:db8::2", "2001:db8::2", "2001:db8::1", "2001:db8::3"},
  }};
  for (const Edges& edges : table) {
    const Prefix prefix = net(edges.prefix);
    EXPECT_EQ(prefix.first(), ip(edges.first)) << edges.prefix;
    EXPECT_EQ(prefix.last(), ip(edges.last)) << edges.prefix;
    EXPECT_TRUE(prefix.contains(ip(edges.first))) << edges.prefix;
    EXPECT_TRUE(prefix.contains(ip(edges.last))) << edges.prefix;
    if (edges.before.empty()) continue;
    EXPECT_FALSE(prefix.contains(ip(edges.before))) << edges.prefix;
    EXPECT_FALSE(prefix.contains(ip(edges.behind))) << edges.prefix;
  }
}

TEST(Prefix, ContainsPrefixes) {
  EXPECT_TRUE(net("10.0.0.0/8").contains(net("10.0.0.0/8")));
  EXPECT_TRUE(net("10.0.0.0/8").contains(net("10.255.0.0/16")));
  EXPECT_FALSE(net("10.0.0.0/8").contains(net("10.0.0.0/7")));
  EXPECT_FALSE(net("10.0.0.0/8").contains(net("11.0.0.0/16")));
  EXPECT_FALSE(net("0.0.0.0/0").contains(net("::/0")));
}

TEST(AddressRange, ThreeForms) {
  const auto block = parse_range("203.0.113.16/28");
  ASSERT_TRUE(block);
  EXPECT_EQ(block->first, ip("203.0.113.16"));
  EXPECT_EQ(block->last, ip("203.0.113.31"));
  const auto span = parse_range("203.0.113.40-203.0.113.47");
  ASSERT_TRUE(span);
  EXPECT_TRUE(span->contains(ip("203.0.113.40")));
  EXPECT_TRUE(span->contains(ip("203.0.113.47")));
  EXPECT_FALSE(span->contains(ip("203.0.113.39")));
  EXPECT_FALSE(span->contains(ip("203.0.113.48")));
  const auto one = parse_range("2001:db8::1");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->first, one->last);
  for (const std::string_view text : {"", "-", "10.0.0.2-10.0.0.1", "10.0.0.1-2001:db8::1", "10.0.0.1-", "-10.0.0.1",
                                      "10.0.0.1 - 10.0.0.2", "10.0.0.0/8-10.0.0.1", "1-2-3"}) {
    EXPECT_FALSE(parse_range(text)) << text;
  }
}

TEST(AddressUnion, JoinsWhatTouches) {
  const config::AddressUnion both({net("10.0.0.0/9"), net("10.128.0.0/9"), net("10.1.0.0/16"), net("fd00::/8")});
  ASSERT_EQ(both.ranges().size(), 2U);
  EXPECT_TRUE(both.covers(net("10.0.0.0/8")));
  EXPECT_TRUE(both.covers(net("10.127.255.254/31")));
  EXPECT_TRUE(both.covers(net("fd12::/16")));
  EXPECT_FALSE(both.covers(net("10.0.0.0/7")));
  EXPECT_FALSE(both.covers(net("9.0.0.0/8")));
  EXPECT_FALSE(both.covers(net("::/0")));
}

TEST(AddressUnion, MeetsWhatSharesAnAddress) {
  const config::AddressUnion some({net("10.1.0.0/16"), net("10.3.0.0/16"), net("fd00::/8")});
  for (const char* text :
       {"10.1.0.0/16", "10.1.2.3/32", "10.0.0.0/8", "0.0.0.0/0", "10.2.0.0/15", "::/0", "fd12::1/128"})
    EXPECT_TRUE(some.meets(net(text))) << text;
  for (const char* text : {"10.0.0.0/16", "10.2.0.0/16", "10.4.0.0/14", "255.255.255.255/32", "::/8", "fe00::/8"})
    EXPECT_FALSE(some.meets(net(text))) << text;
  EXPECT_FALSE(config::AddressUnion(std::vector<Prefix>{}).meets(net("0.0.0.0/0")));
}

TEST(AddressUnion, TheLastAddressHasNoNeighbour) {
  const config::AddressUnion ends({net("255.255.255.255/32"), net("0.0.0.0/32")});
  EXPECT_EQ(ends.ranges().size(), 2U);
  EXPECT_FALSE(ends.covers(net("0.0.0.0/0")));
  EXPECT_FALSE(config::AddressUnion(std::vector<Prefix>{}).covers(net("0.0.0.0/32")));
}

}  // namespace
}  // namespace sallyport
