// A gateway for which another one stands in: what it does with packets, and how it comes to it.
#include <array>

#include "dataplane/standing.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using State = Standing::State;
using wire::Tcp;

const End pod{"10.0.10.5", 40000};
const End server{"198.51.100.7", 443};
const End own{"10.0.0.1", 179};
constexpr MacAddress other_mac = {2, 0, 0, 0, 0, 3};

// On two wires as ever, with an address of its own on the inside, and another gateway there.
struct Pair {
  explicit Pair(State first) : standing(first, {parse_address("10.0.0.3").value()}), g(allow_all) {
    g.snapshot.standing = &standing;
    const std::vector<RouteEntry> routes = {{parse_prefix("10.0.0.0/16")->prefix, Gateway::inside, std::nullopt},
                                            {parse_prefix("0.0.0.0/0")->prefix, Gateway::outside, gateway}};
    const std::vector<NeighbourEntry> neighbours = {
        {Gateway::inside, parse_address("10.0.10.5").value(), {2, 0, 0, 0, 0, 5}},
        {Gateway::inside, parse_address("10.0.0.3").value(), other_mac},
        {Gateway::outside, gateway, {2, 0, 0, 0, 0, 9}}};
    g.snapshot.routing =
        std::make_shared<const Routing>(routes, neighbours, std::vector<LocalAddress>{{Gateway::inside, own.ip}}, 1U);
  }

  const IpAddress gateway = parse_address("203.0.113.254").value();
  Standing standing;
  Gateway g;
};

TEST(Standby, ForwardsNothingAndOpensNoFlow) {
  Pair pair(State::standby);
  EXPECT_TRUE(pair.g.from_inside(tcp(pod, server, Tcp::syn)).silent());
  EXPECT_TRUE(pair.g.from_inside(udp(pod, server)).silent());
  EXPECT_TRUE(pair.g.from_outside(udp(server, End("203.0.113.1", 40000))).silent());
  EXPECT_EQ(pair.g.dropped(Drop::standby), 3U);
  EXPECT_EQ(pair.g.pipeline.counters().flows_opened.get(), 0U);
}

TEST(Standby, TheKernelHearsWhatIsForTheGatewayItself) {
  Pair pair(State::standby);
  (void)pair.g.from_inside(tcp(pod, own, Tcp::syn));
  EXPECT_EQ(pair.g.dropped(Drop::to_gateway), 1U);
  (void)pair.g.from_inside(udp(End("10.0.0.2", 1), End("224.0.0.18", 1)));
  (void)pair.g.from_inside(udp(End("fe80::2", 1), End("ff02::12", 1)));
  EXPECT_EQ(pair.g.dropped(Drop::to_gateway), 3U);
  EXPECT_EQ(pair.g.world.kernel[Gateway::inside].size(), 3U);
  EXPECT_EQ(pair.g.dropped(Drop::standby), 0U);
}

TEST(Standby, WhileItLeavesNotEvenTheKernelHears) {
  Pair pair(State::leaving);
  (void)pair.g.from_inside(tcp(pod, own, Tcp::syn));
  EXPECT_EQ(pair.g.dropped(Drop::standby), 1U);
  EXPECT_EQ(pair.g.dropped(Drop::to_gateway), 0U);
}

TEST(Standby, WhatIsBrokenKeepsItsReason) {
  Pair pair(State::standby);
  Frame cut = tcp(pod, server, Tcp::syn);
  cut.resize(20);
  EXPECT_TRUE(pair.g.from_inside(cut).silent());
  EXPECT_EQ(pair.g.dropped(Drop::standby), 0U);
}

TEST(Standby, AFlowGoesOnWhereItWasOnceItIsActiveAgain) {
  Pair pair(State::active);
  Client client(pair.g, pod, server);
  client.connect();
  pair.standing.become(State::standby);
  EXPECT_TRUE(client.send(0, Frame(10, 1)).silent());
  EXPECT_EQ(pair.g.dropped(Drop::standby), 1U);
  pair.standing.become(State::active);
  const auto out = client.send(0, Frame(10, 1));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).tcp().flags, Tcp::ack | Tcp::psh);
}

// A denied or overdue flow would be answered by time; on standby that is the other one's to say.
TEST(Standby, TimeMakesItSendNothing) {
  Pair pair(State::active);
  pair.g.reload(httpbin_only);  // the next snapshot knows whose turn it is, too
  Client client(pair.g, pod, server);
  client.connect();
  (void)client.send(0, {22, 3, 1});  // a hello that does not go on
  EXPECT_EQ(pair.g.pipeline.counters().held.get(), 1U);
  pair.standing.become(State::standby);
  EXPECT_TRUE(pair.g.wait_ms(30'000).silent());
  EXPECT_EQ(pair.g.pipeline.counters().held.get(), 0U);
}

// What was here goes on, what is new leaves for the other one as it came, one hop older.
TEST(Draining, NewFlowsAreTheOthers) {
  Pair pair(State::active);
  Client client(pair.g, pod, server);
  client.connect();
  pair.standing.drain();
  ASSERT_EQ(client.send(0, Frame(10, 1)).outside.size(), 1U);
  ASSERT_EQ(client.server_sends(0, Frame(10, 2)).inside.size(), 1U);

  const End fresh{"10.0.10.5", 40001};
  for (const Frame& frame : {tcp(fresh, server, Tcp::syn), udp(fresh, server), tcp(fresh, server, Tcp::ack)}) {
    const auto out = pair.g.from_inside(frame);
    EXPECT_TRUE(out.outside.empty());
    ASSERT_EQ(out.inside.size(), 1U);
    EXPECT_TRUE(std::equal(other_mac.begin(), other_mac.end(), out.inside[0].begin()));
    const Seen seen = look_at(out.inside[0]);
    EXPECT_EQ(seen.from(), "10.0.10.5");
    EXPECT_EQ(seen.to(), "198.51.100.7");
    EXPECT_EQ(seen.frame[14 + 8], 63);
    EXPECT_TRUE(seen.l4_checksum_right());
  }
  EXPECT_EQ(pair.g.pipeline.counters().flows_opened.get(), 1U);
  pair.g.expect_balance();

  pair.standing.become(State::active);
  EXPECT_EQ(pair.g.from_inside(tcp(fresh, server, Tcp::syn)).outside.size(), 1U);
}

TEST(Draining, WhereNobodyElseTakesThemTheyAreItsOwn) {
  Pair pair(State::active);
  pair.standing.drain();
  EXPECT_EQ(pair.standing.takes_new_flows(Family::v6), nullptr);
  EXPECT_NE(pair.standing.takes_new_flows(Family::v4), nullptr);
}

// Two that drain at once play ball no longer than the packet lives.
TEST(Draining, AHopIsCounted) {
  Pair pair(State::active);
  pair.standing.drain();
  (void)pair.g.from_inside(udp(pod, server, {1, 2, 3, 4}, true, {.ttl = 1}));
  EXPECT_EQ(pair.g.dropped(Drop::ttl_exceeded), 1U);
}

TEST(Standing, AWorkerFencesOnlyAnActiveOneAndOnlyOnce) {
  Standing standing(State::standby);
  EXPECT_FALSE(standing.fence());
  standing.become(State::active);
  EXPECT_TRUE(standing.fence());
  EXPECT_FALSE(standing.fence());
  EXPECT_EQ(standing.state(), State::leaving);
  standing.settle();
  EXPECT_EQ(standing.state(), State::standby);
  EXPECT_TRUE(standing.fenced()) << "until it is told what to be";
  standing.become(State::leaving);
  EXPECT_TRUE(standing.fenced());
  standing.become(State::standby);
  EXPECT_FALSE(standing.fenced());
}

}  // namespace
}  // namespace sallyport::dataplane::test
