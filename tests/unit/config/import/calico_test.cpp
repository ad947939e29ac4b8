// Calico's selectors and policies: what is ordered and denies there is a union of what is allowed here.
#include <algorithm>
#include <string>
#include <vector>

#include "config/import/calico_selector.h"
#include "config/import/rule_space.h"
#include "import_support.h"

namespace sallyport::config {
namespace {

// ---- selectors ------------------------------------------------------------------------------------------------------

bool selected(const std::string& text, const Labels& labels) {
  const auto parsed = parse_calico_selector(text);
  EXPECT_TRUE(parsed) << parsed.error;
  if (!parsed) return false;
  const auto& alternatives = (*parsed).alternatives;
  return std::any_of(alternatives.begin(), alternatives.end(),
                     [&](const Selector& each) { return selects(each, labels); });
}

TEST(CalicoSelector, MeansWhatCalicoMeans) {
  const Labels web{{"role", "web"}, {"env", "prod"}};
  for (const char* text :
       {"", "  ", "all()", "role == 'web'", "role==\"web\" && env == 'prod'", "env in {'test', 'prod'}", "has(role)",
        "!has(tier)", "tier != 'x'", "tier not in {'x','y'}", "role == 'db' || env == 'prod'",
        "!(role == 'db' || env == 'test')", "!(role == 'web' && env == 'test')", "!!has(role)",
        "(role == 'web' || role == 'db') && !(env in {'test'})"}) {
    EXPECT_TRUE(selected(text, web)) << text;
  }
  for (const char* text : {"role == 'db'", "role != 'web'", "!all()", "has(tier)", "role not in {'web'}",
                           "role == 'web' && has(tier)", "!(role == 'web' || has(tier))", "global()"}) {
    EXPECT_FALSE(selected(text, web)) << text;
  }
}

TEST(CalicoSelector, WhatCannotBeKept) {
  for (const char* text :
       {"role", "role ==", "role == web", "role contains 'w'", "role starts with 'w'", "role ends with 'b'", "(has(a)",
        "has(a) has(b)", "== 'a'", "a in {}", "a in {'b'", "&& has(a)", "all() || global()", "a == '\tb'"}) {
    EXPECT_FALSE(parse_calico_selector(text)) << text;
  }
  EXPECT_FALSE(parse_calico_selector(std::string(1000, '(') + "all()" + std::string(1000, ')')));
  std::string wide = "(a == '0' || b == '0')";
  for (int i = 0; i < 20; ++i) wide += " && (a == '0' || b == '0')";
  EXPECT_FALSE(parse_calico_selector(wide));
}

// ---- spaces ---------------------------------------------------------------------------------------------------------

TEST(RuleSpace, PortsWithoutPorts) {
  PortSpace web;
  web.add(Protocol::tcp, {80, 90});
  web.add(Protocol::tcp, {443, 443});
  PortSpace hole;
  hole.add(Protocol::tcp, {85, 443});
  const auto rules = web.without(hole).rules({});
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0].port, 80);
  EXPECT_EQ(rules[0].end_port, 84);
  EXPECT_TRUE(PortSpace::everything().rules({}).empty());
  EXPECT_TRUE(PortSpace::everything().without(PortSpace::everything()).empty());
  EXPECT_EQ(PortSpace::everything().without(hole).rules({}).size(), 5U);  // TCP below and above, three other protocols
}

// ---- policies -------------------------------------------------------------------------------------------------------

const std::string pods = R"(apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web, labels: {app: web}}, status: {podIP: 10.1.2.3}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db, labels: {app: db}}, status: {podIP: 10.1.2.4}}
---
)";  // 7 lines

// From line 8 on; the spec stands at line 11.
std::string policy(const std::string& spec, const std::string& name = "p") {
  return "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: " + name +
         "}\nspec: {" + spec + "}\n---\n";
}

std::string global_policy(const std::string& spec, const std::string& name = "g") {
  return "apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkPolicy\nmetadata: {name: " + name + "}\nspec: {" +
         spec + "}\n---\n";
}

const std::string set =
    "apiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {namespace: shop, name: pay, labels: {external: "
    "payments}}\nspec: {nets: [192.0.2.0/24]}\n---\n";

std::vector<std::string> blocks_of(const NetworkPolicyRule& rule) {
  std::vector<std::string> texts;
  for (const Peer& peer : rule.to) {
    const auto* block = std::get_if<IpBlockPeer>(&peer.is);
    if (block == nullptr) continue;
    texts.push_back(to_string(block->block.cidr));
    for (const Prefix& except : block->block.except) texts.back() += " but " + to_string(except);
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(ImportCalicoPolicies, AllowingRules) {
  const auto model = must_import(
      pods + set +
      policy("selector: app == 'web', types: [Egress], egress: [{action: Allow, protocol: TCP, destination: "
             "{selector: \"external in {'payments'}\", ports: [443, '8000:8010']}}, {action: Allow, "
             "protocol: UDP, destination: {nets: [198.51.100.0/24, 192.0.2.0/24], notNets: "
             "[198.51.100.128/25]}}]"));
  ASSERT_EQ(model.network_policies.size(), 1U);
  const NetworkPolicy& made = model.network_policies[0];
  EXPECT_EQ(made.pod_selector.match_labels.at("app"), "web");
  ASSERT_EQ(made.egress.size(), 2U);
  ASSERT_EQ(made.egress[0].to.size(), 1U);
  EXPECT_EQ(std::get<NetworkSetPeer>(made.egress[0].to[0].is).selector.match_labels.at("external"), "payments");
  ASSERT_EQ(made.egress[0].ports.size(), 2U);
  EXPECT_EQ(made.egress[0].ports[1].end_port, 8010);
  EXPECT_EQ(blocks_of(made.egress[1]), (Texts{"198.51.100.0/24 but 198.51.100.128/25", "192.0.2.0/24"}));
}

TEST(ImportCalicoPolicies, AnOrIsSeveralPolicies) {
  const auto model = must_import(pods + policy("selector: app == 'web' || app == 'db', types: [Egress]"));
  ASSERT_EQ(model.network_policies.size(), 2U);
  EXPECT_EQ(model.network_policies[1].name, "p-2");
  EXPECT_TRUE(model.network_policies[0].egress.empty());
}

TEST(ImportCalicoPolicies, WhatIsDeniedBeforeIsCutOut) {
  const auto model = must_import(
      pods + policy("selector: all(), types: [Egress], egress: [{action: Deny, destination: {nets: [10.0.0.0/8]}}, "
                    "{action: Allow}]"));
  ASSERT_EQ(model.network_policies.at(0).egress.size(), 1U);
  EXPECT_EQ(blocks_of(model.network_policies[0].egress[0]), (Texts{"0.0.0.0/0 but 10.0.0.0/8", "::/0"}));
}

TEST(ImportCalicoPolicies, ADeniedPortLeavesTheOthers) {
  const auto model = must_import(
      pods + policy("selector: all(), types: [Egress], egress: [{action: Deny, protocol: TCP, destination: {nets: "
                    "[192.0.2.0/24], ports: [25]}}, {action: Allow, protocol: TCP}]"));
  const auto& rules = model.network_policies.at(0).egress;
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(blocks_of(rules[0]), (Texts{"0.0.0.0/0 but 192.0.2.0/24", "::/0"}));
  EXPECT_TRUE(rules[1].to.empty());
  ASSERT_EQ(rules[1].ports.size(), 2U);
  EXPECT_EQ(rules[1].ports[0].end_port, 24);
  EXPECT_EQ(rules[1].ports[1].port, 26);
}

TEST(ImportCalicoPolicies, NamesMayHaveTheAddressesThatAreDeniedBefore) {
  const auto behind = [](const std::string& denied) {
    return pods + policy("selector: all(), types: [Egress], egress: [{action: Deny, " + denied +
                         "}, {action: Allow, protocol: TCP, destination: {domains: ['*.example.com']}}]");
  };
  const char* told = "a rule before it denies addresses";
  const auto none = import_with_report(behind("destination: {nets: [10.0.0.0/8]}"), 11, told);
  EXPECT_TRUE(none.network_policies.at(0).egress.empty());
  const auto others =
      import_with_report(behind("protocol: TCP, destination: {nets: [10.0.0.0/8], ports: [25]}"), 11, told);
  ASSERT_EQ(others.network_policies.at(0).egress.size(), 1U);
  EXPECT_EQ(others.network_policies[0].egress[0].to.size(), 1U);
  EXPECT_EQ(others.network_policies[0].egress[0].ports.at(0).end_port, 24);
  const auto apart = must_import(behind("protocol: UDP, destination: {nets: [10.0.0.0/8]}"));
  EXPECT_EQ(apart.network_policies.at(0).egress.size(), 1U);
}

TEST(ImportCalicoPolicies, ADenyBehindEverythingIsWhatHoldsAnyway) {
  const auto model = must_import(
      pods + policy("selector: all(), types: [Egress], egress: [{action: Allow, destination: {nets: [192.0.2.0/24]}}, "
                    "{action: Deny}]"));
  EXPECT_EQ(blocks_of(model.network_policies.at(0).egress.at(0)), Texts{"192.0.2.0/24"});
}

TEST(ImportCalicoPolicies, EarlierPoliciesDenyLaterOnes) {
  const std::string allow =
      policy("order: 20, selector: app == 'web', types: [Egress], egress: [{action: Allow}]", "a");
  const std::string deny = policy(
      "order: 10, selector: all(), types: [Egress], egress: [{action: Deny, destination: {nets: [192.0.2.0/24]}}]",
      "z");
  const auto model = must_import(pods + allow + deny);
  ASSERT_EQ(model.network_policies.size(), 2U);
  EXPECT_EQ(model.network_policies[1].name, "a");
  EXPECT_EQ(blocks_of(model.network_policies[1].egress.at(0)), (Texts{"0.0.0.0/0 but 192.0.2.0/24", "::/0"}));
  // To others, it denies nothing.
  std::string of_db = deny;
  of_db.replace(of_db.find("all()"), 5, "app == 'db'");
  EXPECT_TRUE(must_import(pods + allow + of_db).network_policies.at(1).egress.at(0).to.empty());
}

TEST(ImportCalicoPolicies, GlobalOnesHoldInEveryNamespaceThatTheySelect) {
  const auto model = must_import(
      pods + global_policy("selector: app == 'web', namespaceSelector: env == 'prod', types: [Egress], egress: "
                           "[{action: Allow, destination: {nets: [192.0.2.0/24]}}]"));
  ASSERT_EQ(model.network_policies.size(), 1U);
  EXPECT_EQ(model.network_policies[0].namespace_name, "shop");
  import_with_report(pods + global_policy("namespaceSelector: env == 'test', types: [Egress]"), 8,
                     "no namespace that it holds in");
}

// Calico's own default deny, and the selector that it writes into policies of Kubernetes.
TEST(ImportCalicoPolicies, LabelsThatCalicoGivesByItself) {
  for (const char* selectors :
       {"namespaceSelector: 'has(projectcalico.org/name) && projectcalico.org/name not in {\"kube-system\"}'",
        "namespaceSelector: projectcalico.org/name == 'shop'", "selector: projectcalico.org/orchestrator == 'k8s'",
        "selector: has(projectcalico.org/orchestrator) && projectcalico.org/namespace == 'shop'"}) {
    const auto model = must_import(pods + global_policy(std::string(selectors) + ", types: [Egress]"));
    ASSERT_EQ(model.network_policies.size(), 1U) << selectors;
    EXPECT_EQ(model.network_policies[0].namespace_name, "shop") << selectors;
    EXPECT_TRUE(model.network_policies[0].pod_selector.empty()) << selectors;
  }
  for (const char* nobody : {"'!has(projectcalico.org/orchestrator)'", "projectcalico.org/namespace == 'other'"}) {
    const auto model = must_import(pods + policy(std::string("selector: ") + nobody + ", types: [Egress]"));
    EXPECT_TRUE(model.network_policies.empty()) << nobody;
  }
  const auto to = [](const std::string& selectors) {
    return must_import(
        pods + policy("selector: all(), types: [Egress], egress: [{action: Allow, destination: {" + selectors + "}}]"));
  };
  const auto named = to("namespaceSelector: projectcalico.org/name == 'shop'");
  const auto& peer = std::get<PodPeer>(named.network_policies.at(0).egress.at(0).to.at(0).is);
  EXPECT_EQ(peer.namespace_selector.value_or(Selector{}).match_labels.at("kubernetes.io/metadata.name"), "shop");
  const auto any = to("selector: projectcalico.org/orchestrator == 'k8s' && app == 'db'");
  const auto& pod = std::get<PodPeer>(any.network_policies.at(0).egress.at(0).to.at(0).is);
  EXPECT_EQ(pod.pod_selector.value_or(Selector{}).match_labels, (Labels{{"app", "db"}}));
}

TEST(ImportCalicoPolicies, PodsHaveTheLabelOfTheirServiceAccount) {
  const std::string of_robot =
      "apiVersion: v1\nkind: Pod\nmetadata: {namespace: shop, name: r}\nspec: {serviceAccountName: robot}\nstatus: "
      "{podIP: 10.1.2.9}\n---\n";
  const std::string by_account = "selector: projectcalico.org/serviceaccount == 'robot', types: [Egress]";
  const auto model = must_import(pods + of_robot + policy(by_account));
  const auto robot = std::find_if(model.workloads.begin(), model.workloads.end(),
                                  [](const Workload& workload) { return workload.name == "r"; });
  ASSERT_NE(robot, model.workloads.end());
  EXPECT_EQ(robot->labels, model.network_policies.at(0).pod_selector.match_labels);
  EXPECT_TRUE(must_import(of_robot).workloads.at(0).labels.empty()) << "nobody asks for it";
}

TEST(ImportCalicoPolicies, ADenyOfSomebodyUnknownDeniesEverything) {
  const auto behind = [](const std::string& destination) {
    return pods + policy("selector: all(), types: [Egress], egress: [{action: Deny, destination: {" + destination +
                         "}}, {action: Allow}]");
  };
  for (const char* unknown :
       {"selector: threatfeed == 'feodo'", "selector: global()", "namespaceSelector: projectcalico.org/name == 'other'",
        "selector: has(x), namespaceSelector: global()"}) {
    const auto model = import_with_report(behind(unknown), 11, "it denies every destination");
    EXPECT_TRUE(model.network_policies.at(0).egress.empty()) << unknown;
  }
  const ImportedPolicy known = import_yaml(behind("namespaceSelector: projectcalico.org/name == 'shop'"));
  EXPECT_NE(reports_of(known).find("warning: denies the addresses that its pods have"), std::string::npos)
      << reports_of(known);
  const auto model = load_policy({{"policy.toml", known.toml.value_or("")}}).model.value_or(PolicyModel{});
  EXPECT_EQ(blocks_of(model.network_policies.at(0).egress.at(0)),
            (Texts{"0.0.0.0/0 but 10.1.2.4/32 but 10.1.2.3/32", "::/0"}));
}

// Calico makes a rule for each family of which every list of it holds something.
TEST(ImportCalicoPolicies, HolesOfOneFamilyMakeARuleOfThatFamily) {
  const auto with = [](const std::string& rules) {
    const auto model = must_import(pods + policy("selector: all(), types: [Egress], egress: [" + rules + "]"));
    return model.network_policies.at(0).egress;
  };
  EXPECT_EQ(blocks_of(with("{action: Allow, destination: {notNets: [10.0.0.0/8]}}").at(0)),
            Texts{"0.0.0.0/0 but 10.0.0.0/8"});
  EXPECT_EQ(blocks_of(with("{action: Allow, destination: {notNets: ['fd00::/8']}}").at(0)), Texts{"::/0 but fd00::/8"});
  EXPECT_EQ(blocks_of(with("{action: Allow, destination: {notNets: [10.0.0.0/8, 'fd00::/8']}}").at(0)),
            (Texts{"0.0.0.0/0 but 10.0.0.0/8", "::/0 but fd00::/8"}));
  EXPECT_EQ(blocks_of(with("{action: Deny, destination: {notNets: [10.0.0.0/8]}}, {action: Allow}").at(0)).back(),
            "::/0");
}

// It holds for all whom it may mean, so that nobody is open whom it isolates there.
TEST(ImportCalicoPolicies, WhomItSelectsCannotBeKept) {
  const std::string allow = ", types: [Egress], egress: [{action: Allow}]";
  for (const char* selector : {"selector: app contains 'w'", "serviceAccountSelector: role == 'x'"}) {
    const auto model = import_with_report(pods + policy(selector + allow), 8, "allows nothing");
    ASSERT_EQ(model.network_policies.size(), 1U) << selector;
    EXPECT_TRUE(model.network_policies[0].pod_selector.empty()) << selector;
    EXPECT_TRUE(model.network_policies[0].egress.empty()) << selector;
  }
  const auto global =
      import_with_report(pods + global_policy("namespaceSelector: a starts with 'b'" + allow), 8, "allows nothing");
  EXPECT_EQ(global.network_policies.size(), 1U);
  EXPECT_TRUE(import_with_report(pods + policy("selector: global()" + allow), 8, "left out").network_policies.empty());
}

TEST(ImportCalicoPolicies, SetsOfOtherNamespacesAreNotMeant) {
  std::string global_set = set;
  global_set.replace(global_set.find("NetworkSet"), 10, "GlobalNetworkSet");
  global_set.replace(global_set.find("namespace: shop, "), 17, "");
  global_set.replace(global_set.find("192.0.2.0"), 9, "198.51.100.0");
  const std::string by_label =
      "selector: app == 'web', types: [Egress], egress: [{action: Allow, destination: {selector: external == "
      "'payments'";
  // A namespaced policy means the set of its namespace, and the global one only by global().
  EXPECT_EQ(
      blocks_of(must_import(pods + set + global_set + policy(by_label + "}}]")).network_policies.at(0).egress.at(0)),
      Texts{"192.0.2.0/24"});
  EXPECT_EQ(blocks_of(must_import(pods + set + global_set + policy(by_label + ", namespaceSelector: global()}}]"))
                          .network_policies.at(0)
                          .egress.at(0)),
            Texts{"198.51.100.0/24"});
}

// Corner case 148, and what else is not kept.
TEST(ImportCalicoPolicies, WhatCannotBeKeptAllowsNothing) {
  const auto with = [](const std::string& rule) {
    return pods + policy("selector: all(), types: [Egress], egress: [" + rule + "]");
  };
  for (const char* rule :
       {"{action: Log}", "{action: Pass}", "{action: Allow, destination: {serviceAccounts: {names: [a]}}}",
        "{action: Allow, source: {nets: [10.0.0.0/8]}}", "{action: Allow, protocol: ICMP, icmp: {type: 8}}",
        "{action: Allow, http: {methods: [GET]}}", "{action: Allow, protocol: TCP, destination: {ports: [none]}}",
        "{action: Allow, destination: {ports: [80]}}", "{action: Allow, destination: {selector: a contains 'b'}}",
        "{action: Allow, destination: {notSelector: has(a)}}", "{action: Allow, destination: {nets: [nonsense]}}",
        "{action: Allow, protocol: GRE}"}) {
    const auto model = import_with_report(with(rule), 11, "left out");
    ASSERT_EQ(model.network_policies.size(), 1U) << rule;
    EXPECT_TRUE(model.network_policies[0].egress.empty()) << rule;
  }
  const auto wider = import_with_report(with("{action: Deny, http: {methods: [GET]}}, {action: Allow}"), 11,
                                        "denies everything that may match");
  EXPECT_TRUE(wider.network_policies.at(0).egress.empty());
  import_with_report(pods + policy("selector: all(), types: [Egress], tier: security"), 11, "tier \"security\"");
  import_with_report(pods + policy("selector: all(), types: [Egress], ingress: [{action: Allow}]"), 11,
                     "ingress: what comes in");
}

// Corner case 149: Calico takes no rule of both families; here the families stand beside each other.
TEST(ImportCalicoPolicies, IcmpIsOfItsFamily) {
  const auto model = must_import(
      pods + policy("selector: all(), types: [Egress], egress: [{action: Allow, protocol: ICMP}, {action: Allow, "
                    "protocol: ICMPv6}, {action: Allow, ipVersion: 6, protocol: TCP}]"));
  const auto& rules = model.network_policies.at(0).egress;
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(blocks_of(rules[0]), Texts{"0.0.0.0/0"});
  EXPECT_EQ(rules[0].ports.at(0).protocol, Protocol::icmp);
  EXPECT_EQ(blocks_of(rules[1]), Texts{"::/0"});
  EXPECT_EQ(blocks_of(rules[2]), Texts{"::/0"});
}

}  // namespace
}  // namespace sallyport::config
