// Routes and neighbours as the workers ask them.
#include "dataplane/routing.h"

#include <gtest/gtest.h>

namespace sallyport::dataplane {
namespace {

using State = Hop::State;

IpAddress ip(const char* text) { return parse_address(text).value(); }
Prefix net(const char* text) { return parse_prefix(text).value().prefix; }
constexpr MacAddress client_mac = {2, 0, 0, 0, 0, 9};
constexpr MacAddress router_mac = {2, 0, 0, 0, 1, 254};

Routing example() {
  return Routing({{net("10.0.0.0/24"), 0, std::nullopt},
                  {net("203.0.113.0/24"), 1, std::nullopt},
                  {net("0.0.0.0/0"), 1, ip("203.0.113.254")},
                  {net("198.51.100.0/24"), 1, ip("203.0.113.253")},
                  {net("192.0.2.0/24"), no_port, std::nullopt},
                  {net("2001:db8:1::/48"), 1, ip("fe80::1")}},
                 {{0, ip("10.0.0.9"), client_mac},
                  {1, ip("203.0.113.254"), router_mac},
                  {1, ip("10.0.0.9"), router_mac},
                  {1, ip("fe80::1"), router_mac}},
                 {{0, ip("10.0.0.1")}, {0, ip("fd00::1")}, {1, ip("203.0.113.2")}, {1, ip("203.0.113.3")}}, 7);
}

TEST(Routing, OnLinkTheNextHopIsTheDestination) {
  const Routing routing = example();
  const Hop known = routing.next(ip("10.0.0.9"), false);
  EXPECT_EQ(known.state, State::resolved);
  EXPECT_EQ(known.port, 0);
  EXPECT_EQ(known.destination_mac, client_mac) << "of its own port, not of the other";
  EXPECT_EQ(known.next_hop, ip("10.0.0.9"));
  EXPECT_FALSE(known.keep_macs);
  const Hop unknown = routing.next(ip("10.0.0.10"), false);
  EXPECT_EQ(unknown.state, State::unresolved);
  EXPECT_EQ(unknown.port, 0);
  EXPECT_EQ(unknown.next_hop, ip("10.0.0.10"));
}

TEST(Routing, ByAGatewayTheGatewayIsAskedFor) {
  const Routing routing = example();
  const Hop known = routing.next(ip("8.8.8.8"), true);
  EXPECT_EQ(known.state, State::resolved);
  EXPECT_EQ(known.port, 1);
  EXPECT_EQ(known.destination_mac, router_mac);
  const Hop unknown = routing.next(ip("198.51.100.1"), true);
  EXPECT_EQ(unknown.state, State::unresolved);
  EXPECT_EQ(unknown.next_hop, ip("203.0.113.253"));
  EXPECT_EQ(routing.next(ip("2001:db8:1::5"), true).destination_mac, router_mac);
}

TEST(Routing, ABlackholeIsNoRouteThoughThereIsADefault) {
  const Routing routing = example();
  EXPECT_EQ(routing.next(ip("192.0.2.1"), true).state, State::no_route);
  EXPECT_EQ(routing.next(ip("2001:db9::1"), true).state, State::no_route);
}

TEST(Routing, OwnAddresses) {
  const Routing routing = example();
  EXPECT_TRUE(routing.is_local(ip("10.0.0.1")));
  EXPECT_TRUE(routing.is_local(ip("203.0.113.3")));
  EXPECT_TRUE(routing.is_local(ip("fd00::1")));
  EXPECT_FALSE(routing.is_local(ip("203.0.113.4")));
  EXPECT_FALSE(routing.is_local(ip("a00:1::")));
  for (unsigned last = 4; last < 254; ++last) {
    EXPECT_FALSE(routing.is_local(IpAddress::from_v4(0xcb007100U + last))) << last;
  }
  EXPECT_EQ(*routing.address_on(1, Family::v4), ip("203.0.113.2"));
  EXPECT_EQ(*routing.address_on(0, Family::v6), ip("fd00::1"));
  EXPECT_EQ(routing.address_on(1, Family::v6), nullptr);
  EXPECT_EQ(routing.generation(), 7U);
}

TEST(Routing, TwoWiresSendEverythingToTheOtherSide) {
  const auto routing = Routing::two_wires(3, 5);
  const Hop out = routing->next(ip("8.8.8.8"), true);
  EXPECT_EQ(out.state, State::resolved);
  EXPECT_EQ(out.port, 5);
  EXPECT_TRUE(out.keep_macs);
  EXPECT_EQ(routing->next(ip("2001:db8::1"), false).port, 3);
  EXPECT_FALSE(routing->is_local(ip("8.8.8.8")));
}

TEST(Routing, OnTwoWiresOurAddressesAreOnlySpokenFrom) {
  const auto routing =
      Routing::two_wires(3, 5, {{3, ip("10.0.0.1")}, {5, ip("203.0.113.254")}, {5, ip("2001:db8::1")}});
  EXPECT_EQ(*routing->address_on(3, Family::v4), ip("10.0.0.1"));
  EXPECT_EQ(*routing->address_on(5, Family::v6), ip("2001:db8::1"));
  EXPECT_EQ(routing->address_on(3, Family::v6), nullptr);
  EXPECT_FALSE(routing->is_local(ip("10.0.0.1")));
}

}  // namespace
}  // namespace sallyport::dataplane
