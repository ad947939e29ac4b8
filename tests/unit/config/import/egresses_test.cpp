// Under which address: Antrea, Cilium, Calico's pools and sets.
#include <string>
#include <vector>

#include "import_support.h"

namespace sallyport::config {
namespace {

std::string egress(const std::string& spec, const std::string& version = "v1beta1") {
  return "apiVersion: crd.antrea.io/" + version + "\nkind: Egress\nmetadata: {name: egress-web}\nspec: {" + spec +
         "}\n";
}

std::string pool(const std::string& spec) {
  return "---\napiVersion: crd.antrea.io/v1beta1\nkind: ExternalIPPool\nmetadata: {name: pool}\nspec: {" + spec + "}\n";
}

const std::string applied =
    "appliedTo: {podSelector: {matchLabels: {role: web}}, namespaceSelector: {matchLabels: {env: prod}}}";

TEST(ImportAntrea, AnEgressOfEveryVersion) {
  for (const std::string version : {"v1alpha2", "v1beta1", "v1"}) {
    const auto model = must_import(egress(applied + ", egressIP: 203.0.113.8", version));
    ASSERT_EQ(model.egresses.size(), 1U) << version;
    EXPECT_EQ(model.egresses[0].name, "egress-web");
    ASSERT_TRUE(model.egresses[0].applied_to);
    EXPECT_EQ(model.egresses[0].applied_to->pod_selector->match_labels.at("role"), "web");
    EXPECT_EQ(to_string(model.egresses[0].egress_ips.at(0)), "203.0.113.8");
    // Flows of the other family are not its matter.
    ASSERT_EQ(model.egresses[0].destinations.size(), 1U);
    EXPECT_EQ(to_string(model.egresses[0].destinations[0]), "0.0.0.0/0");
  }
}

TEST(ImportAntrea, SeveralAddressesAndBandwidth) {
  const auto model =
      toml_of(egress(applied + ", egressIPs: [203.0.113.8, '2001:db8::8'], bandwidth: {rate: 100M, burst: 500k}"));
  EXPECT_NE(model.find("egress_ips = [\"203.0.113.8\", \"2001:db8::8\"]"), std::string::npos) << model;
  EXPECT_NE(model.find("bandwidth = { rate = \"100M\", burst = \"500K\" }"), std::string::npos) << model;
}

// Corner case 117: what Antrea leaves out of a CIDR is left out here.
TEST(ImportAntrea, PoolsWithoutNetworkAndBroadcastAddresses) {
  const auto model = must_import(
      egress(applied + ", egressIP: 203.0.113.18") +
      pool("ipRanges: [{cidr: 203.0.113.16/28}, {start: 203.0.113.40, end: 203.0.113.47}, {cidr: '2001:db8::/124'}]"));
  ASSERT_EQ(model.egress_pools.size(), 1U);
  const EgressPool& made = model.egress_pools[0];
  EXPECT_EQ(made.ranges.size(), 3U);
  std::vector<std::string> excluded;
  for (const AddressRange& range : made.exclude) excluded.push_back(to_string(range.first));
  EXPECT_EQ(excluded, (std::vector<std::string>{"203.0.113.16", "203.0.113.31", "2001:db8::"}));
}

TEST(ImportAntrea, PoolsThatHoldNothing) {
  for (const char* cidr : {"203.0.113.0/31", "203.0.113.0/32", "'2001:db8::/128'"}) {
    const auto model = import_with_report(
        egress(applied + ", egressIP: 203.0.113.8") + pool(std::string("ipRanges: [{cidr: ") + cidr + "}]"), 9,
        "no address that Antrea would use");
    EXPECT_TRUE(model.egress_pools.empty());
  }
}

// The rest of what was imported is a policy still.
TEST(ImportAntrea, AddressesThatNobodyCanHave) {
  for (const char* range :
       {"{start: 101.0.113.40, end: 203.0.113.47}", "{cidr: 127.0.0.0/24}", "{cidr: 'ff02::/64'}"}) {
    const auto model = import_with_report(egress(applied + ", egressIP: 203.0.113.8") +
                                              pool(std::string("ipRanges: [{cidr: 203.0.113.16/28}, ") + range + "]"),
                                          9, "no flow can leave under an address of");
    EXPECT_EQ(model.egress_pools.at(0).ranges.size(), 1U) << range;
  }
  const auto model =
      import_with_report(egress(applied + ", egressIPs: [169.254.1.1, 203.0.113.8]"), 4, "169.254.0.0/16");
  EXPECT_EQ(model.egresses.at(0).egress_ips.size(), 1U);
}

TEST(ImportAntrea, APoolAlone) {
  const std::string from_pool = egress(applied + ", externalIPPool: pool") + "status: {egressIP: 203.0.113.19}\n";
  EXPECT_EQ(
      to_string(must_import(from_pool + pool("ipRanges: [{cidr: 203.0.113.16/28}]")).egresses.at(0).egress_ips.at(0)),
      "203.0.113.19");
  const auto model =
      import_with_report(egress(applied + ", externalIPPool: pool") + pool("ipRanges: [{cidr: 203.0.113.16/28}]"), 1,
                         "one address of the pool pool");
  EXPECT_EQ(model.egresses.at(0).egress_pool, "pool");
  EXPECT_TRUE(import_with_report(egress(applied + ", externalIPPool: pool"), 1, "not in these files").egresses.empty());
}

TEST(ImportAntrea, APoolOfOneFamilyLeavesTheOthersFlowsAlone) {
  const auto destinations = [](const std::string& ranges) {
    const auto model =
        import_with_report(egress(applied + ", externalIPPool: pool") + pool("ipRanges: [" + ranges + "]"), 1,
                           "one address of the pool pool");
    std::string texts;
    for (const Prefix& each : model.egresses.at(0).destinations) texts += to_string(each) + " ";
    return texts;
  };
  EXPECT_EQ(destinations("{cidr: 203.0.113.16/28}"), "0.0.0.0/0 ");
  EXPECT_EQ(destinations("{cidr: '2001:db8::/64'}"), "::/0 ");
  EXPECT_EQ(destinations("{cidr: 203.0.113.16/28}, {cidr: '2001:db8::/64'}"), "0.0.0.0/0 ::/0 ");
}

TEST(ImportAntrea, NodesAndNetworksAreOthersMatter) {
  import_with_report(egress(applied + ", egressIP: 203.0.113.8") +
                         pool("ipRanges: [{cidr: 203.0.113.16/28}], nodeSelector: {matchLabels: {a: b}}"),
                     9, "ExternalIPPool/pool: nodeSelector");
  import_with_report(
      egress(applied + ", egressIP: 203.0.113.8") +
          pool("ipRanges: [{cidr: 203.0.113.16/28}], subnetInfo: {gateway: 203.0.113.1, prefixLength: 24}"),
      9, "subnetInfo");
}

// Corner case 28.
TEST(ImportAntrea, AppliedToNothingSelectsNothing) {
  const auto model = must_import(egress("appliedTo: {}, egressIP: 203.0.113.8"));
  ASSERT_TRUE(model.egresses.at(0).applied_to);
  EXPECT_FALSE(model.egresses[0].applied_to->pod_selector || model.egresses[0].applied_to->namespace_selector);
}

// ---- Cilium ---------------------------------------------------------------------------------------------------------

std::string cilium(const std::string& spec) {
  return "apiVersion: cilium.io/v2\nkind: CiliumEgressGatewayPolicy\nmetadata: {name: e}\nspec: {" + spec + "}\n";
}

TEST(ImportCilium, AnAddressThatNobodyCanHave) {
  const auto model = import_with_report(
      cilium(
          "selectors: [{podSelector: {}}], destinationCIDRs: [192.0.2.0/24], egressGateways: [{egressIP: 240.0.0.1}, "
          "{egressIP: 203.0.113.8}]"),
      4, "240.0.0.0/4");
  EXPECT_EQ(model.egresses.at(0).egress_ips.size(), 1U);
}

TEST(ImportCilium, EachSelectorIsAnEgress) {
  const auto model =
      must_import(cilium("selectors: [{podSelector: {matchLabels: {role: web, io.kubernetes.pod.namespace: prod}}}, "
                         "{namespaceSelector: {matchLabels: {env: test}}}], destinationCIDRs: [192.0.2.0/24], "
                         "excludedCIDRs: [192.0.2.1/32], egressGateway: {egressIP: 203.0.113.8}"));
  ASSERT_EQ(model.egresses.size(), 2U);
  EXPECT_EQ(model.egresses[1].name, "e-2");
  EXPECT_EQ(model.egresses[0].applied_to->pod_selector->match_labels.size(), 1U);
  EXPECT_EQ(model.egresses[0].applied_to->namespace_selector->match_labels.at("kubernetes.io/metadata.name"), "prod");
  EXPECT_EQ(to_string(model.egresses[0].destinations.at(0)), "192.0.2.0/24");
  EXPECT_EQ(to_string(model.egresses[0].except.at(0)), "192.0.2.1/32");
}

TEST(ImportCilium, WithoutAnAddressThereIsNoEgress) {
  const auto model = import_with_report(cilium("selectors: [{podSelector: {}}], destinationCIDRs: [0.0.0.0/0], "
                                               "egressGateway: {nodeSelector: {matchLabels: {a: b}}, interface: eth1}"),
                                        4, "interface: the address of a node's interface is not known");
  EXPECT_TRUE(model.egresses.empty());
}

// ---- Calico ---------------------------------------------------------------------------------------------------------

TEST(ImportCalico, PoolsAndSets) {
  const auto model = must_import(
      "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: a}\nspec: {cidr: 10.1.0.0/16, natOutgoing: "
      "true, blockSize: 26, "
      "ipipMode: Always, nodeSelector: all()}\n---\napiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: "
      "{name: b}\nspec: {cidr: "
      "10.2.0.0/16}\n---\napiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {name: n, namespace: shop, "
      "labels: {external: "
      "payments}}\nspec: {nets: [192.0.2.0/24, '2001:db8::1']}\n---\napiVersion: projectcalico.org/v3\nkind: "
      "GlobalNetworkSet\nmetadata: "
      "{name: n}\nspec: {nets: [192.0.2.0/24]}\n");
  ASSERT_EQ(model.ip_pools.size(), 2U);
  EXPECT_TRUE(model.ip_pools[0].nat_outgoing);
  EXPECT_FALSE(model.ip_pools[1].nat_outgoing);
  ASSERT_EQ(model.network_sets.size(), 2U);
  EXPECT_EQ(model.network_sets[0].namespace_name, "");
  EXPECT_EQ(model.network_sets[1].namespace_name, "shop");
  EXPECT_EQ(to_string(model.network_sets[1].nets.at(1).prefix), "2001:db8::1/128");
}

TEST(ImportCalico, NatOutgoingNeedsAddressesThatNoObjectNames) {
  const std::string yaml =
      "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: a}\nspec: {cidr: 10.1.0.0/16, natOutgoing: "
      "true}\n";
  must_import(yaml);  // with addresses
  const auto without = import_kubernetes({{"in.yaml", yaml}}, {});
  EXPECT_TRUE(without.reports.has_errors());
  EXPECT_TRUE(without.toml.has_value());
}

}  // namespace
}  // namespace sallyport::config
