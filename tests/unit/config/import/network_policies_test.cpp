// Kubernetes NetworkPolicies, with Pods and Namespaces for addresses and named ports.
#include <string>
#include <vector>

#include "import_support.h"

namespace sallyport::config {
namespace {

const std::string pods = R"(apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: prod, labels: {env: prod, kubernetes.io/metadata.name: prod}}}
- apiVersion: v1
  kind: Pod
  metadata: {namespace: prod, name: web, labels: {role: web}}
  spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]}]}
  status: {phase: Running, podIP: 10.1.2.3, podIPs: [{ip: 10.1.2.3}, {ip: 'fd00::3'}]}
- apiVersion: v1
  kind: Pod
  metadata: {namespace: prod, name: api, labels: {role: api}}
  spec: {containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}
  status: {phase: Running, podIP: 10.1.2.4}
---
)";  // 15 lines

// A policy of namespace prod from line 16 on: its spec stands at line 19.
std::string policy(const std::string& spec) {
  return pods +
         "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: prod, name: p}\nspec: " + spec +
         "\n";
}

std::string egress(const std::string& rules) {
  return policy("{podSelector: {}, policyTypes: [Egress], egress: " + rules + "}");
}

TEST(ImportNetworkPolicy, ThePolicyAndItsWorkloads) {
  const PolicyModel model = must_import(policy(R"(
  podSelector:
    matchLabels: {role: web}
    matchExpressions: [{key: tier, operator: NotIn, values: [x, y]}, {key: a, operator: Exists}]
  policyTypes: [Egress]
  egress:
  - to:
    - ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}
    - podSelector: {}
      namespaceSelector: {matchLabels: {env: prod}}
    ports:
    - {port: 5432}
    - {protocol: UDP, port: 8000, endPort: 8100}
    - {protocol: SCTP})"));
  ASSERT_EQ(model.workloads.size(), 2U);
  EXPECT_EQ(model.workloads[0].name, "api");
  EXPECT_EQ(model.workloads[1].addresses.size(), 2U);
  EXPECT_EQ(to_string(model.workloads[1].addresses[1].prefix), "fd00::3/128");
  ASSERT_EQ(model.namespaces.size(), 1U);
  EXPECT_EQ(model.namespaces[0].labels.at("env"), "prod");
  ASSERT_EQ(model.network_policies.size(), 1U);
  const NetworkPolicy& made = model.network_policies[0];
  EXPECT_EQ(made.pod_selector.match_labels.at("role"), "web");
  ASSERT_EQ(made.pod_selector.match_expressions.size(), 2U);
  EXPECT_EQ(made.pod_selector.match_expressions[0].op, SelectorTerm::Operator::not_in);
  ASSERT_EQ(made.egress.size(), 1U);
  EXPECT_EQ(made.egress[0].to.size(), 2U);
  ASSERT_EQ(made.egress[0].ports.size(), 3U);
  EXPECT_EQ(made.egress[0].ports[0].protocol, Protocol::tcp);
  EXPECT_EQ(made.egress[0].ports[1].end_port, 8100);
  EXPECT_EQ(made.egress[0].ports[2].protocol, Protocol::sctp);
  EXPECT_EQ(model.defaults.uncaptured, TrafficPolicy::allow);  // pods that no policy selects are not isolated
}

// Corner cases 22 to 25.
TEST(ImportNetworkPolicy, NothingAndEverything) {
  EXPECT_TRUE(must_import(egress("[]")).network_policies.at(0).egress.empty());
  const auto all = must_import(egress("[{}]"));
  ASSERT_EQ(all.network_policies.at(0).egress.size(), 1U);
  EXPECT_TRUE(all.network_policies[0].egress[0].to.empty());
  EXPECT_TRUE(all.network_policies[0].egress[0].ports.empty());
  EXPECT_TRUE(must_import(egress("[{to: [], ports: []}]")).network_policies.at(0).egress.at(0).to.empty());
}

TEST(ImportNetworkPolicy, WithoutTypesItIsAboutEgressWhereItHasRules) {
  EXPECT_EQ(must_import(policy("{podSelector: {}, egress: [{}]}")).network_policies.size(), 1U);
  EXPECT_TRUE(must_import(policy("{podSelector: {}, egress: []}")).network_policies.empty());
  EXPECT_TRUE(must_import(policy("{podSelector: {}, policyTypes: [Ingress]}")).network_policies.empty());
  EXPECT_TRUE(
      import_with_report(policy("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}"), 19, "count for nothing")
          .network_policies.empty());
  import_with_report(policy("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}]}"), 19,
                     "ingress: what comes in");
}

// Corner cases 26, 27 and 36: what is left out with its rule, so that nothing opens.
TEST(ImportNetworkPolicy, ARuleWithoutItsPeersOrPortsIsNoRule) {
  for (const char* rule :
       {"{to: [{}]}", "{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}",
        "{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}", "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}",
        "{ports: [{port: 80, endPort: 79}]}", "{ports: [{endPort: 80}]}", "{ports: [{port: http, endPort: 80}]}",
        "{ports: [{port: 0}]}", "{ports: [{port: 65536}]}", "{ports: [{protocol: ICMP}]}", "{ports: [{port: none}]}",
        "{to: [{podSelector: {matchExpressions: [{key: a, operator: Equals}]}}]}"}) {
    const auto model = import_with_report(egress(std::string("[") + rule + "]"), 19, "the rule was left out");
    ASSERT_EQ(model.network_policies.size(), 1U) << rule;
    EXPECT_TRUE(model.network_policies[0].egress.empty()) << rule;
  }
}

// Nobody is open whom it isolates there.
TEST(ImportNetworkPolicy, APolicyWithoutItsSelectorIsolatesAll) {
  const auto model = import_with_report(
      policy("{podSelector: {matchExpressions: [{key: a, operator: Equals}]}, policyTypes: [Egress], egress: [{}]}"),
      16, "holds for every pod of its namespace");
  ASSERT_EQ(model.network_policies.size(), 1U);
  EXPECT_TRUE(model.network_policies[0].pod_selector.empty());
  EXPECT_TRUE(model.network_policies[0].egress.empty());
}

TEST(ImportNetworkPolicy, EndPortMayEqualPort) {
  EXPECT_EQ(must_import(egress("[{ports: [{port: 80, endPort: 80}]}]")).network_policies[0].egress[0].ports[0].end_port,
            80);
}

// ---- named ports ----------------------------------------------------------------------------------------------------

TEST(ImportNetworkPolicy, APortCalledByNameIsThatOfTheSelectedPods) {
  const auto model = must_import(egress("[{to: [{podSelector: {matchLabels: {role: web}}}], ports: [{port: http}]}]"));
  const NetworkPolicyRule& rule = model.network_policies.at(0).egress.at(0);
  EXPECT_TRUE(std::holds_alternative<PodPeer>(rule.to.at(0).is));
  EXPECT_EQ(rule.ports.at(0).port, 8080);
}

TEST(ImportNetworkPolicy, OneNameTwoNumbers) {
  const auto model = must_import(egress("[{to: [{podSelector: {}}], ports: [{port: http}, {port: 443}]}]"));
  const auto& rules = model.network_policies.at(0).egress;
  ASSERT_EQ(rules.size(), 3U);  // 443 for all, 8080 for one pod's addresses, 9090 for the other's
  EXPECT_EQ(rules[0].ports.at(0).port, 443);
  EXPECT_EQ(rules[1].ports.at(0).port, 8080);
  EXPECT_EQ(rules[1].to.size(), 2U);
  EXPECT_EQ(rules[2].ports.at(0).port, 9090);
  EXPECT_EQ(to_string(std::get<IpBlockPeer>(rules[2].to.at(0).is).block.cidr), "10.1.2.4/32");
}

TEST(ImportNetworkPolicy, ANameCountsForItsProtocolOnly) {
  EXPECT_EQ(must_import(egress("[{ports: [{port: dns, protocol: UDP}]}]")).network_policies[0].egress[0].ports[0].port,
            53);
  import_with_report(egress("[{ports: [{port: dns}]}]"), 19, "has a port called \"dns\"");
}

// ---- pods -----------------------------------------------------------------------------------------------------------

TEST(ImportPods, ThoseWithoutAnAddressOfTheirOwn) {
  const auto pod = [](const std::string& name, const std::string& rest) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: prod, name: " + name + "}\n" + rest + "\n";
  };
  const auto imported =
      import_yaml(pod("host", "spec: {hostNetwork: true}\nstatus: {phase: Running, podIP: 10.0.0.1}") +
                  pod("done", "status: {phase: Succeeded, podIP: 10.1.0.1}") +
                  pod("failed", "status: {phase: Failed, podIP: 10.1.0.2}") + pod("new", "status: {phase: Pending}") +
                  pod("one", "status: {phase: Running, podIP: 10.1.0.1}"));
  EXPECT_FALSE(imported.reports.has_errors()) << reports_of(imported);
  EXPECT_EQ(imported.reports.all().size(), 4U) << reports_of(imported);
  const auto loaded = load_policy({{"policy.toml", imported.toml.value_or("")}});
  ASSERT_TRUE(loaded.model);
  ASSERT_EQ(loaded.model->workloads.size(), 1U);
  EXPECT_EQ(loaded.model->workloads[0].name, "one");
  EXPECT_EQ(loaded.model->defaults.uncaptured, TrafficPolicy::deny);  // no policy, so nothing is said of what may pass
}

TEST(ImportPods, OneAddressTwoPods) {
  const std::string two =
      "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: a}\n  status: {podIP: 10.1.0.1}\n"
      "- metadata: {name: b}\n  status: {podIP: 10.1.0.1}\n";
  EXPECT_EQ(import_with_report(two, 6, "10.1.0.1 is the address of default/a already").workloads.size(), 1U);
}

}  // namespace
}  // namespace sallyport::config
