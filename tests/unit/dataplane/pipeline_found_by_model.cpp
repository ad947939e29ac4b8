// What the model gateway of tests/model/ has found, each told apart.
#include <algorithm>

#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using wire::Tcp;

const End pod{"10.0.10.5", 40000};
const End server{"198.51.100.7", 53};
const End egress{"203.0.113.1", 40000};
constexpr std::uint64_t second = 1'000'000'000;

// Expired, though nothing has cleared it away yet.
TEST(PipelineFoundByModel, AnExpiredMappingLetsNobodyIn) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  Gateway g(allow_all, settings);
  (void)g.from_inside(udp(pod, server));
  g.now += 300 * second;
  EXPECT_TRUE(g.from_outside(udp(End("198.51.100.8", 9), egress)).silent());
  EXPECT_EQ(g.dropped(Drop::no_mapping), 1U);
  (void)g.wait_ms(1000);
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 0U);
}

TEST(PipelineFoundByModel, ErrorsAboutExpiredFlowsAreNobodys) {
  Gateway g(allow_all);
  const Frame sent = g.from_inside(udp(pod, server)).outside.at(0);
  g.now += 300 * second;
  EXPECT_TRUE(g.from_outside(icmp(address("192.0.2.1"), egress.ip, 3, 1, 0, l3(sent))).silent());
  EXPECT_EQ(g.dropped(Drop::icmp_error_no_flow), 1U);
}

// A client has one flow with a server: what comes to another of its mappings makes no second one.
TEST(PipelineFoundByModel, NobodyOpensAFlowThatStandsUnderAnotherAddress) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  Gateway g(allow_all, settings);
  const End other("198.51.100.8", 53), moved("203.0.113.9", 40000);
  (void)g.from_inside(udp(pod, server));
  g.reload(std::string(allow_all) + R"(
[[egress]]
name = "moved"
sources = ["10.0.0.0/8"]
egress_ip = "203.0.113.9"
)");
  ASSERT_EQ(look_at(g.from_inside(udp(pod, other)).outside.at(0)).from(), "203.0.113.9");
  EXPECT_TRUE(g.from_outside(udp(server, moved)).silent());
  EXPECT_EQ(g.dropped(Drop::no_mapping), 1U);
  EXPECT_EQ(look_at(g.from_inside(udp(pod, server)).outside.at(0)).from(), "203.0.113.1");
  EXPECT_EQ(g.from_outside(udp(End("198.51.100.9", 53), moved)).inside.size(), 1U);
}

// Refused for want of a port, which it has meanwhile: the refusal stands until it is over.
TEST(PipelineFoundByModel, NobodyOpensAFlowThatIsDenied) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.nat.port_range = {20000, 20000};
  Gateway g(allow_all, settings);
  (void)g.from_inside(udp(End("10.0.10.6", 40000), server));
  (void)g.wait_ms(419'000);
  EXPECT_TRUE(g.from_inside(udp(pod, server)).outside.empty());
  EXPECT_EQ(g.dropped(Drop::nat_ports_exhausted), 1U);
  (void)g.wait_ms(2'000);
  ASSERT_EQ(g.from_inside(udp(pod, End("198.51.100.8", 53))).outside.size(), 1U);
  EXPECT_TRUE(g.from_outside(udp(server, End("203.0.113.1", 20000))).silent());
  EXPECT_EQ(g.dropped(Drop::flow_denied), 1U);
  (void)g.wait_ms(60'000);
  EXPECT_EQ(g.from_outside(udp(server, End("203.0.113.1", 20000))).inside.size(), 1U);
}

// Ticks wrap, and a worker begins anywhere.
TEST(PipelineFoundByModel, ErrorsAreToldAgainInTheNextSecond) {
  for (const std::uint64_t begin_ms : {std::uint64_t{1} << 40U, (std::uint64_t{1} << 40U) + 0x80000000U}) {
    Gateway g(allow_all);
    g.now = begin_ms * 1'000'000;
    const auto told = [&](int who) {
      const End sender("10.0.10." + std::to_string(who), 40000);
      return g.from_inside(udp(sender, server, {1}, true, {.ttl = 1})).inside.size();
    };
    std::size_t count = 0;
    for (int i = 0; i < 1100; ++i) count += told(i % 10);
    EXPECT_EQ(count, 910U) << "of a thousand: to each of ten no more than are left";
    (void)g.wait_ms(1000);
    EXPECT_EQ(told(0), 1U);
  }
}

// Who was refused for want of ports is not made to wait when one comes free.
TEST(PipelineFoundByModel, AFreedPortServesLowPortsToo) {
  PipelineSettings settings = two_ports();
  settings.nat.port_range = {20000, 20000};
  Gateway g(allow_all, settings);
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn)).outside.at(0));
  g.now += 240 * second - 50'000'000;
  EXPECT_TRUE(g.from_inside(tcp(End("10.0.10.6", 500), server, Tcp::syn)).outside.empty());
  g.now += 60'000'000;
  EXPECT_TRUE(g.from_outside(tcp(server, End(syn.from(), syn.from_port()), Tcp::ack)).silent());
  EXPECT_EQ(g.from_inside(tcp(End("10.0.10.7", 500), server, Tcp::syn)).outside.size(), 1U);
}

// Nobody outside completes what came from inside.
TEST(PipelineFoundByModel, PiecesFromBothSidesMakeNoDatagram) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1000;
  Gateway sender(allow_all, settings);
  std::vector<Frame> pieces = sender.from_inside(udp(pod, server, Frame(1500, 3))).outside;
  ASSERT_EQ(pieces.size(), 2U);
  Gateway g(allow_all);
  EXPECT_TRUE(g.from_inside(pieces[0]).silent());
  EXPECT_TRUE(g.from_outside(pieces[1]).silent());
  EXPECT_EQ(g.from_inside(pieces[1]).outside.size(), 2U);
}

// RFC 791 section 3.1.
TEST(PipelineFoundByModel, LaterFragmentsCarryTheCopiedOptionsOnly) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1000;
  Gateway g(allow_all, settings);
  const Frame record_route_and_router_alert{7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0};
  Frame frame = udp(pod, server, Frame(1500, 3));
  frame.insert(frame.begin() + 34, record_route_and_router_alert.begin(), record_route_and_router_alert.end());
  auto& ip = wire::at<wire::Ipv4>(frame.data() + 14);
  ip.version_length = 0x48;
  ip.total_length = static_cast<std::uint16_t>(frame.size() - 14);
  ip.checksum.set_raw(0);
  ip.checksum.set_raw(wire::finish(wire::sum_words(frame.data() + 14, 32)));
  const auto pieces = g.from_inside(frame).outside;
  ASSERT_EQ(pieces.size(), 2U);
  const auto options = [](const Frame& piece) { return Frame(piece.begin() + 34, piece.begin() + 46); };
  EXPECT_EQ(options(pieces[0]), record_route_and_router_alert);
  EXPECT_EQ(options(pieces[1]), (Frame{1, 1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0}));
  EXPECT_EQ(wire::finish(wire::sum_words(pieces[1].data() + 14, 32)), 0U);
}

// nat.md 15 and 21: errors quote whatever headers passed.
TEST(PipelineFoundByModel, QuotedAuthenticationHeadersAreWalked) {
  Gateway g(allow_all);
  const End pod6("fd00::5", 40000), server6("2001:db8:1::7", 53);
  Frame frame = udp(pod6, server6);
  const Frame authentication{17, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 7, 7, 7, 7};
  frame.insert(frame.begin() + 54, authentication.begin(), authentication.end());
  auto& ip = wire::at<wire::Ipv6>(frame.data() + 14);
  ip.next_header = wire::next_authentication;
  ip.payload_length = static_cast<std::uint16_t>(frame.size() - 54);
  const Frame sent = g.from_inside(frame).outside.at(0);
  const IpAddress router = address("2001:db8:9::1");
  EXPECT_EQ(g.from_outside(icmp(router, address("2001:db8:ffff::1"), 1, 0, 0, l3(sent))).inside.size(), 1U);
}

// A side that has acknowledged nothing has opened no window, and a number near zero is none in it.
TEST(PipelineFoundByModel, ResetsAreMeasuredAgainstWhatWasAcknowledged) {
  Gateway g(allow_all);
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000})).outside.at(0));
  const End seen(syn.from(), syn.from_port());
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::syn, {.seq = 5000})).inside.size(), 1U);
  EXPECT_TRUE(g.from_inside(tcp(pod, server, Tcp::rst, {.seq = 100})).silent());
  EXPECT_EQ(g.dropped(Drop::tcp_rst_invalid), 1U);
}

// A handshake whose server's first byte has the number zero. The client as the server sees it.
End connect_to_zero(Gateway& g) {
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000})).outside.at(0));
  const End seen(syn.from(), syn.from_port());
  (void)g.from_outside(tcp(server, seen, Tcp::syn | Tcp::ack, {.seq = 0xffffffffU, .ack = 1001}));
  (void)g.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 0}));
  return seen;
}

// A server that speaks first has five minutes until it counts as one that shows no name; an opening connection has
// four.
TEST(PipelineFoundByModel, WhoIsWaitedForLivesNoLonger) {
  Gateway g(allow_all);
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000})).outside.at(0));
  const End seen(syn.from(), syn.from_port());
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::ack, {.seq = 7, .ack = 1001, .payload = {0xaa}})).inside.size(), 1U);
  (void)g.wait_ms(239'000);
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 1U);
  (void)g.wait_ms(2'000);
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 0U);
}

// Sequence numbers wrap: an end at zero is one like any other, and what is older does not take its place.
TEST(PipelineFoundByModel, AnEndAtZeroIsKnown) {
  Gateway g(allow_all);
  const End seen = connect_to_zero(g);
  constexpr std::uint32_t old = 0x80000010U;  // so that the client's window is far from it
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::ack, {.seq = old, .ack = 1001})).inside.size(), 1U);
  EXPECT_TRUE(g.from_outside(tcp(server, seen, Tcp::rst, {.seq = old})).silent());
  EXPECT_EQ(g.dropped(Drop::tcp_rst_invalid), 1U);
}

TEST(PipelineFoundByModel, WhoHasAcknowledgedZeroHasOpenedAWindow) {
  Gateway g(allow_all);
  const End seen = connect_to_zero(g);
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::rst, {.seq = 100})).inside.size(), 1U);
  EXPECT_EQ(g.dropped(Drop::tcp_rst_invalid), 0U);
}

// A reset says nothing about where a server's stream stands; number zero is no better a guess than another.
TEST(PipelineFoundByModel, AServerThatHasSaidNothingEndsNowhere) {
  Gateway g(allow_all);
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000})).outside.at(0));
  const End seen(syn.from(), syn.from_port());
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::rst | Tcp::ack, {.seq = 7, .ack = 1001})).inside.size(), 1U);
  EXPECT_TRUE(g.from_outside(tcp(server, seen, Tcp::rst, {.seq = 0})).silent());
  EXPECT_EQ(g.dropped(Drop::tcp_rst_invalid), 1U);
}

// Nobody who has said nothing knows a number: a refusal has zero, whatever side it comes from (a hairpin's receiver),
// and counts by what it acknowledges.
TEST(PipelineFoundByModel, WhoHasSaidNothingRefusesByWhatItAcknowledges) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.nat.tcp_mapping = config::Mapping::endpoint_independent;
  Gateway g(allow_all, settings);
  (void)g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000}));
  const End other("198.51.100.8", 4000);
  EXPECT_EQ(g.from_outside(tcp(other, egress, Tcp::syn, {.seq = 7000})).inside.size(), 1U);
  EXPECT_TRUE(g.from_inside(tcp(pod, other, Tcp::rst | Tcp::ack, {.seq = 0, .ack = 7000})).silent());
  EXPECT_EQ(g.dropped(Drop::tcp_rst_invalid), 1U);
  EXPECT_EQ(g.from_inside(tcp(pod, other, Tcp::rst | Tcp::ack, {.seq = 0, .ack = 7001})).outside.size(), 1U);
}

// The server's first word was a reset, then it went on: a reset in its name has the number that the client waits for.
TEST(PipelineFoundByModel, ResetsInTheNameOfARevivedServerFit) {
  Gateway g(allow_all);
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000})).outside.at(0));
  const End seen(syn.from(), syn.from_port());
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::rst | Tcp::ack, {.seq = 0, .ack = 1001})).inside.size(), 1U);
  EXPECT_EQ(g.from_outside(tcp(server, seen, Tcp::ack, {.seq = 0xfffffff0U, .ack = 1001})).inside.size(), 1U);
  g.reload(deny_all);
  const auto told = g.from_outside(tcp(server, seen, Tcp::ack, {.seq = 0xfffffff0U, .ack = 1001}));
  ASSERT_EQ(told.inside.size(), 1U);
  EXPECT_EQ(look_at(told.inside[0]).tcp().sequence.get(), 0xfffffff0U);
}

// Nothing but zeros: their checksum is 0xffff (RFC 1071), and zero would be wrong.
TEST(PipelineFoundByModel, AnEchoReplyOfZerosStaysRight) {
  Gateway g(allow_all);
  const auto ping = [](const IpAddress& from, const IpAddress& to, std::uint8_t type, std::uint32_t word) {
    return icmp(from, to, type, 0, word);
  };
  (void)g.from_inside(ping(address("10.0.10.6"), server.ip, 8, 0));
  const Seen request = look_at(g.from_inside(ping(pod.ip, server.ip, 8, 0)).outside.at(0));
  ASSERT_NE(request.icmp().identifier.get(), 0);
  const std::uint32_t word = std::uint32_t{request.icmp().identifier.get()} << 16U;
  const auto back = g.from_outside(ping(server.ip, egress.ip, 0, word));
  ASSERT_EQ(back.inside.size(), 1U);
  EXPECT_TRUE(look_at(back.inside[0]).l4_checksum_right());
}

// A ping of 3,000 bytes to the gateway itself is the kernel's, too.
TEST(PipelineFoundByModel, DatagramsForTheGatewayReachTheKernelInPieces) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1000;
  Gateway sender(allow_all, settings);
  const std::vector<Frame> pieces = sender.from_inside(udp(pod, server, Frame(1500, 3))).outside;
  ASSERT_EQ(pieces.size(), 2U);
  Gateway g(allow_all);
  const std::vector<LocalAddress> locals{{Gateway::inside, server.ip}};
  g.snapshot.routing =
      std::make_shared<const Routing>(std::vector<RouteEntry>{}, std::vector<NeighbourEntry>{}, locals, 2U);
  EXPECT_TRUE(g.from_inside(pieces[1]).silent());
  EXPECT_TRUE(g.from_inside(pieces[0]).silent());
  EXPECT_EQ(g.world.kernel[Gateway::inside], pieces);
  EXPECT_EQ(g.dropped(Drop::to_gateway), 2U);
}

// RFC 6980 section 5.
// The kernel knows what to do with it (RFC 6980 section 5); it gets the pieces as they came.
TEST(PipelineFoundByModel, NeighbourDiscoveryInFragmentsIsTheKernels) {
  Gateway g(allow_all);
  const IpAddress from = address("fe80::1"), to = address("ff02::1");
  const Frame whole = icmp(from, to, 136, 0, 0, Frame(24, 1));
  const Frame rest(whole.begin() + 54, whole.end());
  for (const bool first : {true, false}) {
    Frame piece(whole.begin(), whole.begin() + 54);
    wire::at<wire::Ipv6>(piece.data() + 14).next_header = wire::next_fragment;
    wire::at<wire::Ipv6>(piece.data() + 14).payload_length = 8 + 16;
    const Frame header{58, 0, 0, static_cast<std::uint8_t>(first ? 1 : 16), 0, 0, 0, 9};
    piece.insert(piece.end(), header.begin(), header.end());
    piece.insert(piece.end(), rest.begin() + (first ? 0 : 16), rest.begin() + (first ? 16 : 32));
    EXPECT_TRUE(g.from_inside(piece).silent());
  }
  EXPECT_EQ(g.world.kernel[Gateway::inside].size(), 2U);
}

}  // namespace
}  // namespace sallyport::dataplane::test
