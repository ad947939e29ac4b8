// Pods behind an overlay: what the scenarios of tests/scenarios/cases_tunnels.py cannot show: time, workers, filtering.
#include "dataplane/tunnels.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using wire::Tcp;

const End us("10.0.0.1", 4789);
const End server("198.51.100.7", 443);
constexpr std::size_t headers = 14 + 20 + 8 + 8;  // in front of the inner frame

std::shared_ptr<const Tunnels> one_vxlan(std::uint32_t vni = 4096, const std::vector<IpAddress>& own = {}) {
  config::ApplianceModel model;
  model.ports.resize(2);
  model.ports[0].name = "inside";
  config::TunnelConfig tunnel;
  tunnel.port_name = "inside";
  tunnel.local = us.ip;
  tunnel.port = 4789;
  tunnel.vni = {vni};
  tunnel.addresses = own;
  model.tunnels = {tunnel};
  return Tunnels::of(model);
}

// The frame as `node` sends it through the overlay.
Frame through(const std::string& node, const Frame& inner, std::uint16_t vni = 4096) {
  Frame content{0x08, 0, 0, 0, 0, static_cast<std::uint8_t>(vni >> 8U), static_cast<std::uint8_t>(vni), 0};
  content.insert(content.end(), inner.begin(), inner.end());
  return udp(End(node, 50000), us, content);
}

struct Inside {
  std::string node;
  Seen seen;
};
Inside look_inside(const Frame& frame) {
  const Seen outer = look_at(frame);
  EXPECT_EQ(outer.from(), "10.0.0.1");
  EXPECT_EQ(outer.to_port(), 4789);
  return {outer.to(), look_at(Frame(frame.begin() + headers, frame.end()))};
}

PipelineSettings with_tunnels() {
  PipelineSettings settings = two_ports();
  settings.tunnels = true;
  return settings;
}

class Overlay : public Gateway {
 public:
  explicit Overlay(const std::string& policy, const PipelineSettings& settings = with_tunnels())
      : Gateway(policy, settings) {
    snapshot.tunnels = one_vxlan();
  }
};

// Each pod behind a node of its own; many bursts later each answer goes to the right one.
TEST(PipelineTunnels, EveryFlowRemembersItsNode) {
  Overlay g(allow_all);
  for (std::uint16_t i = 1; i <= 200; ++i) {
    const End pod("10.1.0." + std::to_string(i), i);
    EXPECT_EQ(g.from_inside(through("10.0.1." + std::to_string(i), udp(pod, server))).outside.size(), 1U);
  }
  for (std::uint16_t i = 1; i <= 200; ++i) {
    const auto out = g.from_outside(udp(server, End("203.0.113.1", i)));
    ASSERT_EQ(out.inside.size(), 1U);
    const Inside inside = look_inside(out.inside[0]);
    EXPECT_EQ(inside.node, "10.0.1." + std::to_string(i));
    EXPECT_EQ(inside.seen.to(), "10.1.0." + std::to_string(i));
    EXPECT_TRUE(inside.seen.l4_checksum_right());
  }
}

// What is held outlives its burst, and so does the way back of its refusal.
TEST(PipelineTunnels, ARefusalAfterTheBurstGoesBackIntoTheTunnel) {
  Overlay g(httpbin_only);
  const auto pod = [](int i) { return End("10.1.0." + std::to_string(i), 40000); };
  const auto node = [](int i) { return "10.0.1." + std::to_string(i); };
  for (int i = 1; i <= 3; ++i) {
    const auto syn = g.from_inside(through(node(i), tcp(pod(i), server, Tcp::syn, {.seq = 1000})));
    ASSERT_EQ(syn.outside.size(), 1U);
    const Seen seen = look_at(syn.outside[0]);
    (void)g.from_outside(
        tcp(server, End(seen.from(), seen.from_port()), Tcp::syn | Tcp::ack, {.seq = 5000, .ack = 1001}));
    (void)g.from_inside(through(node(i), tcp(pod(i), server, Tcp::ack, {.seq = 1001, .ack = 5001})));
    const Frame half{0x16, 3, 1, 2, 0, 1, 0};
    (void)g.from_inside(
        through(node(i), tcp(pod(i), server, Tcp::ack | Tcp::psh, {.seq = 1001, .ack = 5001, .payload = half})));
  }
  const auto late = g.wait_ms(11'000);
  ASSERT_EQ(late.inside.size(), 3U);
  for (const Frame& frame : late.inside) {
    const Inside inside = look_inside(frame);
    EXPECT_EQ(inside.seen.tcp().flags & Tcp::rst, Tcp::rst);
    EXPECT_EQ(inside.node.substr(inside.node.rfind('.')), inside.seen.to().substr(inside.seen.to().rfind('.')));
  }
}

TEST(PipelineTunnels, AnAllowedHelloThatWaitedGoesOn) {
  Overlay g(httpbin_only);
  const End pod("10.1.0.1", 40000);
  const auto syn = g.from_inside(through("10.0.1.1", tcp(pod, server, Tcp::syn, {.seq = 1000})));
  const Seen seen = look_at(syn.outside.at(0));
  (void)g.from_outside(
      tcp(server, End(seen.from(), seen.from_port()), Tcp::syn | Tcp::ack, {.seq = 5000, .ack = 1001}));
  const Frame hello = classifier::names::record(classifier::names::browser_hello("httpbin.org", 32).message());
  const auto cut = static_cast<std::ptrdiff_t>(hello.size() / 2);
  const Frame first(hello.begin(), hello.begin() + cut), rest(hello.begin() + cut, hello.end());
  (void)g.from_inside(through("10.0.1.1", tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5001, .payload = first})));
  const auto out = g.from_inside(through(
      "10.0.1.1",
      tcp(pod, server, Tcp::ack, {.seq = 1001 + static_cast<std::uint32_t>(cut), .ack = 5001, .payload = rest})));
  EXPECT_EQ(out.outside.size(), 2U);
}

// Somebody else answers through the mapping: the pod is where it was last seen.
TEST(PipelineTunnels, FlowsFromOutsideGoWhereThePodIs) {
  PipelineSettings settings = with_tunnels();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  Overlay g(allow_all, settings);
  (void)g.from_inside(through("10.0.1.1", udp(End("10.1.0.1", 5000), server)));
  const auto out = g.from_outside(udp(End("198.51.100.9", 1), End("203.0.113.1", 5000)));
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_inside(out.inside[0]).node, "10.0.1.1");
}

TEST(PipelineTunnels, PacketsBelongToTheWorkerOfThePod) {
  Overlay g(allow_all);
  constexpr std::uint32_t workers = 4;
  const auto owner = [&](Frame frame) {
    Packet packet;
    packet.data = frame.data();
    packet.length = static_cast<std::uint32_t>(frame.size());
    packet.port = Gateway::inside;
    return Pipeline::owner(packet, config::PortRole::inside, workers, 0, g.snapshot, 1);
  };
  for (int i = 1; i < 100; ++i) {
    const Frame inner = udp(End("10.1.0." + std::to_string(i), 5000), server);
    EXPECT_EQ(owner(through("10.0.1.1", inner)), owner(inner));
  }
}

// The flow of `pod`, opened through `node`, in the tables of another process, whose policy comes later.
void hand_on(const Gateway& before, Gateway& after) {
  std::array<SavedFlow, 4> flows;
  std::size_t from = 0;
  ASSERT_EQ(before.pipeline.save_flows(from, flows), 1U);
  after.now = before.now + 1'000'000'000;
  after.pipeline.advance(after.now, after.snapshot);
  ASSERT_EQ(after.pipeline.take_back(flows[0]), TakenBack::taken);
}

// The server speaks first: nothing of the client says where it is.
TEST(PipelineTunnels, AfterARestartAnswersGoOnIntoTheTunnel) {
  const End pod("10.1.0.1", 40000);
  Overlay before(allow_all);
  ASSERT_EQ(before.from_inside(through("10.0.1.1", udp(pod, server))).outside.size(), 1U);
  Overlay after("");
  hand_on(before, after);
  after.reload(allow_all);
  const auto out = after.from_outside(udp(server, End("203.0.113.1", 40000)));
  ASSERT_EQ(out.inside.size(), 1U);
  const Inside inside = look_inside(out.inside[0]);
  EXPECT_EQ(inside.node, "10.0.1.1");
  EXPECT_EQ(inside.seen.to(), "10.1.0.1");
  // Whoever it was, the pod may have moved meanwhile; but nobody takes its flow from beside the tunnel.
  EXPECT_EQ(after.from_inside(through("10.0.1.2", udp(pod, server))).outside.size(), 1U);
  EXPECT_EQ(look_inside(after.from_outside(udp(server, End("203.0.113.1", 40000))).inside.at(0)).node, "10.0.1.2");
  EXPECT_TRUE(after.from_inside(udp(pod, server)).silent());
  EXPECT_EQ(after.dropped(Drop::tunnel_conflict), 1U);
}

TEST(PipelineTunnels, SavedTwiceBeforeAPacketComesItIsRememberedStill) {
  Overlay first(allow_all);
  ASSERT_EQ(first.from_inside(through("10.0.1.1", udp(End("10.1.0.1", 40000), server))).outside.size(), 1U);
  Overlay second(""), third("");
  hand_on(first, second);
  hand_on(second, third);
  third.reload(allow_all);
  const auto out = third.from_outside(udp(server, End("203.0.113.1", 40000)));
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_inside(out.inside[0]).node, "10.0.1.1");
}

// Its tunnel is no more: where the client's next packet comes from is its place.
TEST(PipelineTunnels, AfterARestartWithOtherTunnelsTheClientSaysWhereItIs) {
  const End pod("10.1.0.1", 40000);
  Overlay before(allow_all);
  ASSERT_EQ(before.from_inside(through("10.0.1.1", udp(pod, server))).outside.size(), 1U);
  Overlay after("");
  after.snapshot.tunnels = one_vxlan(7);
  hand_on(before, after);
  after.reload(allow_all);
  EXPECT_EQ(after.from_inside(through("10.0.1.9", udp(pod, server), 7)).outside.size(), 1U);
  const auto out = after.from_outside(udp(server, End("203.0.113.1", 40000)));
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_inside(out.inside[0]).node, "10.0.1.9");
}

// The node asks for its next hop; who answers has the port's MAC, and only in the network that was asked in.
TEST(PipelineTunnels, ItsOwnAddressIsAnsweredForUnderThePortsMac) {
  PipelineSettings settings = with_tunnels();
  settings.ports[0].mac = {2, 0, 0, 0, 0, 9};
  Overlay g(allow_all, settings);
  g.snapshot.tunnels = one_vxlan(4096, {address("10.1.0.1")});
  const Frame ask{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  0, 0, 0, 0, 5,  // from the pod, to everybody
                  8,    6,    0,    1,    8,    0,    6,  4, 0, 1,        // ARP, request
                  2,    0,    0,    0,    0,    5,    10, 1, 0, 5,        // of the pod
                  0,    0,    0,    0,    0,    0,    10, 1, 0, 1};       // for the gateway's address
  const auto out = g.from_inside(through("10.0.1.1", ask));
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_at(out.inside[0]).to(), "10.0.1.1");
  const Frame answer(out.inside[0].begin() + headers, out.inside[0].end());
  EXPECT_EQ(answer, (Frame{2, 0, 0, 0, 0, 5, 2, 0,  0, 0, 0, 9, 8, 6, 0, 1, 8, 0,  6, 4, 0,
                           2, 2, 0, 0, 0, 0, 9, 10, 1, 0, 1, 2, 0, 0, 0, 0, 5, 10, 1, 0, 5}));
  EXPECT_EQ(g.dropped(Drop::tunnel_to_gateway), 1U);
  EXPECT_TRUE(g.from_inside(through("10.0.1.1", ask, 7)).silent());
  EXPECT_TRUE(g.from_inside(ask).silent()) << "beside the tunnel it is the kernel's";
}

}  // namespace
}  // namespace sallyport::dataplane::test
