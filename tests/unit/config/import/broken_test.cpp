// Objects that are not what the API says: what of them cannot be read never opens more than what was written.
#include <string>
#include <vector>

#include "import_support.h"

namespace sallyport::config {
namespace {

std::string object(std::string_view api_version, std::string_view kind, std::string_view spec) {
  return "apiVersion: " + std::string(api_version) + "\nkind: " + std::string(kind) +
         "\nmetadata: {namespace: linkerd-egress, name: o}\nspec: " + std::string(spec) + "\n---\n";
}

std::string kubernetes(std::string_view egress) {
  return object("networking.k8s.io/v1", "NetworkPolicy",
                "{podSelector: {}, policyTypes: [Egress], egress: " + std::string(egress) + "}");
}

std::string calico(std::string_view egress) {
  return object("projectcalico.org/v3", "NetworkPolicy",
                "{selector: all(), types: [Egress], egress: [" + std::string(egress) + "]}");
}

std::string route(std::string_view kind, std::string_view rest) {
  return object("policy.linkerd.io/v1alpha1", "EgressNetwork", "{trafficPolicy: Deny}") +
         object("gateway.networking.k8s.io/v1", kind,
                "{parentRefs: [{group: policy.linkerd.io, kind: EgressNetwork, name: o, port: 443}], " +
                    std::string(rest) + "}");
}

std::string cilium(std::string_view selectors) {
  return object("cilium.io/v2", "CiliumEgressGatewayPolicy",
                "{selectors: " + std::string(selectors) +
                    ", destinationCIDRs: [0.0.0.0/0], egressGateway: {egressIP: 203.0.113.8}}");
}

// What a value may be instead of a mapping, of a list, of a text.
const std::vector<std::string> no_mapping{"null", "7", "x", "[]"};
const std::vector<std::string> no_list{"7", "x", "{}", "{a: b}"};

PolicyModel import_broken(const std::string& yaml) {
  const ImportedPolicy imported = import_yaml(yaml);
  EXPECT_TRUE(imported.reports.has_errors()) << "nothing is said of\n" << yaml;
  EXPECT_TRUE(imported.toml.has_value()) << reports_of(imported);
  const auto loaded = load_policy({{"policy.toml", imported.toml.value_or("")}});
  EXPECT_TRUE(loaded.model.has_value());
  return loaded.model.value_or(PolicyModel{});
}

// The policy is there, so its pods are isolated, and nothing is allowed to them.
void expect_nothing_allowed(const std::string& yaml) {
  const PolicyModel model = import_broken(yaml);
  ASSERT_EQ(model.network_policies.size(), 1U) << yaml;
  EXPECT_TRUE(model.network_policies[0].egress.empty()) << yaml;
}

void expect_no_route(const std::string& yaml) {
  const PolicyModel model = import_broken(yaml);
  EXPECT_EQ(model.egress_networks.size(), 1U) << yaml;
  EXPECT_TRUE(model.routes.empty()) << yaml;
}

TEST(ImportBroken, RulesOfNetworkPolicies) {
  for (const std::string& bad : no_mapping) {
    expect_nothing_allowed(kubernetes("[" + bad + "]"));
    expect_nothing_allowed(kubernetes("[{to: [" + bad + "]}]"));
    expect_nothing_allowed(kubernetes("[{ports: [" + bad + "]}]"));
  }
  for (const std::string& bad : no_list) {
    expect_nothing_allowed(kubernetes("[{to: " + bad + "}]"));
    expect_nothing_allowed(kubernetes("[{ports: " + bad + "}]"));
    expect_nothing_allowed(kubernetes("[{to: [{ipBlock: {cidr: 192.0.2.0/24, except: " + bad + "}}]}]"));
    expect_nothing_allowed(kubernetes("[{to: [{podSelector: {matchExpressions: " + bad + "}}]}]"));
  }
  expect_nothing_allowed(kubernetes("[{ports: [{protocol: [UDP]}]}]"));
  expect_nothing_allowed(
      kubernetes("[{to: [{podSelector: {matchExpressions: [{key: a, operator: NotIn, values: "
                 "[b, [c]]}]}}]}]"));
}

TEST(ImportBroken, TypesOfPolicies) {
  const auto policy = [](std::string_view types, std::string_view egress) {
    return object("networking.k8s.io/v1", "NetworkPolicy",
                  "{podSelector: {}, policyTypes: " + std::string(types) + ", egress: " + std::string(egress) + "}");
  };
  EXPECT_EQ(must_import(policy("[]", "[{}]")).network_policies.size(), 1U) << "as if it were not there";
  import_with_report(policy("[egress]", "[]"), 1, "policy type \"egress\" is none");
  import_with_report(calico("{action: Allow}") +
                         object("projectcalico.org/v3", "GlobalNetworkPolicy", "{selector: all(), types: [egress]}"),
                     6, "type \"egress\" is none");
}

TEST(ImportBroken, RulesOfCalico) {
  for (const std::string& bad : no_mapping) {
    expect_nothing_allowed(calico(bad));
    if (bad != "null") expect_nothing_allowed(calico("{action: Allow, destination: " + bad + "}"));
    if (bad != "null") expect_nothing_allowed(calico("{action: Allow, source: " + bad + "}"));
  }
  for (const char* destination :
       {"{nets: 7}", "{nets: [7]}", "{nets: [192.0.2.0/24], notNets: [7]}", "{selector: [all()]}", "{ports: [x]}"}) {
    expect_nothing_allowed(calico("{action: Allow, protocol: TCP, destination: " + std::string(destination) + "}"));
  }
  expect_nothing_allowed(calico("{action: Allow, ipVersion: 5}"));
  import_with_report(object("projectcalico.org/v3", "NetworkPolicy", "{selector: [all()], egress: [{action: Allow}]}"),
                     4, "expected a text");
}

// A denial that is known in part denies all that it may mean.
TEST(ImportBroken, DenialsOfCalico) {
  for (const char* destination : {"{nets: [7]}", "{nets: [192.0.2.0/24, 7]}", "{nets: 7}", "{notNets: [7]}", "7",
                                  "{ports: [80, unknown]}", "{selector: []}"}) {
    expect_nothing_allowed(calico("{action: Deny, protocol: TCP, destination: " + std::string(destination) +
                                  "}, {action: Allow, protocol: TCP}"));
  }
}

TEST(ImportBroken, Routes) {
  for (const std::string& bad : no_mapping) {
    expect_no_route(route("HTTPRoute", "rules: [" + bad + "]"));
    expect_no_route(route("HTTPRoute", "rules: [{matches: [" + bad + "]}]"));
    expect_no_route(route("TLSRoute", "hostnames: [a.com], rules: [" + bad + "]"));
    if (bad != "null") expect_no_route(route("HTTPRoute", "rules: [{matches: [{path: " + bad + "}]}]"));
  }
  for (const std::string& bad : no_list) {
    expect_no_route(route("HTTPRoute", "rules: " + bad));
    expect_no_route(route("HTTPRoute", "rules: [{matches: " + bad + "}]"));
    expect_no_route(route("HTTPRoute", "rules: [{filters: " + bad + "}]"));
    expect_no_route(route("HTTPRoute", "rules: [{backendRefs: " + bad + "}]"));
    expect_no_route(route("TLSRoute", "rules: [{backendRefs: " + bad + "}]"));
    expect_no_route(route("TLSRoute", "rules: [{}], hostnames: " + bad));
  }
}

TEST(ImportBroken, SelectorsOfEgresses) {
  for (const std::string& bad : no_mapping) EXPECT_TRUE(import_broken(cilium("[" + bad + "]")).egresses.empty());
  for (const char* bad : {"7", "x", "[]"}) {
    EXPECT_TRUE(import_broken(object("crd.antrea.io/v1", "Egress",
                                     "{egressIP: 203.0.113.8, appliedTo: " + std::string(bad) + "}"))
                    .egresses.empty());
  }
}

TEST(ImportBroken, MisspeltParts) {
  import_with_report("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nsepc: {}\n", 4,
                     "\"sepc\": import does not know this field");
}

TEST(ImportBroken, VersionsToCome) {
  const auto imported = import_yaml(object("policy.linkerd.io/v7", "EgressNetwork", "{trafficPolicy: Deny}"));
  EXPECT_FALSE(imported.reports.has_errors()) << reports_of(imported);
  EXPECT_NE(reports_of(imported).find("in.yaml:1:1: EgressNetwork/o: warning: apiVersion \"v7\" is not known here"),
            std::string::npos)
      << reports_of(imported);
  for (const char* known : {"crd.antrea.io/v1alpha2", "crd.antrea.io/v1beta1", "crd.antrea.io/v1"}) {
    const auto egress = import_yaml(object(known, "Egress", "{egressIP: 203.0.113.8, appliedTo: {podSelector: {}}}"));
    EXPECT_TRUE(egress.toml.has_value());
    EXPECT_EQ(reports_of(egress).find("apiVersion"), std::string::npos) << reports_of(egress);
  }
}

// Numbers that readers of YAML disagree about, and addresses that Kubernetes reads otherwise.
TEST(ImportBroken, NumbersAndAddresses) {
  for (const char* port : {"010", "0x50", "80.0", "-1", "+80", "8_0", "0"})
    expect_nothing_allowed(kubernetes("[{ports: [{port: " + std::string(port) + "}]}]"));
  const auto model = must_import(kubernetes("[{to: [{ipBlock: {cidr: '::ffff:192.0.2.0/120'}}]}]"));
  EXPECT_EQ(to_string(std::get<IpBlockPeer>(model.network_policies.at(0).egress.at(0).to.at(0).is).block.cidr),
            "192.0.2.0/24");
}

}  // namespace
}  // namespace sallyport::config
