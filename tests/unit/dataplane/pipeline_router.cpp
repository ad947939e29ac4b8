// The gateway as a router (nat.md 26 and 27): neighbours that are not known yet, and tags on its ports.
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

const End pod{"10.0.10.5", 5000};
const End server{"198.51.100.7", 53};
const MacAddress pod_mac{2, 0, 0, 0, 0, 0x0a}, hop_mac{2, 0, 0, 0, 0, 0x0b}, inside_mac{2, 0, 0, 0, 0, 1},
    outside_mac{2, 0, 0, 0, 0, 2};

// Pods on link inside; everything else by a next hop outside.
std::shared_ptr<const Routing> routes(bool resolved, std::uint32_t generation,
                                      const std::vector<LocalAddress>& locals = {}) {
  const std::vector<RouteEntry> table{
      {parse_prefix("10.0.0.0/8")->prefix, Gateway::inside, std::nullopt},
      {parse_prefix("0.0.0.0/0")->prefix, Gateway::outside, address("203.0.113.254")},
  };
  std::vector<NeighbourEntry> neighbours{{Gateway::inside, pod.ip, pod_mac}};
  if (resolved) neighbours.push_back({Gateway::outside, address("203.0.113.254"), hop_mac});
  return std::make_shared<const Routing>(table, neighbours, locals, generation);
}

PipelineSettings ports(wire::VlanTags inside_vlan = {}, wire::VlanTags outside_vlan = {}) {
  PipelineSettings settings = two_ports();
  settings.ports[0].mac = inside_mac;
  settings.ports[1].mac = outside_mac;
  settings.ports[0].vlan = inside_vlan;
  settings.ports[1].vlan = outside_vlan;
  return settings;
}

class Router : public Gateway {
 public:
  explicit Router(const PipelineSettings& settings = ports(), bool resolved = false) : Gateway(allow_all, settings) {
    snapshot.routing = routes(resolved, 1);
  }
};

MacAddress mac_at(const Frame& frame, std::size_t offset) {
  MacAddress mac;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), mac.size(), mac.begin());
  return mac;
}

TEST(PipelineRouter, EightPacketsWaitForANeighbourAndNoneIsLost) {
  Router g;
  for (std::uint8_t i = 0; i < 9; ++i) EXPECT_TRUE(g.from_inside(udp(pod, server, {i})).silent());
  EXPECT_EQ(g.world.asked, std::vector<IpAddress>{address("203.0.113.254")}) << "asked once";
  EXPECT_EQ(g.pipeline.counters().held.get(), 8U);
  EXPECT_EQ(g.dropped(Drop::neighbour_queue_full), 1U);
  g.snapshot.routing = routes(true, 2);
  const auto out = g.wait_ms(100);
  ASSERT_EQ(out.outside.size(), 8U);
  for (std::uint8_t i = 0; i < 8; ++i) {
    EXPECT_EQ(look_at(out.outside[i]).payload()[0], i) << "in their order";
    EXPECT_EQ(mac_at(out.outside[i], 0), hop_mac);
    EXPECT_EQ(mac_at(out.outside[i], 6), outside_mac);
  }
  EXPECT_EQ(g.from_inside(udp(pod, server)).outside.size(), 1U);
}

TEST(PipelineRouter, ANeighbourThatDoesNotAnswerIsGivenUpAfterThreeSeconds) {
  Router g;
  (void)g.from_inside(udp(pod, server));
  EXPECT_TRUE(g.wait_ms(2'900).silent());
  EXPECT_EQ(g.dropped(Drop::neighbour_unresolved), 0U);
  EXPECT_TRUE(g.wait_ms(200).silent());
  EXPECT_EQ(g.dropped(Drop::neighbour_unresolved), 1U);
  (void)g.from_inside(udp(pod, server));
  EXPECT_EQ(g.world.asked.size(), 2U) << "and asked again";
}

// What answers a pod's flow is the pod's: it must not stand in front of a service of the gateway.
TEST(PipelineRouter, N82LowPortsOfTheGatewaysOwnAddressAreNotGiven) {
  Router g(ports(), true);
  const End far("198.51.100.7", 50000);
  for (const bool own : {false, true}) {
    std::vector<LocalAddress> locals;
    if (own) locals.push_back({Gateway::outside, address("203.0.113.1")});
    g.snapshot.routing = routes(true, own ? 3 : 2, locals);
    const std::uint16_t service = own ? 179 : 22;
    const Seen sent = look_at(g.from_inside(tcp(End("10.0.10.5", service), far, wire::Tcp::syn)).outside.at(0));
    EXPECT_EQ(sent.from_port() < 1024, !own);
    EXPECT_EQ(look_at(g.from_inside(tcp(pod, far, wire::Tcp::syn)).outside.at(0)).from_port(), pod.port);
  }
  EXPECT_TRUE(g.from_outside(tcp(far, End("203.0.113.1", 179), wire::Tcp::syn)).silent());
  EXPECT_EQ(g.dropped(Drop::to_gateway), 1U);
}

// Their network is behind a node, and no route leads there: all that has none leaves by the outside port.
TEST(PipelineRouter, WhatIsForAClientNeverLeavesByAnOutsidePort) {
  const End far_pod{"192.168.7.5", 5000};
  Router g(ports(), true);
  const auto sent = g.from_inside(udp(far_pod, server));
  ASSERT_EQ(sent.outside.size(), 1U);
  const Seen seen = look_at(sent.outside[0]);
  const auto answered = g.from_outside(udp(server, End(seen.from(), seen.from_port())));
  EXPECT_TRUE(answered.inside.empty());
  ASSERT_EQ(answered.outside.size(), 1U);
  EXPECT_EQ(look_at(answered.outside[0]).to(), "198.51.100.7") << "who is told so";
  EXPECT_EQ(look_at(answered.outside[0]).icmp().code, 1) << "host unreachable";
  EXPECT_EQ(g.dropped(Drop::no_route), 1U);

  const Frame error = icmp(address("198.51.100.1"), address(seen.from()), 3, 1, 0, l3(sent.outside[0]));
  EXPECT_TRUE(g.from_outside(error).silent()) << "nor does an error";
  EXPECT_EQ(g.dropped(Drop::no_route), 2U);
}

// `tags` as on the wire, in front of the type.
Frame with_tags(const Frame& frame, const Frame& tags) {
  Frame with = frame;
  with.insert(with.begin() + 12, tags.begin(), tags.end());
  return with;
}

TEST(PipelineRouter, BothSidesAreTaggedAsTheirPorts) {
  Router g(ports({7}, {9}), true);
  const auto tagged = [](const Frame& frame, std::uint8_t vlan) { return with_tags(frame, {0x81, 0, 0, vlan}); };
  const auto out = g.from_inside(tagged(udp(pod, server), 7));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(Frame(out.outside[0].begin() + 12, out.outside[0].begin() + 18), (Frame{0x81, 0, 0, 9, 8, 0}));
  const auto back = g.from_outside(tagged(udp(server, End("203.0.113.1", 5000)), 9));
  ASSERT_EQ(back.inside.size(), 1U);
  EXPECT_EQ(Frame(back.inside[0].begin() + 12, back.inside[0].begin() + 18), (Frame{0x81, 0, 0, 7, 8, 0}));
  EXPECT_EQ(mac_at(back.inside[0], 0), pod_mac);
  EXPECT_TRUE(g.from_inside(udp(pod, server)).silent());
  EXPECT_TRUE(g.from_inside(tagged(udp(pod, server), 9)).silent());
  EXPECT_EQ(g.dropped(Drop::wrong_vlan), 2U);
}

// 802.1ad: the service tag 100 in front of the customer's 7.
const Frame service_tags{0x88, 0xa8, 0, 100, 0x81, 0, 0, 7};

TEST(PipelineRouter, TwoTagsAreTakenAndPut) {
  Router g(ports({}, {7, 100}), true);
  const auto out = g.from_inside(udp(pod, server));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(Frame(out.outside[0].begin() + 12, out.outside[0].begin() + 22),
            (Frame{0x88, 0xa8, 0, 100, 0x81, 0, 0, 7, 8, 0}));
  EXPECT_EQ(mac_at(out.outside[0], 0), hop_mac);
  EXPECT_EQ(look_at(out.outside[0]).from(), "203.0.113.1");
  const Frame answer = udp(server, End("203.0.113.1", 5000));
  ASSERT_EQ(g.from_outside(with_tags(answer, service_tags)).inside.size(), 1U);
  // A device that took the outer tag off may have put it back as 802.1Q's.
  const auto back = g.from_outside(with_tags(answer, {0x81, 0, 0, 100, 0x81, 0, 0, 7}));
  ASSERT_EQ(back.inside.size(), 1U);
  EXPECT_EQ(Frame(back.inside[0].begin() + 12, back.inside[0].begin() + 14), (Frame{8, 0}));
}

TEST(PipelineRouter, OtherTagsThanItsTwoAreNotThePorts) {
  Router g(ports({}, {7, 100}), true);
  ASSERT_EQ(g.from_inside(udp(pod, server)).outside.size(), 1U);
  const Frame answer = udp(server, End("203.0.113.1", 5000));
  const Frame wrong[] = {{},
                         {0x81, 0, 0, 7},
                         {0x88, 0xa8, 0, 100},
                         {0x88, 0xa8, 0, 100, 0x81, 0, 0, 8},
                         {0x88, 0xa8, 0, 101, 0x81, 0, 0, 7},
                         {0x88, 0xa8, 0, 7, 0x81, 0, 0, 100},
                         {0x88, 0xa8, 0, 5, 0x81, 0, 0, 100, 0x81, 0, 0, 7}};
  for (const Frame& tags : wrong) EXPECT_TRUE(g.from_outside(with_tags(answer, tags)).silent());
  EXPECT_EQ(g.dropped(Drop::wrong_vlan), std::size(wrong));
}

// What the gateway says itself goes where its packets go.
TEST(PipelineRouter, RepliesOfTheGatewayCarryTheTagsOfThePort) {
  Router g(ports({7, 100}, {}), true);
  const auto type_of = [](const Frame& frame) { return Frame(frame.begin() + 12, frame.begin() + 22); };
  const Frame expected{0x88, 0xa8, 0, 100, 0x81, 0, 0, 7, 8, 0};
  const auto expired = g.from_inside(with_tags(udp(pod, server, {1}, true, {.ttl = 1}), service_tags));
  ASSERT_EQ(expired.inside.size(), 1U);
  EXPECT_EQ(type_of(expired.inside[0]), expected);
  EXPECT_EQ(look_at(expired.inside[0]).icmp().type, wire::icmp_time_exceeded);
  g.reload(deny_all);
  g.snapshot.routing = routes(true, 1);
  const auto denied = g.from_inside(with_tags(tcp(pod, server, wire::Tcp::syn), service_tags));
  ASSERT_EQ(denied.inside.size(), 1U);
  EXPECT_EQ(type_of(denied.inside[0]), expected);
  EXPECT_NE(look_at(denied.inside[0]).tcp().flags & wire::Tcp::rst, 0);
}

TEST(PipelineRouter, ABurstPassesItsStagesInTheirOrder) {
  Router g(ports(), true);
  EXPECT_EQ(g.from_inside(udp(pod, server)).outside.size(), 1U);
  EXPECT_EQ(g.world.passed, (std::vector{Stage::parse, Stage::look_up, Stage::handle, Stage::transmit}));
}

}  // namespace
}  // namespace sallyport::dataplane::test
