// A second policy beside the real one: asked, counted, recorded, never obeyed. And what audit routes leave behind.
#include <algorithm>
#include <map>

#include "dataplane/rule_counters.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Action;
using classifier::Reason;
using wire::Tcp;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 443};
const End resolver{"198.51.100.7", 53};

Frame hello(std::string_view name) {
  return classifier::names::records(classifier::names::browser_hello(name).message(), 16384);
}

PipelineSettings shadowed() {
  PipelineSettings settings = two_ports();
  settings.shadow = true;
  return settings;
}

struct Says {
  std::uint64_t decided, allows, denies, needs_name;
  friend bool operator==(const Says&, const Says&) = default;
};
Says counted(const Gateway& g) {
  const Counters& c = g.pipeline.counters();
  return {c.shadow_decided.get(), c.shadow_allows.get(), c.shadow_denies.get(), c.shadow_needs_name.get()};
}

TEST(PipelineShadow, WhatItWouldDenyPassesAndIsRecorded) {
  Gateway g(allow_all, shadowed());
  g.reload_shadow(deny_all);
  EXPECT_EQ(g.from_inside(udp(client, resolver)).outside.size(), 1U) << "nothing is enforced";
  EXPECT_EQ(g.from_inside(udp(client, resolver)).outside.size(), 1U);
  EXPECT_EQ(counted(g), (Says{1, 0, 1, 0})) << "asked once a flow";
  (void)g.wait_ms(400'000);
  ASSERT_EQ(g.world.records.size(), 1U);
  const FlowRecord& record = g.world.records[0];
  EXPECT_TRUE(record.allowed);
  EXPECT_TRUE(record.shadow_differs);
  EXPECT_EQ(record.shadow_action, Action::deny);
  EXPECT_EQ(record.shadow_reason, Reason::network_default);
  EXPECT_EQ(g.name_of(record.shadow_network), "linkerd-egress/all");
}

TEST(PipelineShadow, WhatItWouldAllowIsDeniedAndRecorded) {
  Gateway g(deny_all, shadowed());
  g.reload_shadow(allow_all);
  EXPECT_TRUE(g.from_inside(udp(client, resolver)).outside.empty());
  EXPECT_EQ(counted(g), (Says{1, 1, 0, 0}));
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_FALSE(g.world.records[0].allowed);
  EXPECT_EQ(g.world.records[0].shadow_action, Action::allow);
}

TEST(PipelineShadow, TheSameVerdictIsCountedAndNotRecorded) {
  Gateway g(allow_all, shadowed());
  g.reload_shadow(allow_all);
  (void)g.from_inside(udp(client, resolver));
  EXPECT_EQ(counted(g), (Says{1, 0, 0, 0}));
  (void)g.wait_ms(400'000);
  EXPECT_FALSE(g.world.records.at(0).shadow_differs);
}

TEST(PipelineShadow, ItSeesTheNameThatARealAllowOnlyObserves) {
  for (const bool known : {false, true}) {
    Gateway g(allow_all, shadowed());
    g.reload_shadow(httpbin_only);
    Client c(g, client, server);
    c.connect();
    EXPECT_EQ(counted(g).decided, 0U) << "not before the name";
    EXPECT_EQ(c.send(0, hello(known ? "httpbin.org" : "evil.org")).outside.size(), 1U);
    EXPECT_EQ(counted(g), (Says{1, 0, known ? 0U : 1U, 0}));
    (void)c.send(500, {}, Tcp::rst);
    g.pipeline.finish(g.now, g.snapshot);
    const FlowRecord& record = g.world.records.at(0);
    EXPECT_EQ(record.shadow_differs, !known);
    if (!known) {
      EXPECT_EQ(record.shadow_reason, Reason::name_not_allowed);
    }
  }
}

TEST(PipelineShadow, ItSeesTheNameThatTheRealOneWaitsFor) {
  Gateway g(httpbin_only, shadowed());
  g.reload_shadow(allow_all);
  Client c(g, client, server);
  c.connect();
  EXPECT_TRUE(c.send(0, hello("evil.org")).outside.size() <= 1);
  EXPECT_EQ(counted(g), (Says{1, 1, 0, 0}));
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].reason, Reason::name_not_allowed);
  EXPECT_EQ(g.world.records[0].shadow_action, Action::allow);
}

TEST(PipelineShadow, AFlowThatShowsNothingIsDecidedAtItsEnd) {
  Gateway g(allow_all, shadowed());
  g.reload_shadow(httpbin_only);
  Client c(g, client, server);
  c.connect();
  g.pipeline.finish(g.now, g.snapshot);
  EXPECT_EQ(counted(g), (Says{1, 0, 1, 0}));
  EXPECT_EQ(g.world.records.at(0).shadow_reason, Reason::no_name);
}

TEST(PipelineShadow, DeniedBeforeItCouldShowTheNameThatTheShadowWants) {
  Gateway g(deny_all, shadowed());
  g.reload_shadow(httpbin_only);
  (void)g.from_inside(tcp(client, server, Tcp::syn));
  EXPECT_EQ(counted(g), (Says{1, 0, 0, 1}));
  EXPECT_EQ(g.world.records.at(0).shadow_action, Action::needs_name);
}

TEST(PipelineShadow, ARefusalThatIsNoPolicysIsNotCompared) {
  const std::string v6_only = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["2001:db8:ffff::1"]
)";
  Gateway g(v6_only, shadowed());
  g.reload_shadow(deny_all);
  (void)g.from_inside(udp(client, resolver));
  EXPECT_EQ(g.dropped(Drop::no_egress_address), 1U);
  EXPECT_EQ(counted(g), (Says{0, 0, 0, 0}));
}

TEST(PipelineShadow, ComesAndGoesUnderLivingFlows) {
  Gateway g(allow_all, shadowed());
  Client c(g, client, server);
  c.connect();
  g.reload_shadow(httpbin_only);
  EXPECT_EQ(c.send(0, hello("evil.org")).outside.size(), 1U);
  EXPECT_EQ(counted(g), (Says{0, 0, 0, 0})) << "the flow is older";
  Client other(g, End("10.0.10.6", 41000), server);
  other.connect();
  g.snapshot = with_shadow(g.snapshot, nullptr, 1);
  EXPECT_EQ(other.send(0, hello("evil.org")).outside.size(), 1U);
  EXPECT_EQ(counted(g), (Says{0, 0, 0, 0})) << "nobody to ask any more";
}

struct RuleCount {
  std::uint64_t decided = 0, audited = 0;
};
std::map<std::string, RuleCount> rules_of(const Gateway& g) {
  std::map<std::string, RuleCount> rules;
  g.pipeline.rules().each([&](classifier::Id rule, std::uint64_t decided, std::uint64_t audited) {
    if (rule != 0) rules[g.name_of(rule)] = {decided, audited};
  });
  return rules;
}

TEST(PipelineAudit, DecidedAsWithoutTheRouteButCountedAndRecorded) {
  const std::string audited = std::string(deny_all) + R"(
[[udp_route]]
namespace = "linkerd-egress"
name = "watched"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 53 } ]
action = "audit"
[[udp_route]]
namespace = "linkerd-egress"
name = "dns"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 53, end_port = 54 } ]
)";
  Gateway g(audited);
  EXPECT_EQ(g.from_inside(udp(client, resolver)).outside.size(), 1U);
  EXPECT_EQ(g.from_inside(udp(client, End("198.51.100.7", 54))).outside.size(), 1U);
  EXPECT_TRUE(g.from_inside(udp(client, End("198.51.100.7", 55))).outside.empty());
  auto rules = rules_of(g);
  EXPECT_EQ(rules["linkerd-egress/watched"].audited, 1U);
  EXPECT_EQ(rules["linkerd-egress/watched"].decided, 0U);
  EXPECT_EQ(rules["linkerd-egress/dns"].decided, 2U);
  (void)g.wait_ms(400'000);
  const auto of_port = [&](std::uint16_t port) {
    return *std::find_if(g.world.records.begin(), g.world.records.end(), [&](const FlowRecord& record) {
      return record.inside.destination_port == __builtin_bswap16(port);
    });
  };
  EXPECT_TRUE(of_port(53).audited);
  EXPECT_EQ(g.name_of(of_port(53).rule), "linkerd-egress/dns");
  EXPECT_FALSE(of_port(54).audited);
  EXPECT_FALSE(of_port(55).audited);
}

TEST(PipelineAudit, ByNameToo) {
  const std::string audited = std::string(allow_all) + R"(
[[tls_route]]
namespace = "linkerd-egress"
name = "watched"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["*.example.com"]
action = "audit"
)";
  Gateway g(audited);
  Client watched(g, client, server);
  watched.connect();
  EXPECT_EQ(watched.send(0, hello("www.example.com")).outside.size(), 1U);
  Client other(g, End("10.0.10.6", 41000), server);
  other.connect();
  EXPECT_EQ(other.send(0, hello("example.org")).outside.size(), 1U);
  EXPECT_EQ(rules_of(g)["linkerd-egress/watched"].audited, 1U);
}

TEST(RuleCounters, MoreRulesThanRoomAreCountedTogether) {
  const auto counters = std::make_unique<RuleCounters>();
  constexpr classifier::Id rules = 2 * RuleCounters::capacity;
  for (classifier::Id rule = 1; rule <= rules; ++rule) counters->decided(rule);
  for (classifier::Id rule = 1; rule <= rules; ++rule) counters->decided(rule);
  std::uint64_t sum = 0, apart = 0;
  counters->each([&](classifier::Id rule, std::uint64_t decided, std::uint64_t) {
    sum += decided;
    if (rule == 0) return;
    ++apart;
    EXPECT_EQ(decided, 2U);
  });
  EXPECT_EQ(sum, 2U * rules);
  EXPECT_GT(apart, RuleCounters::capacity / 2);
}

}  // namespace
}  // namespace sallyport::dataplane::test
