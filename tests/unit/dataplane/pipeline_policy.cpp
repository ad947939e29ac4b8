// Verdicts, martians, reloads and limits in the packet path.
#include "dataplane/flow/flow.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using wire::Tcp;

const End pod{"10.0.10.5", 40000};
const End server{"198.51.100.7", 443};

Frame hello(std::string_view name) {
  return classifier::names::record(classifier::names::browser_hello(name, 32).message());
}

TEST(PipelinePolicy, Case143NothingPassesBeforeTheFirstPolicy) {
  Gateway g("");
  EXPECT_TRUE(g.from_inside(tcp(pod, server, Tcp::syn)).silent());
  EXPECT_TRUE(g.from_inside(udp(pod, server)).silent());
  EXPECT_TRUE(g.from_outside(udp(server, End("203.0.113.1", 40000))).silent());
  EXPECT_EQ(g.dropped(Drop::no_policy), 3U);
}

TEST(PipelinePolicy, Case145EmptyPolicyDenies) {
  Gateway g("# nothing\n");
  const auto out = g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 77}));
  EXPECT_TRUE(out.outside.empty());
  const Seen rst = look_at(out.inside.at(0));
  EXPECT_EQ(rst.tcp().flags, Tcp::rst | Tcp::ack);
  EXPECT_EQ(rst.tcp().acknowledgment.get(), 78U);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::uncaptured);
}

TEST(PipelinePolicy, Case63DeniedUdpIsAnsweredByIcmp) {
  Gateway g(deny_all);
  const auto out = g.from_inside(udp(pod, server));
  const Seen error = look_at(out.inside.at(0));
  EXPECT_EQ(error.icmp().type, 3);
  EXPECT_EQ(error.icmp().code, 13);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::network_default);
  const auto six = g.from_inside(udp(End("fd00::5", 1), End("2001:db8::1", 2)));
  EXPECT_EQ(look_at(six.inside.at(0)).icmp().type, 1);
  EXPECT_EQ(look_at(six.inside.at(0)).icmp().code, 1);
}

TEST(PipelinePolicy, DropMeansSilence) {
  Gateway g(std::string("[defaults]\ndeny_action = \"drop\"\n"));
  EXPECT_TRUE(g.from_inside(tcp(pod, server, Tcp::syn)).silent());
  EXPECT_TRUE(g.from_inside(udp(pod, server)).silent());
}

TEST(PipelinePolicy, DeniedFlowIsRecordedOnce) {
  Gateway g(deny_all);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(g.from_inside(tcp(pod, server, Tcp::syn)).inside.size(), 1U);
    (void)g.wait_ms(3'000);
  }
  EXPECT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.dropped(Drop::flow_denied), 4U);
}

TEST(PipelinePolicy, Case21Martians) {
  Gateway g(allow_all);
  struct Case {
    const char* from;
    const char* to;
    Drop why;
  };
  const Case cases[] = {{"0.1.2.3", "198.51.100.1", Drop::martian_source},
                        {"127.0.0.1", "198.51.100.1", Drop::martian_source},
                        {"169.254.9.9", "198.51.100.1", Drop::martian_source},
                        {"224.1.1.1", "198.51.100.1", Drop::martian_source},
                        {"240.0.0.1", "198.51.100.1", Drop::martian_source},
                        {"10.0.0.5", "255.255.255.255", Drop::martian_destination},
                        {"10.0.0.5", "239.1.1.1", Drop::martian_destination},
                        {"10.0.0.5", "127.0.0.53", Drop::martian_destination},
                        {"10.0.0.5", "10.0.0.5", Drop::martian_land},
                        {"::", "2001:db8::1", Drop::martian_source},
                        {"::1", "2001:db8::1", Drop::martian_source},
                        {"fe80::1", "2001:db8::1", Drop::martian_source},
                        {"febf::1", "2001:db8::1", Drop::martian_source},
                        {"fd00::1", "ff05::1", Drop::martian_destination},
                        {"fd00::1", "::ffff:1.2.3.4", Drop::martian_destination}};
  for (const Case& c : cases) {
    const std::uint64_t before = g.dropped(c.why);
    EXPECT_TRUE(g.from_inside(udp(End(c.from, 1), End(c.to, 2))).silent()) << c.from << " " << c.to;
    EXPECT_EQ(g.dropped(c.why), before + 1) << c.from << " " << c.to;
  }
  EXPECT_TRUE(g.from_outside(udp(End("203.0.113.1", 1), End("203.0.113.1", 2))).silent());
  EXPECT_TRUE(g.from_outside(udp(End("203.0.113.1", 1), End("198.51.100.9", 2))).silent());
  EXPECT_EQ(g.dropped(Drop::martian_own_address), 1U);
  EXPECT_TRUE(g.world.records.empty());
}

// The new flows of a client whose policy is reloaded to and fro.
class Reloaded {
 public:
  explicit Reloaded(const std::string& policy) : gateway_(policy) {}
  [[nodiscard]] bool passes(const std::string& policy) {
    gateway_.reload(policy);
    return gateway_.from_inside(udp(End("10.0.10.5", ++port_), server)).outside.size() == 1;
  }

 private:
  Gateway gateway_;
  std::uint16_t port_ = 40'000;
};

TEST(PipelinePolicy, Case18AMoreSpecificNetworkComesAndGoes) {
  const std::string narrow = std::string(allow_all) + R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "narrow"
traffic_policy = "Deny"
networks = [ { cidr = "198.51.100.0/24" } ]
)";
  Reloaded client(allow_all);
  EXPECT_TRUE(client.passes(allow_all));
  EXPECT_FALSE(client.passes(narrow));
  EXPECT_TRUE(client.passes(allow_all));
}

TEST(PipelinePolicy, Case38ANetworkPolicyHoldsAsLongAsItStands) {
  const std::string selected = std::string(allow_all) + R"(
[[namespace]]
name = "shop"
addresses = ["10.0.0.0/16"]
)";
  const std::string isolated =
      selected + "[[network_policy]]\nnamespace = \"shop\"\nname = \"none\"\npod_selector = {}\n";
  Reloaded client(isolated);
  EXPECT_FALSE(client.passes(isolated));
  EXPECT_TRUE(client.passes(selected));
  EXPECT_FALSE(client.passes(isolated));
}

TEST(PipelinePolicy, Case139ReloadEndsWhatTheNewPolicyDenies) {
  Gateway g(allow_all);
  Client c(g, pod, server);
  c.connect();
  EXPECT_EQ(c.send(0, hello("httpbin.org")).outside.size(), 1U);
  g.reload(httpbin_only);
  EXPECT_EQ(c.send(0, {'m', 'o', 'r', 'e'}).outside.size(), 1U) << "its name is known, and allowed";
  g.reload(deny_all);
  const auto out = c.send(4, {'x'});
  EXPECT_EQ(out.inside.size(), 1U);
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).parsed.payload_bytes, 0U);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::policy_removed);
  EXPECT_EQ(g.dropped(Drop::policy_removed), 1U);
}

TEST(PipelinePolicy, Case139KeepLeavesEstablishedFlows) {
  Gateway g(allow_all);
  Client c(g, pod, server);
  c.connect();
  g.reload(std::string("[defaults]\non_reload = \"keep\"\n") + deny_all);
  EXPECT_EQ(c.send(0, {'x'}).outside.size(), 1U);
}

TEST(PipelinePolicy, Case111RemovedAddressEndsItsFlows) {
  Gateway g(allow_all);
  Client c(g, pod, server);
  c.connect();
  g.reload(R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.99"]
)");
  (void)c.send(0, {'x'});
  EXPECT_EQ(g.world.records.at(0).reason, Reason::policy_removed);
}

// RFC 5508 section 4: errors are part of the session that they speak of.
TEST(PipelinePolicy, Case139ErrorsAskTheNewPolicyAsPacketsDo) {
  const std::string moved = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.99"]
)";
  for (const std::string& policy : {std::string(deny_all), moved, std::string(allow_all)}) {
    for (const bool from_client : {true, false}) {
      Gateway g(allow_all);
      const End far("198.51.100.9", 5000);
      const Seen sent = look_at(g.from_inside(udp(pod, far)).outside.at(0));
      const Frame answer = g.from_outside(udp(far, End(sent.from(), sent.from_port()))).inside.at(0);
      g.reload(policy);
      const auto out = from_client ? g.from_inside(icmp(pod.ip, far.ip, 3, 3, 0, l3(answer)))
                                   : g.from_outside(icmp(far.ip, address("203.0.113.1"), 3, 3, 0, l3(sent.frame)));
      const bool passes = policy == allow_all;
      EXPECT_EQ(out.outside.size() + out.inside.size(), passes ? 1U : 0U);
      EXPECT_EQ(g.dropped(Drop::policy_removed), passes ? 0U : 1U);
      EXPECT_EQ(g.world.records.size(), passes ? 0U : 1U);
    }
  }
}

TEST(PipelinePolicy, Case140HeldHelloIsDecidedByTheNewPolicy) {
  const Frame h = hello("evil.org");
  Gateway g(httpbin_only);
  Client c(g, pod, server);
  c.connect();
  EXPECT_TRUE(c.send(0, Frame(h.begin(), h.begin() + 40)).silent());
  g.reload(allow_all);
  EXPECT_EQ(c.send(40, Frame(h.begin() + 40, h.end())).outside.size(), 2U);
}

TEST(PipelinePolicy, Case118FlowTableFullRefusesTheNew) {
  PipelineSettings settings = two_ports();
  settings.limits.flows = 64;
  Gateway g(allow_all, settings);
  std::size_t passed = 0;
  for (int i = 0; i < 100; ++i) {
    passed += g.from_inside(udp(End("10.1.0." + std::to_string(i), 1000), server)).outside.size();
  }
  EXPECT_EQ(passed, 64U);
  EXPECT_EQ(g.dropped(Drop::flows_exhausted), 36U);
  EXPECT_EQ(g.from_inside(udp(End("10.1.0.0", 1000), server)).outside.size(), 1U) << "the old goes on";
}

TEST(PipelinePolicy, Case136FlowsPerSource) {
  PipelineSettings settings = two_ports();
  settings.limits.flows_per_source = 3;
  Gateway g(allow_all, settings);
  std::size_t passed = 0;
  for (std::uint16_t i = 0; i < 10; ++i)
    passed += g.from_inside(udp(End("10.1.0.1", static_cast<std::uint16_t>(1000 + i)), server)).outside.size();
  EXPECT_EQ(passed, 3U);
  EXPECT_EQ(g.dropped(Drop::source_limit), 7U);
  EXPECT_EQ(g.from_inside(udp(End("10.1.0.2", 1000), server)).outside.size(), 1U);
}

TEST(PipelinePolicy, Case136ARefusedFlowIsAnsweredAndRecorded) {
  PipelineSettings settings = two_ports();
  settings.limits.flows_per_source = 1;
  Gateway g(allow_all, settings);
  (void)g.from_inside(tcp(pod, server, Tcp::syn));
  const auto refused = g.from_inside(tcp(End("10.0.10.5", 40001), server, Tcp::syn, {.seq = 77}));
  EXPECT_TRUE(refused.outside.empty());
  EXPECT_EQ(look_at(refused.inside.at(0)).tcp().flags, Tcp::rst | Tcp::ack);
  const auto datagram = g.from_inside(udp(End("10.0.10.5", 40002), server));
  EXPECT_EQ(look_at(datagram.inside.at(0)).icmp().code, 13);
  ASSERT_EQ(g.world.records.size(), 2U);
  for (const FlowRecord& record : g.world.records) EXPECT_EQ(record.reason, Reason::source_limit);
}

TEST(PipelinePolicy, Case136NewFlowsPerSecondPerSource) {
  PipelineSettings settings = two_ports();
  settings.limits.new_flows_per_second_per_source = 5;
  settings.timeouts.udp = std::chrono::milliseconds(100);  // its flows end before the second does
  Gateway g(allow_all, settings);
  std::uint16_t port = 1000;
  for (unsigned second = 0; second < 3; ++second) {
    std::size_t passed = 0;
    std::size_t other = 0;
    for (unsigned i = 0; i < 9; ++i) {
      passed += g.from_inside(udp(End("10.1.0.1", port++), server)).outside.size();
      other += i < 5 ? g.from_inside(udp(End("10.1.0.2", port), server)).outside.size() : 0;
      (void)g.wait_ms(100);
      if (i == 8) (void)g.wait_ms(101);
    }
    EXPECT_EQ(passed, 5U) << second;
    EXPECT_EQ(other, 5U) << second;
  }
  EXPECT_EQ(g.dropped(Drop::source_limit), 12U);
}

// A connection that is reset and opened again from the same port is a new flow each time.
TEST(PipelinePolicy, Case136ReopeningOnePortIsCountedToo) {
  PipelineSettings settings = two_ports();
  settings.limits.new_flows_per_second_per_source = 5;
  Gateway g(allow_all, settings);
  std::size_t passed = 0;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::uint32_t sequence = 100'000 * (i + 1);
    passed += g.from_inside(tcp(pod, server, Tcp::syn, {.seq = sequence})).outside.size();
    (void)g.from_inside(tcp(pod, server, Tcp::rst, {.seq = sequence + 1}));
  }
  EXPECT_EQ(passed, 5U);
}

TEST(PipelinePolicy, SourceCheck) {
  PipelineSettings settings = two_ports();
  settings.nat.source_check = true;
  settings.inside_networks = {parse_prefix("10.0.0.0/16")->prefix};
  Gateway g(allow_all, settings);
  EXPECT_EQ(g.from_inside(udp(pod, server)).outside.size(), 1U);
  EXPECT_TRUE(g.from_inside(udp(End("172.20.0.1", 1), server)).silent());
  EXPECT_EQ(g.dropped(Drop::source_check), 1U);
}

TEST(PipelinePolicy, SynOnAClosedFlowStartsAnew) {
  Gateway g(allow_all);
  Client c(g, pod, server);
  c.connect();
  (void)c.send(0, {}, Tcp::fin | Tcp::ack);
  (void)c.server_sends(0, {}, Tcp::fin | Tcp::ack);
  EXPECT_EQ(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 90000})).outside.size(), 1U);
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].packets[to_server], 3U);
}

TEST(PipelinePolicy, RecordFollowsTheCloseWithinTwoSeconds) {
  Gateway g(allow_all);
  Client c(g, pod, server);
  c.connect();
  (void)c.send(0, {}, Tcp::fin | Tcp::ack);
  (void)c.server_sends(0, {}, Tcp::fin | Tcp::ack);
  (void)g.wait_ms(2'000);
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].end, FlowEnd::fin);
  EXPECT_TRUE(g.world.records[0].allowed);
}

}  // namespace
}  // namespace sallyport::dataplane::test
