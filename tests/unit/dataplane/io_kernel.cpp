// What is told to the kernel and the neighbours, and what is made of what the kernel says.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/io/announce.h"
#include "dataplane/io/egress_addresses.h"
#include "dataplane/io/egress_routes.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/interface_addresses.h"
#include "dataplane/io/routing_reader.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

IpAddress ip(const char* text) { return parse_address(text).value(); }
Prefix net(const char* text) { return parse_prefix(text).value().prefix; }
constexpr MacAddress mac = {2, 0, 0, 0, 0, 7};

std::vector<std::string> texts(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> all;
  for (const Prefix& prefix : prefixes) all.push_back(to_string(prefix));
  return all;
}

TEST(EgressAddresses, RangesBecomeTheFewestPrefixes) {
  using Texts = std::vector<std::string>;
  const auto split = [](const char* range) { return texts(prefixes_of(parse_range(range).value())); };
  EXPECT_EQ(split("203.0.113.8"), (Texts{"203.0.113.8/32"}));
  EXPECT_EQ(split("203.0.113.8/29"), (Texts{"203.0.113.8/29"}));
  EXPECT_EQ(split("203.0.113.7-203.0.113.16"), (Texts{"203.0.113.7/32", "203.0.113.8/29", "203.0.113.16/32"}));
  EXPECT_EQ(split("0.0.0.0-255.255.255.255"), (Texts{"0.0.0.0/0"}));
  EXPECT_EQ(split("255.255.255.254-255.255.255.255"), (Texts{"255.255.255.254/31"}));
  EXPECT_EQ(split("0.0.0.1-255.255.255.255").size(), 32U);
}

TEST(EgressAddresses, EachOfAPrefixIsAnnouncedOnce) {
  const auto first = [](const char* prefix, std::size_t most) {
    std::vector<std::string> all;
    for (const IpAddress& address : first_addresses(net(prefix), most)) all.push_back(to_string(address));
    return all;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(first("203.0.113.8/31", 1024), (Texts{"203.0.113.8", "203.0.113.9"}));
  EXPECT_EQ(first("203.0.112.254/31", 1024), (Texts{"203.0.112.254", "203.0.112.255"}));
  EXPECT_EQ(first("2001:db8::fe/127", 1024), (Texts{"2001:db8::fe", "2001:db8::ff"}));
  EXPECT_EQ(first("10.0.0.0/8", 3).size(), 3U);
  EXPECT_EQ(first("10.0.0.0/8", 1024).back(), "10.0.3.255");
  EXPECT_TRUE(first("10.0.0.0/8", 0).empty());
}

TEST(EgressRoutes, AreTheFewestPrefixesOfBothFamilies) {
  using Texts = std::vector<std::string>;
  const auto routes = [](const std::vector<const char*>& ranges) {
    std::vector<AddressRange> all;
    for (const char* range : ranges) all.push_back(parse_range(range).value());
    const std::set<Prefix> prefixes = route_prefixes(all);
    return texts({prefixes.begin(), prefixes.end()});
  };
  EXPECT_EQ(routes({"203.0.113.8"}), (Texts{"203.0.113.8/32"}));
  EXPECT_EQ(routes({"203.0.113.7-203.0.113.16"}), (Texts{"203.0.113.7/32", "203.0.113.8/29", "203.0.113.16/32"}));
  EXPECT_EQ(routes({"0.0.0.0-255.255.255.255"}), (Texts{"0.0.0.0/0"}));
  EXPECT_EQ(routes({"2001:db8::8", "2001:db8:8::/64"}), (Texts{"2001:db8::8/128", "2001:db8:8::/64"}));
  EXPECT_EQ(routes({"2001:db8::ff-2001:db8::102"}),
            (Texts{"2001:db8::ff/128", "2001:db8::100/127", "2001:db8::102/128"}));
  EXPECT_EQ(routes({"203.0.113.8", "203.0.113.8"}), (Texts{"203.0.113.8/32"}));
  EXPECT_TRUE(routes({}).empty());
}

TEST(EgressRoutes, AreBounded) {
  std::vector<AddressRange> singles;
  for (std::uint32_t i = 0; i < 2 * egress_routes_max; ++i) {
    singles.push_back({IpAddress::from_v4(2 * i), IpAddress::from_v4(2 * i)});
  }
  EXPECT_EQ(route_prefixes(singles).size(), egress_routes_max);
}

struct Heard {
  std::vector<std::string> warnings;
  Log log = [this](Severity severity, const std::string& text) {
    if (severity == Severity::warning) warnings.push_back(text);
  };
};

TEST(InterfaceAddresses, OneInANetworkOfThePortIsRefusedWithWhatToDo) {
  config::PortConfig port;
  port.name = "inside";
  port.addresses = {{ip("10.0.0.1"), 24}, {ip("fd00::1"), 64}};
  for (const char* own : {"10.0.0.1", "10.0.0.77", "fd00::2"}) {
    Heard heard;
    try {
      check_interface_addresses(port, "eth1", {ip(own)}, heard.log);
      ADD_FAILURE() << own << " was taken";
    } catch (const EnvironmentError& error) {
      const std::string text = error.what();
      for (const std::string& part :
           {std::string(own), std::string("ip address flush dev eth1"), std::string("sp-inside")})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
}

TEST(InterfaceAddresses, AnyOtherIsWarnedOf) {
  config::PortConfig port;
  port.name = "inside";
  port.addresses = {{ip("10.0.0.1"), 24}};
  Heard heard;
  check_interface_addresses(port, "eth1", {ip("192.0.2.1"), ip("fe80::1"), ip("2001:db8::1")}, heard.log);
  ASSERT_EQ(heard.warnings.size(), 2U);
  EXPECT_NE(heard.warnings[0].find("192.0.2.1"), std::string::npos) << heard.warnings[0];
}

TEST(Announcement, GratuitousArp) {
  const std::vector<std::uint8_t> frame = announcement(ip("203.0.113.8"), mac);
  const std::vector<std::uint8_t> expected = {
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,   0, 0,   0, 0, 7, 0x08, 0x06,  // to all
      0,    1,    0x08, 0,    6,    4,    0,   1,                            // request
      2,    0,    0,    0,    0,    7,    203, 0, 113, 8,                    // sender
      0,    0,    0,    0,    0,    0,    203, 0, 113, 8};                   // target: the same address
  EXPECT_EQ(frame, expected);
}

TEST(Announcement, UnsolicitedAdvertisementOverridesAndSumsRight) {
  const IpAddress address = ip("2001:db8::8");
  const std::vector<std::uint8_t> frame = announcement(address, mac);
  ASSERT_EQ(frame.size(), 14U + 40U + 32U);
  EXPECT_EQ(frame[0], 0x33);
  EXPECT_EQ(frame[21], 255) << "hop limit";
  EXPECT_EQ(frame[54], 136) << "advertisement";
  EXPECT_EQ(frame[58], 0x20) << "override, neither router nor solicited";
  EXPECT_EQ(frame[85], 7) << "ends with the MAC";
  const wire::Sum sum =
      wire::pseudo_header({&frame[22], 16}, {&frame[38], 16}, 58, 32) + wire::sum_words(&frame[54], 32);
  EXPECT_EQ(wire::finish(sum), 0);
}

TEST(RoutingReader, OnlyTwinsAndOfEachPrefixTheLowestMetric) {
  const std::vector<unsigned> twins = {11, 12};
  const std::vector<RouteEntry> entries = route_entries(
      {
          {net("0.0.0.0/0"), 2, ip("192.168.1.1"), 0},  // the machine's own network
          {net("0.0.0.0/0"), 12, ip("203.0.113.254"), 4160},
          {net("0.0.0.0/0"), 11, ip("10.0.0.254"), 5120},
          {net("10.0.0.0/24"), 11, std::nullopt, 0},
          {net("10.9.0.0/16"), 0, std::nullopt, 0},  // blackhole
      },
      twins);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].port, 1);
  EXPECT_EQ(entries[0].gateway, ip("203.0.113.254"));
  EXPECT_EQ(entries[1].port, 0);
  EXPECT_EQ(entries[1].gateway, std::nullopt);
  EXPECT_EQ(entries[2].port, no_port);
}

TEST(RoutingReader, AddressesToSpeakFromAreGlobalOnesFirst) {
  const std::vector<LocalAddress> locals = local_addresses({{11, ip("fe80::1"), false},
                                                            {11, ip("fd00::1"), false},
                                                            {12, ip("2001:db8::8"), true},
                                                            {12, ip("2001:db8::2"), false},
                                                            {2, ip("192.168.1.9"), false}},
                                                           {11, 12});
  ASSERT_EQ(locals.size(), 3U);
  EXPECT_EQ(locals[0].address, ip("fd00::1"));
  EXPECT_EQ(locals[1].address, ip("fe80::1"));
  EXPECT_EQ(locals[2].address, ip("2001:db8::2"));
}

TEST(RoutingReader, TheSameInAnotherOrderIsTheSame) {
  const std::vector<unsigned> twins = {11, 12};
  const KernelNeighbour first{11, ip("10.0.0.9"), mac, false};
  const KernelNeighbour second{12, ip("203.0.113.254"), mac, true};
  RoutingParts a;
  a.neighbours = neighbour_entries({first, second}, twins);
  RoutingParts b;
  b.neighbours = neighbour_entries({second, first}, twins);
  EXPECT_TRUE(a == b);
  b.neighbours[0].mac[5] = 8;
  EXPECT_FALSE(a == b);
  b.neighbours.pop_back();
  EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace sallyport::dataplane
