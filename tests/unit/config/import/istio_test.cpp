// Istio Gateways and ServiceEntries.
#include <string>

#include "import_support.h"

namespace sallyport::config {
namespace {

// Six lines, the servers from line 7 on.
std::string gateway(const std::string& servers, const std::string& selector = "istio: egressgateway") {
  return "apiVersion: networking.istio.io/v1alpha3\nkind: Gateway\nmetadata: {namespace: istio-system, name: "
         "out}\nspec:\n"
         "  selector: {" +
         selector + "}\n  servers:\n" + servers;
}

const std::string tls =
    "  - {port: {number: 443, name: tls, protocol: TLS}, hosts: ['*.example.com'], tls: {mode: PASSTHROUGH}}\n";

std::string entry(const std::string& spec, const std::string& name = "db") {
  return "---\napiVersion: networking.istio.io/v1beta1\nkind: ServiceEntry\nmetadata: {namespace: prod, name: " + name +
         "}\nspec: {" + spec + "}\n";
}

TEST(ImportIstio, AGatewayIsADenyNetworkWithRoutes) {
  const PolicyModel model = must_import(gateway(tls));
  EXPECT_EQ(model.global_namespace, "istio-system");
  ASSERT_EQ(model.egress_networks.size(), 1U);
  EXPECT_EQ(model.egress_networks[0].name, "out");
  EXPECT_EQ(model.egress_networks[0].traffic_policy, TrafficPolicy::deny);
  ASSERT_EQ(model.routes.size(), 1U);
  EXPECT_EQ(model.routes[0].kind, RouteKind::tls);
  EXPECT_EQ(model.routes[0].hostnames.at(0).kind, HostPattern::Kind::wildcard);
  EXPECT_EQ(model.routes[0].hostnames.at(0).text, "example.com");
  EXPECT_EQ(model.routes[0].parent_refs.at(0).port, 443);
}

TEST(ImportIstio, EveryVersion) {
  for (const std::string version : {"v1alpha3", "v1beta1", "v1"}) {
    std::string yaml = gateway(tls);
    yaml.replace(yaml.find("v1alpha3"), 8, version);
    EXPECT_EQ(must_import(yaml).routes.size(), 1U) << version;
  }
}

TEST(ImportIstio, AStarIsEveryName) {
  const PolicyModel model = must_import(
      gateway("  - {port: {number: 443, protocol: HTTPS}, hosts: [prod/a.example, '*'], tls: {mode: PASSTHROUGH}}\n"));
  EXPECT_TRUE(model.routes.at(0).hostnames.empty());
}

// Istio's own sample of an egress gateway.
TEST(ImportIstio, AGatewayAndAServiceEntryOfOneHostAreOneRoute) {
  const std::string host =
      "  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [edition.cnn.com], tls: {mode: PASSTHROUGH}}\n";
  const PolicyModel model = must_import(
      gateway(host) +
      entry("hosts: [edition.cnn.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS", "cnn"));
  EXPECT_EQ(model.routes.size(), 1U);
}

TEST(ImportIstio, SeveralGatewaysAreOneNetwork) {
  std::string second =
      gateway("  - {port: {number: 8443, protocol: TLS}, hosts: [b.example], tls: {mode: PASSTHROUGH}}\n");
  second.replace(second.find("name: out"), 9, "name: two");
  const PolicyModel model = must_import(gateway(tls) + "---\n" + second);
  EXPECT_EQ(model.egress_networks.size(), 1U);
  ASSERT_EQ(model.routes.size(), 2U);
  EXPECT_EQ(model.routes[1].parent_refs.at(0).name, "out");
}

TEST(ImportIstio, WhatTheGatewayWouldEndItself) {
  import_with_report(gateway("  - {port: {number: 443, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE}}\n"),
                     7, "Gateway/out: tls mode \"SIMPLE\"");
}

TEST(ImportIstio, IngressGatewaysAreNotOurs) {
  const auto model = import_with_report(gateway(tls, "istio: ingressgateway"), 1, "selects ingress gateways");
  EXPECT_TRUE(model.egress_networks.empty());
}

TEST(ImportIstio, AServerWithoutAHostThatCanBeKeptIsNotOpen) {
  const auto model = import_with_report(
      gateway("  - {port: {number: 443, protocol: TLS}, hosts: ['f*.com'], tls: {mode: PASSTHROUGH}}\n"), 7,
      "the server was left out");
  EXPECT_TRUE(model.routes.empty());
}

// ---- ServiceEntry ---------------------------------------------------------------------------------------------------

TEST(ImportIstio, AnEntryOpensItsNames) {
  const auto model = must_import(
      gateway(tls) + entry("hosts: [api.example], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS"));
  ASSERT_EQ(model.routes.size(), 2U);
  EXPECT_EQ(model.routes[1].hostnames.at(0).text, "api.example");
  EXPECT_EQ(model.routes[1].namespace_name, "istio-system");
}

TEST(ImportIstio, TcpIsKnownByItsAddresses) {
  const auto model = must_import(
      gateway(tls) + entry("hosts: [db.example], addresses: [192.0.2.0/24], ports: [{number: 5432, protocol: TCP}]"));
  ASSERT_EQ(model.egress_networks.size(), 2U);
  EXPECT_EQ(model.egress_networks[1].name, "out-192-0-2-0-24");
  ASSERT_EQ(model.routes.size(), 2U);
  EXPECT_EQ(model.routes[0].parent_refs.size(), 2U);  // names are let through towards these addresses, too
  ASSERT_EQ(model.routes[1].parent_refs.size(), 1U);
  EXPECT_EQ(model.routes[1].kind, RouteKind::tcp);
  EXPECT_EQ(model.routes[1].parent_refs[0].name, "out-192-0-2-0-24");
}

TEST(ImportIstio, AnEntryForSomeNamespacesOpensForThese) {
  const auto model =
      must_import(gateway(tls) + entry("hosts: [api.example], exportTo: [.], ports: [{number: 443, protocol: TLS}]"));
  ASSERT_EQ(model.egress_networks.size(), 2U);
  ASSERT_EQ(model.routes.size(), 2U);
  EXPECT_EQ(model.routes[0].parent_refs.size(), 2U);
  ASSERT_EQ(model.routes[1].parent_refs.size(), 1U);
  EXPECT_EQ(model.routes[1].parent_refs[0].namespace_name, "prod");
}

TEST(ImportIstio, WhatAnEntrySaysThatCannotBeKept) {
  import_with_report(
      gateway(tls) + entry("hosts: [a.example], ports: [{number: 443, protocol: TLS}], location: MESH_INTERNAL"), 9,
      "inside of the mesh");
  import_with_report(gateway(tls) + entry("hosts: [a.example], ports: [{number: 5432, protocol: TCP}]"), 12,
                     "open towards every address");
  import_with_report(
      gateway(tls) + entry("hosts: [a.example], ports: [{number: 443, protocol: TLS}], subjectAltNames: [x]"), 12,
      "does not read certificates");
}

}  // namespace
}  // namespace sallyport::config
