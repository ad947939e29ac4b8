#include <algorithm>

#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

// Lines count: the tests below name them.
constexpr std::string_view written = R"([[namespace]]
name = "prod"
labels = { env = "prod" }

[[workload]]
namespace = "prod"
name = "web"
labels = { role = "web" }
addresses = ["10.1.0.1/32"]

[[workload]]
namespace = "prod"
name = "all"
addresses = ["10.1.0.0/16"]

[[network_policy]]
namespace = "prod"
name = "isolate"
pod_selector = { match_labels = { role = "web" } }
egress = [
  { ports = [{ port = 443 }] },
  { to = [{ ip_block = { cidr = "192.0.2.0/24" } }] },
]

[[namespace]]
name = "linkerd-egress"

[[egress_network]]
namespace = "linkerd-egress"
name = "wide"
traffic_policy = "Deny"
networks = [{ cidr = "0.0.0.0/0" }]

[[egress_network]]
namespace = "linkerd-egress"
name = "narrow"
traffic_policy = "Deny"
networks = [{ cidr = "198.51.100.0/24" }]

[[egress_network]]
namespace = "linkerd-egress"
name = "holed"
traffic_policy = "Deny"
networks = [{ cidr = "198.51.100.0/24", except = ["198.51.100.0/25"] }]

[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [{ name = "narrow", namespace = "linkerd-egress", port = 443 }]
hostnames = [
  "httpbin.org",
  "*.example.com",
]

[[tcp_route]]
namespace = "linkerd-egress"
name = "plain"
parent_refs = [{ name = "narrow", namespace = "linkerd-egress", port = 443 }]

[[egress]]
name = "web"
applied_to = { namespace_selector = {} }
egress_ip = "203.0.113.8"

[[egress]]
name = "later"
applied_to = { namespace_selector = {} }
egress_ip = "203.0.113.9"
)";

class Explain : public testing::Test {
 protected:
  // Some step of this kind says this and points to this line (0: nowhere).
  static testing::AssertionResult told(const Explanation& explanation, std::string_view what, std::string_view text,
                                       std::uint32_t line) {
    std::string all;
    for (const Step& step : explanation.steps) {
      all += step.what + " | " + step.result + " | " + step.file + ":" + std::to_string(step.line) + "\n";
      if (step.what == what && step.result.find(text) != std::string::npos && step.line == line &&
          step.file == (line == 0 ? "" : "policy.toml"))
        return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "no step \"" << what << "\" with \"" << text << "\" at line " << line
                                       << " among\n"
                                       << all;
  }

  [[nodiscard]] Explanation ask(std::string_view from, std::string_view to, std::uint16_t port,
                                const std::optional<Shown>& shown = {}) const {
    return world_.policy().explain(tcp_query(from, to, port), shown);
  }

  PolicyWorld world_{written};
};

constexpr Shown named(std::string_view name) { return {Shown::Protocol::tls, name, false}; }

TEST_F(Explain, SourceWithTheWorkloadsThatLost) {
  const Explanation explanation = ask("10.1.0.1", "198.51.100.7", 443, named("httpbin.org"));
  EXPECT_TRUE(told(explanation, "source", "prod/web", 9));
  EXPECT_TRUE(told(explanation, "source", "not workload prod/all", 14));
  EXPECT_TRUE(told(ask("172.16.0.1", "8.8.8.8", 1), "source", "nobody's", 0));
}

TEST_F(Explain, NetworkPolicyRules) {
  const Explanation allowed = ask("10.1.0.1", "198.51.100.7", 443, named("httpbin.org"));
  EXPECT_TRUE(told(allowed, "network_policy", "rule 1 of prod/isolate allows this", 21));
  EXPECT_TRUE(told(allowed, "network_policy", "rule 2 of prod/isolate does not match: other destinations", 22));
  const Explanation denied = ask("10.1.0.1", "198.51.100.7", 80);
  EXPECT_TRUE(told(denied, "network_policy", "other ports", 21));
  EXPECT_TRUE(told(denied, "network_policy", "denied", 16));
  EXPECT_EQ(world_.describe(denied.decision), "deny network_policy prod/isolate");
  EXPECT_TRUE(told(ask("10.1.0.9", "8.8.8.8", 80), "network_policy", "not isolated", 0));
}

TEST_F(Explain, NetworksThatWonAndLost) {
  const Explanation explanation = ask("10.1.0.9", "198.51.100.7", 443);
  EXPECT_TRUE(told(explanation, "egress_network", "linkerd-egress/narrow captures", 38));
  EXPECT_TRUE(told(explanation, "egress_network", "not linkerd-egress/wide with 0.0.0.0/0: its entry is larger", 32));
  EXPECT_TRUE(told(explanation, "egress_network", "not linkerd-egress/holed: 198.51.100.7 is in an except", 44));
}

TEST_F(Explain, HostNameThatMatched) {
  const Explanation explanation = ask("10.1.0.9", "198.51.100.7", 443, named("a.example.com"));
  EXPECT_EQ(world_.describe(explanation.decision), "allow route linkerd-egress/names");
  EXPECT_TRUE(told(explanation, "host_name", "allows it by \"*.example.com\"", 52));
  EXPECT_TRUE(told(explanation, "route", "not tcp_route linkerd-egress/plain: tls_routes take precedence", 55));
}

TEST_F(Explain, HostNameThatNoneTook) {
  const Explanation explanation = ask("10.1.0.9", "198.51.100.7", 443, named("evil.org"));
  EXPECT_EQ(world_.describe(explanation.decision), "deny name_not_allowed");
  EXPECT_TRUE(told(explanation, "host_name", "it takes \"httpbin.org\", \"*.example.com\"", 46));
  EXPECT_TRUE(told(explanation, "route", "traffic_policy of linkerd-egress/narrow, denied", 34));
}

TEST_F(Explain, WhatAMissingNameWouldChange) {
  const Explanation explanation = ask("10.1.0.9", "198.51.100.7", 443);
  EXPECT_EQ(explanation.decision.action, Action::needs_name);
  EXPECT_TRUE(told(explanation, "host_name", "allows a flow that shows \"httpbin.org\"", 46));
  EXPECT_TRUE(told(explanation, "host_name", "any name that none takes: denied (name_not_allowed)", 0));
  EXPECT_TRUE(told(explanation, "host_name", "without a name: denied (no_name)", 0));
  EXPECT_TRUE(told(explanation, "egress", "web: 203.0.113.8", 60));
}

TEST_F(Explain, EgressesThatWonAndLost) {
  const Explanation explanation = ask("10.1.0.9", "198.51.100.7", 443, named("httpbin.org"));
  EXPECT_EQ(world_.identities().name(explanation.egress.egress), "web");
  EXPECT_TRUE(told(explanation, "egress", "web: 203.0.113.8", 60));
  EXPECT_TRUE(told(explanation, "egress", "not later: it stands later in the file", 65));
}

// A policy of its own, and what each step says and where.
std::string steps_of(std::string_view policy, const FlowQuery& query, const std::optional<Shown>& shown = {}) {
  const PolicyWorld world(policy);
  std::string all;
  for (const Step& step : world.policy().explain(query, shown).steps)
    all += step.what + ": " + step.result + (step.line == 0 ? "" : " @" + std::to_string(step.line)) + "\n";
  return all;
}

void says(const std::string& all, std::string_view part) {
  EXPECT_NE(all.find(part), std::string::npos) << part << "\nis not in\n" << all;
}

TEST(ExplainWhere, DefaultsAndPools) {
  const FlowQuery query = tcp_query("10.1.0.1", "8.8.8.8", 80);
  says(steps_of("[defaults]\nuncaptured = \"allow\"\n", query), "[defaults] uncaptured = \"allow\" @2\n");
  says(steps_of("", query), "[defaults] uncaptured = \"deny\"\n");
  const std::string open = "[defaults]\nuncaptured = \"allow\"\n[[ip_pool]]\ncidr = \"10.1.0.0/16\"\n";
  says(steps_of(open, query), "10.1.0.1 is in an ip_pool without nat_outgoing: leaves untranslated @4");
  says(steps_of(open, tcp_query("10.2.0.1", "8.8.8.8", 80)), "10.2.0.1 is in no ip_pool; with any, only sources of");
  says(steps_of(open + "nat_outgoing = true\n", tcp_query("10.1.0.1", "10.1.9.9", 80)),
       "10.1.9.9 is in snat.except: leaves untranslated");
  says(steps_of(open + "nat_outgoing = true\n[snat]\nexcept = []\n", tcp_query("10.1.0.1", "10.1.9.9", 80)),
       "10.1.9.9 is inside an ip_pool: leaves untranslated @4");
}

TEST(ExplainWhere, AnExceptIsToldAsTheCause) {
  says(steps_of("[[workload]]\nnamespace = \"n\"\nname = \"w\"\naddresses = [\"10.1.0.0/16\"]\n"
                "[[network_policy]]\nnamespace = \"n\"\nname = \"p\"\n"
                "egress = [{ to = [{ ip_block = { cidr = \"8.0.0.0/8\", except = [\"8.8.0.0/16\"] } }] }]\n",
                tcp_query("10.1.0.1", "8.8.8.8", 80)),
       "does not match: 8.8.8.8 is in except 8.8.0.0/16 of 8.0.0.0/8 @8");
}

TEST(ExplainWhere, SizesStandOnlyWhereTheyDecidedAndPrefixesDoNotShowIt) {
  const std::string networks =
      "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"wide\"\ntraffic_policy = \"Deny\"\n"
      "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"narrow\"\ntraffic_policy = \"Deny\"\n"
      "networks = [{ cidr = \"2001:db8::/32\", except = [\"2001:db8:1::/48\"] }]\n";
  const std::string told = steps_of(networks, tcp_query("fd00::1", "2001:db8::7", 80));
  says(told, "linkerd-egress/narrow captures 2001:db8::7 by 2001:db8::/32 with excepts, traffic_policy Deny @9");
  says(told,
       "not linkerd-egress/wide with ::/0 with excepts: its entry is larger, up to 2^128 addresses and not up to 2^96");
}

TEST(ExplainWhere, ANameOfADomainSetPointsToTheSet) {
  says(steps_of("[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"n\"\ntraffic_policy = \"Allow\"\n"
                "[[tls_route]]\nnamespace = \"linkerd-egress\"\nname = \"no-ads\"\naction = \"deny\"\n"
                "parent_refs = [{ name = \"n\", port = 443 }]\nhostname_sets = [\"ads\"]\n"
                "[[domain_set]]\nname = \"ads\"\nnames = [\"doubleclick.net\"]\n",
                tcp_query("10.1.0.1", "198.51.100.7", 443), named("ad.doubleclick.net")),
       "denies it by the domain set \"ads\" @11");
}

TEST(ExplainWhere, RoutesThatTheFlowHasNothingToShowTo) {
  const std::string policy =
      "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"n\"\ntraffic_policy = \"Deny\"\n"
      "[[tls_route]]\nnamespace = \"linkerd-egress\"\nname = \"names\"\nparent_refs = [{ name = \"n\", port = 443 }]\n"
      "hostnames = [\"httpbin.org\"]\n"
      "[[http_route]]\nnamespace = \"linkerd-egress\"\nname = \"api\"\nparent_refs = [{ name = \"n\", port = 80 }]\n"
      "rules = [{ matches = [{ path = { type = \"PathPrefix\", value = \"/v2\" }, method = \"GET\" }] }]\n";
  Shown request{.protocol = Shown::Protocol::http, .name = "httpbin.org"};
  request.request = {"GET", "/", {}};
  says(steps_of(policy, tcp_query("10.1.0.1", "198.51.100.7", 443), request),
       "not tls_route linkerd-egress/names: it takes TLS or QUIC that shows \"httpbin.org\" @5");
  says(steps_of(policy, tcp_query("10.1.0.1", "198.51.100.7", 80), request),
       "it takes the name, and of requests path PathPrefix \"/v2\", method GET @10");
}

TEST_F(Explain, DecidesLikeTheDataplane) {
  for (const char* from : {"10.1.0.1", "10.1.0.9", "172.16.0.1"})
    for (const char* to : {"198.51.100.7", "198.51.100.200", "192.0.2.1", "10.9.9.9"})
      for (const std::uint16_t port : Ports{80, 443})
        for (const char* name : {"", "httpbin.org", "x.example.com", "evil.org"})
          EXPECT_EQ(world_.describe(ask(from, to, port, named(name)).decision),
                    world_.show(tcp_query(from, to, port), named(name)));
}

}  // namespace
}  // namespace sallyport::classifier
