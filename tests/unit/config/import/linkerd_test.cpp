// Linkerd EgressNetworks and the routes of the Gateway API that hang on them.
#include <string>
#include <vector>

#include "import_support.h"

namespace sallyport::config {
namespace {

const std::string network = R"(apiVersion: policy.linkerd.io/v1alpha1
kind: EgressNetwork
metadata: {namespace: linkerd-egress, name: all}
spec: {trafficPolicy: Deny}
---
)";  // five lines

// A route of the network's namespace: lines 6 to 12, then `rest`.
std::string route(const std::string& kind, const std::string& rest, const std::string& version = "v1") {
  return network + "apiVersion: gateway.networking.k8s.io/" + version + "\nkind: " + kind +
         "\nmetadata: {namespace: linkerd-egress, name: r}\nspec:\n  parentRefs:\n"
         "  - {group: policy.linkerd.io, kind: EgressNetwork, name: all, port: 443}\n" +
         rest;
}

const std::string stays = "  rules: [{backendRefs: [{group: policy.linkerd.io, kind: EgressNetwork, name: all}]}]\n";

std::vector<std::string> names_of(const std::vector<EgressNetwork>& networks) {
  std::vector<std::string> names;
  for (const EgressNetwork& each : networks) names.push_back(each.namespace_name + "/" + each.name);
  return names;
}

TEST(ImportLinkerd, NetworkAndRoute) {
  const PolicyModel model = must_import(route("TLSRoute", "  hostnames: [httpbin.org, '*.Example.com']\n" + stays));
  ASSERT_EQ(model.egress_networks.size(), 1U);
  EXPECT_EQ(model.egress_networks[0].traffic_policy, TrafficPolicy::deny);
  EXPECT_FALSE(model.egress_networks[0].networks_given);
  ASSERT_EQ(model.routes.size(), 1U);
  const Route& made = model.routes[0];
  EXPECT_EQ(made.kind, RouteKind::tls);
  EXPECT_EQ(made.action, RouteAction::allow);
  ASSERT_EQ(made.parent_refs.size(), 1U);
  EXPECT_EQ(made.parent_refs[0].namespace_name, "linkerd-egress");
  EXPECT_EQ(made.parent_refs[0].port, 443);
  ASSERT_EQ(made.hostnames.size(), 2U);
  EXPECT_EQ(made.hostnames[1].kind, HostPattern::Kind::wildcard);
  EXPECT_EQ(made.hostnames[1].text, "example.com");
  EXPECT_EQ(model.defaults.uncaptured, TrafficPolicy::allow);  // what no network captures, Linkerd lets pass
}

TEST(ImportLinkerd, EveryVersionOfTheRoutes) {
  for (const std::string version : {"v1alpha2", "v1alpha3", "v1beta1", "v1"}) {
    EXPECT_EQ(must_import(route("TLSRoute", "  hostnames: [a.example]\n" + stays, version)).routes.size(), 1U)
        << version;
  }
  EXPECT_EQ(must_import(route("TCPRoute", stays, "v1alpha2")).routes[0].kind, RouteKind::tcp);
  EXPECT_EQ(must_import(route("UDPRoute", stays, "v1alpha2")).routes[0].kind, RouteKind::udp);
}

TEST(ImportLinkerd, NetworksWithHoles) {
  const PolicyModel model = must_import(
      "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {name: a, namespace: prod}\n"
      "spec:\n  trafficPolicy: Allow\n  networks:\n  - cidr: 192.0.2.1/24\n    except: [192.0.2.128/25]\n");
  ASSERT_EQ(model.egress_networks.size(), 1U);
  ASSERT_EQ(model.egress_networks[0].networks.size(), 1U);
  EXPECT_EQ(to_string(model.egress_networks[0].networks[0].cidr),
            "192.0.2.0/24");  // corner case 1: host bits are cleared
  EXPECT_EQ(to_string(model.egress_networks[0].networks[0].except.at(0)), "192.0.2.128/25");
}

// Corner cases 13 to 16: Linkerd refuses such a network, so it does not hold there.
TEST(ImportLinkerd, WhatLinkerdRefusesIsLeftOut) {
  const auto with = [](const std::string& spec) {
    return "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {name: a}\nspec: " + spec + "\n";
  };
  for (const char* spec :
       {"{trafficPolicy: Deny, networks: []}", "{networks: [{cidr: 192.0.2.0/24}]}", "{trafficPolicy: Perhaps}",
        "{trafficPolicy: Deny, networks: [{cidr: 192.0.2.0/24, except: [192.0.2.0/24]}]}",
        "{trafficPolicy: Deny, networks: [{cidr: 192.0.2.0/24, except: [198.51.100.0/24]}]}",
        "{trafficPolicy: Deny, networks: [{cidr: 192.0.2.0/24, except: ['2001:db8::/64']}]}"}) {
    EXPECT_TRUE(import_with_report(with(spec), 1, "EgressNetwork/a: Linkerd refuses it").egress_networks.empty())
        << spec;
  }
}

// Corner case 5.
TEST(ImportLinkerd, OldestFirstThenByName) {
  const auto one = [](const std::string& name, const std::string& created) {
    return "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {namespace: n, name: " + name +
           created + "}\nspec: {trafficPolicy: Deny, networks: [{cidr: 192.0.2.0/24}]}\n---\n";
  };
  const PolicyModel model = must_import(one("z", "") + one("y", ", creationTimestamp: 2026-01-02T00:00:00Z") +
                                        one("x", ", creationTimestamp: '2026-01-01T00:00:00Z'") +
                                        one("b", ", creationTimestamp: 2026-01-02T00:00:00Z") + one("a", ""));
  EXPECT_EQ(names_of(model.egress_networks), (std::vector<std::string>{"n/x", "n/b", "n/y", "n/a", "n/z"}));
}

// Corner case 7: Linkerd asks the networks of one scope only.
TEST(ImportLinkerd, OwnNetworksHideTheGlobalOnes) {
  EXPECT_FALSE(must_import(network).defaults.global_scope_exclusive);
  const std::string own =
      "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {namespace: prod, name: "
      "own}\nspec: {trafficPolicy: Allow}\n";
  EXPECT_TRUE(must_import(network + own).defaults.global_scope_exclusive);
  EXPECT_FALSE(must_import(own).defaults.global_scope_exclusive);
}

// ---- what cannot be kept --------------------------------------------------------------------------------------------

TEST(ImportLinkerd, ABackendElsewhereDenies) {
  const PolicyModel model = import_with_report(
      route("TLSRoute", "  hostnames: [a.example]\n  rules:\n  - backendRefs:\n    - {name: proxy, port: 443}\n"), 15,
      "TLSRoute/r: backendRef: sends traffic elsewhere, to Service linkerd-egress/proxy");
  ASSERT_EQ(model.routes.size(), 1U);
  EXPECT_EQ(model.routes[0].action, RouteAction::deny);
}

TEST(ImportLinkerd, SomeTrafficElsewhereIsReportedAndTheRestPasses) {
  const PolicyModel model = import_with_report(
      route("TLSRoute",
            "  hostnames: [a.example]\n  rules:\n  - backendRefs:\n    - {name: proxy, port: 443, weight: 1}\n"
            "    - {group: policy.linkerd.io, kind: EgressNetwork, name: all, weight: 9}\n"),
      15, "sends traffic elsewhere");
  EXPECT_EQ(model.routes.at(0).action, RouteAction::allow);
}

TEST(ImportLinkerd, ABackendWithoutWeightGetsNothing) {
  must_import(route("TLSRoute",
                    "  hostnames: [a.example]\n  rules:\n  - backendRefs:\n    - {name: proxy, port: 1, weight: 0}\n"
                    "    - {group: policy.linkerd.io, kind: EgressNetwork, name: all}\n"));
}

// Corner cases 71 and 72.
TEST(ImportLinkerd, RoutesThatLinkerdRefuses) {
  EXPECT_TRUE(import_with_report(route("TCPRoute", "  rules: []\n"), 6, "has 0 rules").routes.empty());
  EXPECT_TRUE(import_with_report(route("TLSRoute", "  rules: [{}, {}]\n"), 6, "has 2 rules").routes.empty());
  std::string portless = route("TCPRoute", stays);
  portless.replace(portless.find(", port: 443"), 11, "");
  EXPECT_TRUE(import_with_report(portless, 11, "without a port").routes.empty());
}

// Corner case 73.
TEST(ImportLinkerd, OnlyTheOldestTcpRouteOfAPort) {
  std::string second = route("TCPRoute", stays).substr(network.size());
  second.replace(second.find("name: r}"), 8, "name: s}");
  const PolicyModel model =
      import_with_report(route("TCPRoute", stays) + "---\n" + second, 19, "TCPRoute/s: parent: an older");
  ASSERT_EQ(model.routes.size(), 1U);
  EXPECT_EQ(model.routes[0].name, "r");
}

TEST(ImportLinkerd, ParentsThatAreNoEgressNetwork) {
  std::string other = route("TLSRoute", "  hostnames: [a.example]\n" + stays);
  other.replace(other.find("group: policy.linkerd.io, kind: EgressNetwork"), 45, "kind: Gateway");
  EXPECT_TRUE(import_with_report(other, 11, "Gateway linkerd-egress/all is no EgressNetwork").routes.empty());
  EXPECT_TRUE(
      import_with_report(route("TLSRoute", stays).substr(network.size()), 6, "not in these files").routes.empty());
}

// Corner case 56: a name that the Gateway API refuses opens nothing, and least of all everything.
TEST(ImportLinkerd, NamesThatAreNone) {
  for (const char* name : {"'*'", "'f*.com'", "'foo.*.com'", "'**.x'", "192.0.2.1", "a..b", ".example.com"}) {
    const PolicyModel model =
        import_with_report(route("TLSRoute", std::string("  hostnames: [") + name + "]\n" + stays), 12, "hostname ");
    EXPECT_TRUE(model.routes.empty()) << name;
  }
}

TEST(ImportLinkerd, UnknownFieldsAreReported) {
  import_with_report(route("TLSRoute", "  hostnames: [a.example]\n  surplus: 1\n" + stays), 13,
                     "\"surplus\": import does not know");
}

// ---- requests -------------------------------------------------------------------------------------------------------

TEST(ImportLinkerd, RequestsOfHttpRoutes) {
  const std::string toml = toml_of(route("HTTPRoute", R"(  hostnames: [httpbin.org]
  rules:
  - matches:
    - path: {value: /get}
      method: GET
    - path: {type: Exact, value: '/a"b'}
      headers: [{name: X-Team, value: blue}, {name: X-Id, type: RegularExpression, value: '[0-9]+'}]
      queryParams: [{name: q, value: '1'}]
)"));
  EXPECT_NE(toml.find("[[http_route]]\nnamespace = \"linkerd-egress\"\nname = \"r\""), std::string::npos) << toml;
  EXPECT_NE(toml.find(R"({ path = { type = "PathPrefix", value = "/get" }, method = "GET" })"), std::string::npos)
      << toml;
  EXPECT_NE(
      toml.find(R"({ path = { type = "Exact", value = "/a\"b" }, headers = [{ name = "X-Team", value = "blue" }, )"
                R"({ name = "X-Id", type = "RegularExpression", value = "[0-9]+" }], )"
                R"(query_params = [{ name = "q", value = "1" }] })"),
      std::string::npos)
      << toml;
}

TEST(ImportLinkerd, RequestsOfGrpcRoutes) {
  const std::string toml = toml_of(route("GRPCRoute",
                                         "  rules:\n  - matches:\n    - method: {service: shop.Cart, method: Add}\n    "
                                         "  headers: [{name: a, value: b}]\n"));
  EXPECT_NE(
      toml.find(
          R"(matches = [{ method = { service = "shop.Cart", method = "Add" }, headers = [{ name = "a", value = "b" }] }])"),
      std::string::npos)
      << toml;
}

TEST(ImportLinkerd, RulesThatAnswerThemselvesBecomeADenyingRoute) {
  const std::string yaml = route("HTTPRoute", R"(  rules:
  - matches: [{path: {value: /a}}]
  - matches: [{path: {value: /b}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]
  - matches: [{path: {value: /c}}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}]
    timeouts: {request: 1s}
)");
  const ImportedPolicy imported = import_yaml(yaml);
  const std::string said = reports_of(imported);
  EXPECT_NE(said.find("in.yaml:15:15: HTTPRoute/r: filter \"RequestRedirect\": would answer"), std::string::npos)
      << said;
  EXPECT_NE(said.find("filter \"RequestHeaderModifier\": the gateway changes and copies no requests"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("timeouts: the gateway ends no requests"), std::string::npos) << said;
  const std::string toml = imported.toml.value_or("");
  const std::size_t denied = toml.find("name = \"r-denied\"");
  ASSERT_NE(denied, std::string::npos) << toml;
  EXPECT_GT(toml.find("action = \"deny\""), denied);
  EXPECT_LT(toml.find("/c"), denied);
  EXPECT_GT(toml.find("\"/b\""), denied);
}

// Gateway API: of equal matches the first rule's decides.
TEST(ImportLinkerd, ALaterRuleWithTheSameMatchDecidesNothing) {
  const std::string redirect = "    filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]\n";
  const ImportedPolicy first = import_yaml(route(
      "HTTPRoute", "  rules:\n  - matches: [{path: {value: /x}}]\n  - matches: [{path: {value: /x}}]\n" + redirect));
  EXPECT_EQ(first.toml.value_or("").find("action = \"deny\""), std::string::npos) << first.toml.value_or("");
  EXPECT_NE(reports_of(first).find("warning: an earlier rule has this match already"), std::string::npos)
      << reports_of(first);
  const std::string second = toml_of(route("HTTPRoute", "  rules:\n  - matches: [{path: {value: /x}}]\n" + redirect +
                                                            "  - matches: [{path: {value: /x}}]\n"));
  EXPECT_NE(second.find("action = \"deny\""), std::string::npos) << second;
  EXPECT_EQ(second.find("name = \"r-denied\""), std::string::npos) << second;
}

TEST(ImportLinkerd, NamesOfHeadersHaveNoCase) {
  const std::string toml = toml_of(route(
      "HTTPRoute",
      "  rules:\n  - matches: [{headers: [{name: Version, value: '1'}, {name: version, value: '2'}], queryParams: "
      "[{name: A, value: '3'}, {name: a, value: '4'}]}]\n"));
  EXPECT_NE(toml.find("\"1\""), std::string::npos) << toml;
  EXPECT_EQ(toml.find("\"2\""), std::string::npos) << toml;
  EXPECT_NE(toml.find("\"4\""), std::string::npos) << toml;
}

TEST(ImportLinkerd, AMatchThatCannotBeKeptIsNotWidened) {
  for (const char* never : {"{path: {type: Exact, value: '/a?b=1'}}", "{path: {value: '/a#b'}}", "{method: get}"}) {
    const ImportedPolicy imported =
        import_yaml(route("HTTPRoute", std::string("  rules:\n  - matches: [") + never + "]\n"));
    ASSERT_TRUE(imported.toml.has_value()) << never;
    EXPECT_EQ(imported.toml->find("http_route"), std::string::npos) << never;
  }
  const std::string toml = toml_of(route("HTTPRoute", "  rules:\n  - matches: [{path: {type: Glob, value: /a}}]\n"));
  EXPECT_EQ(toml.find("http_route"), std::string::npos) << toml;
}

}  // namespace
}  // namespace sallyport::config
