// Of what is scarce a sender may have as much as it leaves: who uses up a share leaves the others theirs.
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/classifier/names_http2_builder.h"
#include "tests/unit/classifier/names_quic_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using namespace classifier::names;
using wire::Tcp;

constexpr const char* greedy = "10.0.10.5";
constexpr const char* modest = "10.0.10.6";
const End https{"198.51.100.7", 443};
const End http{"198.51.100.7", 80};

Frame bytes(std::string_view text) { return {text.begin(), text.end()}; }

PipelineSettings with_held_bytes(std::uint64_t held) {
  PipelineSettings settings = two_ports();
  settings.limits.held_bytes = held;
  return settings;
}

// A connection whose client says this first; how many packets went on to the server.
std::size_t say_first(Gateway& g, const char* from, std::uint16_t port, const End& to, const Frame& payload) {
  Client c(g, End(from, port), to);
  c.connect();
  return c.send(0, payload).outside.size();
}

TEST(PipelineShares, HalfOpenHellos) {
  Gateway g(httpbin_only, with_held_bytes(1U << 20U));
  const Frame whole = records(browser_hello("httpbin.org", 200).message(), 16384);
  const Frame half(whole.begin(), whole.begin() + 100), rest(whole.begin() + 100, whole.end());
  for (std::uint16_t port = 1024; port < 1124; ++port) EXPECT_EQ(say_first(g, greedy, port, https, half), 0U);
  EXPECT_GT(g.dropped(Drop::held_full), 50U);
  Client c(g, End(modest, 1024), https);
  c.connect();
  EXPECT_TRUE(c.send(0, half).silent());
  EXPECT_EQ(c.send(100, rest).outside.size(), 2U);
}

// What is held is given back to its sender's share.
TEST(PipelineShares, AreWholeAgainWhenTheHelloIsOver) {
  Gateway g(httpbin_only, with_held_bytes(1U << 20U));
  const Frame whole = records(browser_hello("httpbin.org", 200).message(), 16384);
  const Frame half(whole.begin(), whole.begin() + 100);
  const auto flood = [&](std::uint16_t first) {
    const std::uint64_t before = g.dropped(Drop::held_full);
    for (std::uint16_t port = first; port < first + 100; ++port) EXPECT_EQ(say_first(g, greedy, port, https, half), 0U);
    return g.dropped(Drop::held_full) - before;
  };
  const std::uint64_t refused = flood(1024);
  (void)g.wait_ms(11'000);
  EXPECT_EQ(flood(2048), refused);
}

TEST(PipelineShares, HalfOpenHellosOverQuic) {
  Gateway g(httpbin_only, with_held_bytes(1U << 20U));
  const Frame message = browser_hello("httpbin.org", 1216, true).message();
  std::vector<Frame> parts;
  for (std::size_t at = 0; at < message.size(); at += 800) {
    Initial packet;
    packet.number = static_cast<std::uint32_t>(at / 800);
    packet.frames = crypto_frame(at, std::span(message).subspan(at, std::min<std::size_t>(800, message.size() - at)));
    parts.push_back(packet.protect());
  }
  ASSERT_EQ(parts.size(), 2U);
  for (std::uint16_t port = 1024; port < 1224; ++port)
    EXPECT_TRUE(g.from_inside(udp(End(greedy, port), https, parts[0])).silent());
  EXPECT_GT(g.dropped(Drop::held_full), 100U);
  EXPECT_TRUE(g.from_inside(udp(End(modest, 1024), https, parts[0])).silent());
  EXPECT_EQ(g.from_inside(udp(End(modest, 1024), https, parts[1])).outside.size(), 2U);
}

TEST(PipelineShares, ConnectionsWhoseRequestsAreDecided) {
  Gateway g(httpbin_get_only);
  const Frame request = bytes("GET /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n");
  std::size_t passed = 0;
  for (std::uint16_t port = 1024; port < 1024 + 600; ++port) passed += say_first(g, greedy, port, http, request);
  EXPECT_EQ(passed, 512U) << "half of 1,024";
  EXPECT_EQ(g.dropped(Drop::held_full), 88U);
  EXPECT_EQ(say_first(g, modest, 1024, http, request), 1U);
}

// Header tables are counted by their bytes: those that are used take forty times as much as those that are not.
TEST(PipelineShares, HeaderTablesOfHttp2) {
  Gateway g(httpbin_get_only, with_held_bytes(1U << 20U));
  std::vector<Field> fields = request("GET", "/get", "httpbin.org");
  for (int i = 0; i < 100; ++i) fields.emplace_back("x" + std::to_string(i), "y");
  const Frame opening = bytes(preface_and_settings + frame(1, 5, 1, block(fields, true)));
  std::size_t passed = 0;
  for (std::uint16_t port = 1024; port < 1324; ++port) passed += say_first(g, greedy, port, http, opening);
  EXPECT_GT(passed, 0U);
  EXPECT_LT(passed, 20U) << "of 256 KiB";
  EXPECT_EQ(say_first(g, modest, 1024, http, opening), 1U);
}

// SYNs from outside that wait for their client's.
TEST(PipelineShares, UnsolicitedSyns) {
  PipelineSettings settings = two_ports();
  settings.nat.unsolicited_icmp = true;
  Gateway g(allow_all, settings);
  const auto knock = [&](const char* from, std::uint16_t port) {
    EXPECT_TRUE(g.from_outside(tcp(End(from, port), End("203.0.113.1", 40000), Tcp::syn)).silent());
  };
  for (std::uint16_t port = 1024; port < 1124; ++port) knock("198.51.100.7", port);
  EXPECT_EQ(g.pipeline.counters().held.get(), 64U) << "a quarter of 256";
  EXPECT_EQ(g.dropped(Drop::no_mapping), 36U);
  knock("198.51.100.8", 1024);
  EXPECT_EQ(g.pipeline.counters().held.get(), 65U);
  EXPECT_EQ(g.wait_ms(7'000).outside.size(), 65U) << "each is answered";
  knock("198.51.100.7", 1024);
  EXPECT_EQ(g.pipeline.counters().held.get(), 1U) << "and leaves its place";
}

// Names that a sender shows are remembered for records, and for a second hello that asks for the same.
TEST(PipelineShares, NamesThatAreRemembered) {
  Gateway g(httpbin_only);
  const auto show = [&](const char* from, std::uint16_t port, const std::string& name) {
    (void)say_first(g, from, port, https, records(browser_hello(name, 200).message(), 16384));
  };
  for (std::uint16_t i = 0; i < 1000; ++i) show(greedy, static_cast<std::uint16_t>(1024 + i), "h" + std::to_string(i));
  EXPECT_EQ(g.pipeline.counters().names_not_stored.get(), 1000U - 512U) << "half of 1,024";
  show(modest, 1024, "another.example");
  EXPECT_EQ(g.pipeline.counters().names_not_stored.get(), 1000U - 512U);
}

TEST(PipelineShares, DeniedFlowsThatAreRemembered) {
  Gateway g(httpbin_only);
  const End elsewhere{"198.51.100.7", 81};
  for (std::uint32_t i = 0; i < 3000; ++i)
    (void)g.from_inside(udp(End(greedy, static_cast<std::uint16_t>(1024 + i)), elsewhere, bytes("x")));
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 2048U) << "half of 4,096";
  (void)g.from_inside(udp(End(modest, 1024), elsewhere, bytes("x")));
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 2049U);
  (void)g.wait_ms(61'000);
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 0U);
  (void)g.from_inside(udp(End(greedy, 1024), elsewhere, bytes("x")));
  EXPECT_EQ(g.pipeline.counters().flows_live.get(), 1U);
}

// Packets of TTL 1 in thousands leave another one's path MTU discovery its answers.
TEST(PipelineShares, IcmpErrors) {
  Gateway g(allow_all);
  const auto expired = [&](const char* from) {
    return g.from_inside(udp(End(from, 1024), https, bytes("x"), true, {.ttl = 1})).inside.size();
  };
  std::size_t told = 0;
  for (int i = 0; i < 2000; ++i) told += expired(greedy);
  EXPECT_EQ(told, 500U);
  EXPECT_EQ(expired(modest), 1U);
  (void)g.wait_ms(1000);
  EXPECT_EQ(expired(greedy), 1U);
}

// A network on the link, searched for hosts that are not there.
TEST(PipelineShares, NeighboursThatAreWaitedFor) {
  Gateway g(allow_all);
  const std::vector<RouteEntry> on_link{{parse_prefix("0.0.0.0/0")->prefix, Gateway::outside, std::nullopt}};
  g.snapshot.routing =
      std::make_shared<const Routing>(on_link, std::vector<NeighbourEntry>{}, std::vector<LocalAddress>{}, 2U);
  for (int host = 1; host <= 100; ++host)
    (void)g.from_inside(udp(End(greedy, 1024), End("198.51.100." + std::to_string(host), 53)));
  EXPECT_EQ(g.pipeline.counters().held.get(), 64U);
  EXPECT_EQ(g.dropped(Drop::neighbour_queue_full), 36U);
  (void)g.from_inside(udp(End(modest, 1024), End("198.51.101.1", 53)));
  EXPECT_EQ(g.pipeline.counters().held.get(), 65U);
  (void)g.from_inside(udp(End(greedy, 1024), End("198.51.101.1", 53)));
  EXPECT_EQ(g.pipeline.counters().held.get(), 66U) << "whom somebody else has asked for is waited for";
}

}  // namespace
}  // namespace sallyport::dataplane::test
