// What a right policy becomes. What a wrong one is told: load_policy_errors_test.cpp.
#include <chrono>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "load_policy_support.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

TEST(LoadPolicy, Case145AnEmptyDocumentIsValidAndHasTheDefaults) {
  for (const std::string_view text : {"", "\n", "# nothing yet\n"}) {
    const PolicyModel model = must_load(text);
    EXPECT_EQ(model.files, std::vector<std::string>{"policy.toml"});
    EXPECT_EQ(model.cluster_networks,
              (std::vector<Prefix>{net("10.0.0.0/8"), net("100.64.0.0/10"), net("172.16.0.0/12"), net("192.168.0.0/16"),
                                   net("fd00::/8")}));
    EXPECT_EQ(model.global_namespace, "linkerd-egress");
    EXPECT_EQ(model.defaults.uncaptured, TrafficPolicy::deny);
    EXPECT_FALSE(model.defaults.global_scope_exclusive);
    EXPECT_TRUE(model.defaults.deny_resets);
    EXPECT_TRUE(model.defaults.reload_reevaluates);
    EXPECT_EQ(model.defaults.hello_timeout, 10s);
    EXPECT_EQ(model.snat.except, model.cluster_networks);
    EXPECT_TRUE(model.egress_networks.empty());
  }
  EXPECT_TRUE(load_policy({}).model.has_value());
}

TEST(LoadPolicy, Sources) {
  const PolicyModel model = must_load(R"(
[cluster]
networks = ["10.0.0.0/8"]
global_namespace = "egress"

[[namespace]]
name = "prod"
labels = { env = "prod" }
addresses = ["10.1.0.0/16"]

[[workload]]
namespace = "prod"
name = "web"
labels = { role = "web", "app.kubernetes.io/name" = "shop" }
addresses = ["10.1.2.0/24", "fd00:1:2::/64"]
)");
  EXPECT_EQ(model.global_namespace, "egress");
  EXPECT_EQ(model.cluster_networks, std::vector<Prefix>{net("10.0.0.0/8")});
  ASSERT_EQ(model.namespaces.size(), 1U);
  EXPECT_EQ(model.namespaces[0].labels, (Labels{{"env", "prod"}, {"kubernetes.io/metadata.name", "prod"}}));
  EXPECT_EQ(model.namespaces[0].addresses[0].prefix, net("10.1.0.0/16"));
  EXPECT_EQ(model.namespaces[0].at, (Location{0, 6, 1}));
  ASSERT_EQ(model.workloads.size(), 1U);
  EXPECT_EQ(model.workloads[0].namespace_name, "prod");
  EXPECT_EQ(model.workloads[0].labels, (Labels{{"app.kubernetes.io/name", "shop"}, {"role", "web"}}));
  ASSERT_EQ(model.workloads[0].addresses.size(), 2U);
  EXPECT_EQ(model.workloads[0].addresses[1].prefix, net("fd00:1:2::/64"));
  EXPECT_EQ(model.workloads[0].addresses[1].at, (Location{0, 15, 29}));
}

TEST(LoadPolicy, NetworkPolicies) {
  const PolicyModel model = must_load(R"(
[[network_policy]]
namespace = "frontend"
name = "some"
pod_selector = { match_labels = { role = "frontend" }, match_expressions = [
  { key = "tier", operator = "NotIn", values = ["db", "cache"] }, { key = "canary", operator = "DoesNotExist" } ] }
  [[network_policy.egress]]
  to = [
    { ip_block = { cidr = "192.168.0.0/16", except = ["192.168.9.0/24"] } },
    { network_set = { match_labels = { kind = "partner" } } },
    { pod_selector = {}, namespace_selector = { match_labels = { env = "prod" } } },
    { pod_selector = { match_labels = { role = "db" } } },
    { namespace_selector = {} },
  ]
  ports = [ { port = 5432 }, { protocol = "UDP", port = 8000, end_port = 8100 }, { protocol = "SCTP" }, { protocol = "ICMP" } ]

[[network_policy]]
namespace = "frontend"
name = "nothing"
egress = []

[[network_policy]]
namespace = "frontend"
name = "everything"
egress = [{}]
)");
  ASSERT_EQ(model.network_policies.size(), 3U);
  const NetworkPolicy& some = model.network_policies[0];
  ASSERT_EQ(some.pod_selector.match_expressions.size(), 2U);
  EXPECT_EQ(some.pod_selector.match_expressions[0].op, SelectorTerm::Operator::not_in);
  EXPECT_EQ(some.pod_selector.match_expressions[0].values, (std::vector<std::string>{"db", "cache"}));
  ASSERT_EQ(some.egress.size(), 1U);
  const auto& to = some.egress[0].to;
  ASSERT_EQ(to.size(), 5U);
  const auto& block = std::get<IpBlockPeer>(to[0].is).block;
  EXPECT_EQ(block.cidr, net("192.168.0.0/16"));
  EXPECT_EQ(block.except, std::vector<Prefix>{net("192.168.9.0/24")});
  EXPECT_EQ(std::get<NetworkSetPeer>(to[1].is).selector.match_labels, (Labels{{"kind", "partner"}}));
  EXPECT_TRUE(std::get<PodPeer>(to[2].is).pod_selector->empty());
  EXPECT_EQ(std::get<PodPeer>(to[2].is).namespace_selector->match_labels, (Labels{{"env", "prod"}}));
  EXPECT_FALSE(std::get<PodPeer>(to[3].is).namespace_selector.has_value());
  EXPECT_FALSE(std::get<PodPeer>(to[4].is).pod_selector.has_value());
  const auto& ports = some.egress[0].ports;
  ASSERT_EQ(ports.size(), 4U);
  EXPECT_EQ(ports[0].protocol, Protocol::tcp);  // case 33
  EXPECT_EQ(ports[0].port, 5432);
  EXPECT_EQ(ports[1].protocol, Protocol::udp);
  EXPECT_EQ(ports[1].end_port, 8100);
  EXPECT_EQ(ports[2].protocol, Protocol::sctp);
  EXPECT_FALSE(ports[2].port.has_value());
  EXPECT_EQ(ports[3].protocol, Protocol::icmp);
  EXPECT_TRUE(model.network_policies[1].egress.empty());           // case 22
  EXPECT_TRUE(model.network_policies[1].pod_selector.empty());     // case 28
  ASSERT_EQ(model.network_policies[2].egress.size(), 1U);          // case 23
  EXPECT_TRUE(model.network_policies[2].egress[0].to.empty());     // case 24
  EXPECT_TRUE(model.network_policies[2].egress[0].ports.empty());  // case 25
}

TEST(LoadPolicy, EgressNetworks) {
  const PolicyModel model = must_load(R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "given"
traffic_policy = "Allow"
networks = [ { cidr = "198.51.100.0/24", except = ["198.51.100.0/25", "198.51.100.128/32"] }, { cidr = "2001:db8::/32" } ]

[[egress_network]]
namespace = "prod"
name = "default"
traffic_policy = "Deny"
)");
  ASSERT_EQ(model.egress_networks.size(), 2U);
  const EgressNetwork& given = model.egress_networks[0];
  EXPECT_TRUE(given.networks_given);
  EXPECT_EQ(given.traffic_policy, TrafficPolicy::allow);
  ASSERT_EQ(given.networks.size(), 2U);
  EXPECT_EQ(given.networks[0].except.size(), 2U);
  EXPECT_EQ(given.networks[1].cidr, net("2001:db8::/32"));
  // Case 12: everything but the cluster's networks, family by family.
  const EgressNetwork& rest = model.egress_networks[1];
  EXPECT_FALSE(rest.networks_given);
  ASSERT_EQ(rest.networks.size(), 2U);
  EXPECT_EQ(rest.networks[0].cidr, net("0.0.0.0/0"));
  EXPECT_EQ(rest.networks[0].except.size(), 4U);
  EXPECT_EQ(rest.networks[1].cidr, net("::/0"));
  EXPECT_EQ(rest.networks[1].except, std::vector<Prefix>{net("fd00::/8")});
}

TEST(LoadPolicy, ACoveredFamilyLeavesNothingToCapture) {
  const PolicyModel model = must_load(R"(
cluster.networks = ["::/0"]
[[egress_network]]
namespace = "a"
name = "b"
traffic_policy = "Deny"
)");
  ASSERT_EQ(model.egress_networks[0].networks.size(), 1U);
  EXPECT_EQ(model.egress_networks[0].networks[0].cidr, net("0.0.0.0/0"));
}

TEST(LoadPolicy, RoutesOfAllKindsInFileOrder) {
  const PolicyModel model = must_load(R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"

[[egress_network]]
namespace = "prod"
name = "own"
traffic_policy = "Deny"

[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "all", port = 443 }, { name = "own", namespace = "prod", port = 8000, end_port = 8443 } ]
hostnames = ["HTTPBIN.org.", "*.example.com", ".example.net", { regex = "api-[0-9]+\\.example\\.com" }]
hostname_sets = ["ads"]
action = "audit"

[[icmp_route]]
namespace = "prod"
name = "ping"
parent_refs = [ { name = "own" } ]

[[tcp_route]]
namespace = "prod"
name = "names"
parent_refs = [ { name = "own", port = 5432 } ]
action = "deny"

[[tls_route]]
namespace = "prod"
name = "last"
parent_refs = [ { name = "own", port = 443 } ]

[[udp_route]]
namespace = "prod"
name = "dns"
parent_refs = [ { name = "own", port = 53 } ]

[[domain_set]]
name = "ads"
names = ["DoubleClick.net", "*.ads.example"]
)");
  ASSERT_EQ(model.routes.size(), 5U);
  EXPECT_EQ(model.routes[0].kind, RouteKind::tls);
  EXPECT_EQ(model.routes[1].kind, RouteKind::icmp);
  EXPECT_EQ(model.routes[2].kind, RouteKind::tcp);
  EXPECT_EQ(model.routes[3].kind, RouteKind::tls);
  EXPECT_EQ(model.routes[4].kind, RouteKind::udp);
  const Route& names = model.routes[0];
  EXPECT_EQ(names.action, RouteAction::audit);
  ASSERT_EQ(names.parent_refs.size(), 2U);
  EXPECT_EQ(names.parent_refs[0].namespace_name, "linkerd-egress");  // the route's own
  EXPECT_EQ(names.parent_refs[0].port, 443);
  EXPECT_EQ(names.parent_refs[1].namespace_name, "prod");
  EXPECT_EQ(names.parent_refs[1].end_port, 8443);
  ASSERT_EQ(names.hostnames.size(), 4U);
  EXPECT_EQ(names.hostnames[0].text, "httpbin.org");
  EXPECT_EQ(names.hostnames[1].kind, HostPattern::Kind::wildcard);
  EXPECT_EQ(names.hostnames[2].kind, HostPattern::Kind::apex);
  EXPECT_EQ(names.hostnames[3].kind, HostPattern::Kind::regex);
  EXPECT_EQ(names.hostnames[3].text, "api-[0-9]+\\.example\\.com");
  EXPECT_EQ(names.hostnames[1].at, (Location{0, 16, 30}));
  EXPECT_EQ(names.hostname_sets, std::vector<std::string>{"ads"});
  EXPECT_FALSE(model.routes[1].parent_refs[0].port.has_value());
  EXPECT_EQ(model.routes[2].action, RouteAction::deny);
  EXPECT_EQ(model.routes[3].action, RouteAction::allow);
  EXPECT_TRUE(model.routes[3].hostnames.empty());  // case 51
  EXPECT_EQ(model.domain_sets[0].names, (std::vector<std::string>{"doubleclick.net", "ads.example"}));
  EXPECT_EQ(model.domain_sets[0].match, DomainSet::Match::subdomains);
}

TEST(LoadPolicy, DefaultsWithAllTheirValues) {
  const PolicyModel model = must_load(R"(
[defaults]
uncaptured = "allow"
global_scope = "exclusive"
deny_action = "drop"
http_deny = "reset"
on_reload = "keep"
ech = "deny"
ech_public_names = ["Cloudflare-ECH.com", "example.com"]
server_name_binding = "off"
hello_timeout = "2s500ms"

[dns]
trusted_servers = []
extra_ttl = "5s"
names_max = 10
)");
  EXPECT_EQ(model.defaults.uncaptured, TrafficPolicy::allow);
  EXPECT_TRUE(model.defaults.global_scope_exclusive);
  EXPECT_FALSE(model.defaults.deny_resets);
  EXPECT_FALSE(model.defaults.http_deny_responds);
  EXPECT_FALSE(model.defaults.reload_reevaluates);
  EXPECT_TRUE(model.defaults.ech_denied);
  EXPECT_EQ(model.defaults.ech_public_names, (std::vector<std::string>{"cloudflare-ech.com", "example.com"}));
  EXPECT_EQ(model.defaults.hello_timeout, 2500ms);
  EXPECT_EQ(model.dns.extra_ttl, 5s);
  EXPECT_EQ(model.dns.names_max, 10U);
  EXPECT_TRUE(must_load("defaults.http_deny = \"respond\"").defaults.http_deny_responds);
  EXPECT_TRUE(must_load("defaults.ech_public_names = []").defaults.ech_public_names.empty());
}

TEST(LoadPolicy, Egresses) {
  const PolicyModel model = must_load(R"(
[snat]
addresses = ["203.0.113.1", "2001:db8::1"]
except = ["10.0.0.0/8"]

[[egress_pool]]
name = "pool"
ranges = ["203.0.113.16/28", "203.0.113.40-203.0.113.47", "2001:db8::7"]
exclude = ["203.0.113.17"]

[[egress]]
name = "by-pods"
applied_to = { pod_selector = { match_labels = { role = "web" } }, namespace_selector = {} }
egress_ip = "203.0.113.8"

[[egress]]
name = "by-sources"
sources = ["10.9.0.0/24"]
egress_ips = ["203.0.113.9", "203.0.113.10"]
destinations = ["198.51.100.0/24"]
except = ["198.51.100.7/32"]
priority = -5

[[egress]]
name = "by-pool"
sources = ["10.10.0.0/24"]
egress_pool = "pool"

[[ip_pool]]
cidr = "10.1.0.0/16"
nat_outgoing = true

[[ip_pool]]
cidr = "10.2.0.0/16"
)");
  EXPECT_EQ(model.snat.addresses, (std::vector<IpAddress>{ip("203.0.113.1"), ip("2001:db8::1")}));
  EXPECT_EQ(model.snat.except, std::vector<Prefix>{net("10.0.0.0/8")});
  ASSERT_EQ(model.egress_pools.size(), 1U);
  ASSERT_EQ(model.egress_pools[0].ranges.size(), 3U);
  EXPECT_EQ(model.egress_pools[0].ranges[1].last, ip("203.0.113.47"));
  EXPECT_EQ(model.egress_pools[0].exclude[0].first, ip("203.0.113.17"));
  ASSERT_EQ(model.egresses.size(), 3U);
  EXPECT_TRUE(model.egresses[0].applied_to->namespace_selector->empty());
  EXPECT_EQ(model.egresses[0].egress_ips, std::vector<IpAddress>{ip("203.0.113.8")});
  EXPECT_EQ(model.egresses[0].destinations, (std::vector<Prefix>{net("0.0.0.0/0"), net("::/0")}));
  EXPECT_FALSE(model.egresses[1].applied_to.has_value());
  EXPECT_EQ(model.egresses[1].egress_ips.size(), 2U);
  EXPECT_EQ(model.egresses[1].destinations, std::vector<Prefix>{net("198.51.100.0/24")});
  EXPECT_EQ(model.egresses[1].except, std::vector<Prefix>{net("198.51.100.7/32")});
  EXPECT_EQ(model.egresses[1].priority, -5);
  EXPECT_EQ(model.egresses[2].egress_pool, "pool");
  ASSERT_EQ(model.ip_pools.size(), 2U);
  EXPECT_TRUE(model.ip_pools[0].nat_outgoing);
  EXPECT_FALSE(model.ip_pools[1].nat_outgoing);
}

TEST(LoadPolicy, BandwidthAndDscpOfAnEgress) {
  const PolicyModel model = must_load(R"(
[[egress]]
name = "web"
sources = ["10.0.0.0/8"]
egress_ip = "203.0.113.1"
bandwidth = { rate = "100M", burst = "200M" }
dscp = 63
)");
  ASSERT_TRUE(model.egresses[0].bandwidth.has_value());
  EXPECT_EQ(model.egresses[0].bandwidth->rate_bits_per_second, 100'000'000U);
  EXPECT_EQ(model.egresses[0].bandwidth->burst_bits, 200'000'000U);
  EXPECT_EQ(model.egresses[0].dscp, std::uint8_t{63});
}

TEST(LoadPolicy, SnatWithAnEmptyExceptTranslatesEverywhere) {
  EXPECT_TRUE(must_load("snat.except = []").snat.except.empty());
}

TEST(LoadPolicy, NamesLiveInTheirOwnKindAndNamespace) {
  must_load(R"(
network_set = [ { name = "a" }, { name = "a", namespace = "x" }, { name = "a", namespace = "y" } ]
domain_set = [ { name = "a" } ]
egress_pool = [ { name = "a", ranges = ["203.0.113.1"] } ]
workload = [ { namespace = "x", name = "a", addresses = [] }, { namespace = "y", name = "a", addresses = [] } ]
)");
}

}  // namespace
}  // namespace sallyport::config
