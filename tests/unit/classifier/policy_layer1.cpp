// Network policies: corner cases B.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

constexpr std::string_view front = "10.1.0.1";  // role = front, in shop
constexpr std::string_view back = "10.1.0.2";   // role = back, in shop
constexpr std::string_view other = "10.2.0.1";  // role = front, in bank (env = prod)

// Layer 2 allows everything, so every denial is layer 1's.
std::string cluster(std::string_view rest) {
  return std::string(R"(
    [defaults]
    uncaptured = "allow"
    [[namespace]]
    name = "shop"
    addresses = ["10.1.0.0/16"]
    [[namespace]]
    name = "bank"
    labels = { env = "prod" }
    [[workload]]
    namespace = "shop"
    name = "front"
    labels = { role = "front", tier = "web" }
    addresses = ["10.1.0.1/32", "fd00:1::1/128"]
    [[workload]]
    namespace = "shop"
    name = "back"
    labels = { role = "back" }
    addresses = ["10.1.0.2/32"]
    [[workload]]
    namespace = "bank"
    name = "front"
    labels = { role = "front" }
    addresses = ["10.2.0.1/32"]
  )") + std::string(rest);
}

std::string policy(std::string_view name, std::string_view egress,
                   std::string_view selector = R"({ match_labels = { role = "front" } })") {
  return "\n[[network_policy]]\nnamespace = \"shop\"\nname = \"" + std::string(name) +
         "\"\npod_selector = " + std::string(selector) + "\negress = " + std::string(egress) + "\n";
}

const std::string allowed = "allow uncaptured";
const std::string denied = "deny network_policy shop/p";

TEST(NetworkPolicies, NotIsolatedWithoutPolicy) {
  const PolicyWorld world(cluster(policy("p", "[]")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), denied);
  EXPECT_EQ(world.tcp(back, "8.8.8.8"), allowed) << "selected by none";
  EXPECT_EQ(world.tcp(other, "8.8.8.8"), allowed) << "same labels, another namespace";
  EXPECT_EQ(world.tcp("172.16.0.1", "8.8.8.8"), allowed) << "nobody's";
}

TEST(NetworkPolicies, Case22NoRulesDenyAll) {
  for (const PolicyWorld& world : {PolicyWorld(cluster(policy("p", "[]"))),
                                   PolicyWorld(cluster("\n[[network_policy]]\nnamespace = \"shop\"\nname = \"p\"\n"
                                                       "pod_selector = {}\n"))}) {
    EXPECT_EQ(world.tcp(front, "8.8.8.8"), denied);
    EXPECT_EQ(world.udp(front, "8.8.8.8"), denied);
    EXPECT_EQ(world.sctp(front, "8.8.8.8", 9), denied);
    EXPECT_EQ(world.ping(front, "8.8.8.8"), denied);
  }
}

TEST(NetworkPolicies, Case23EmptyRuleAllowsAll) {
  const PolicyWorld world(cluster(policy("p", "[{}]")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), allowed);
  EXPECT_EQ(world.ping(front, "8.8.8.8"), allowed);
  EXPECT_EQ(world.sctp("fd00:1::1", "2001:db8::1", 9), allowed);
}

TEST(NetworkPolicies, Case24ToMissingOrEmptyIsAnyDestination) {
  for (const char* rule : {R"([{ ports = [{ port = 80 }] }])", R"([{ to = [], ports = [{ port = 80 }] }])"}) {
    const PolicyWorld world(cluster(policy("p", rule)));
    EXPECT_EQ(world.tcp(front, "8.8.8.8", 80), allowed);
    EXPECT_EQ(world.tcp("fd00:1::1", "2001:db8::1", 80), allowed);
    EXPECT_EQ(world.tcp(front, "8.8.8.8", 81), denied);
  }
}

TEST(NetworkPolicies, Case25PortsMissingOrEmptyIsAnyPort) {
  for (const char* rule : {R"([{ to = [{ ip_block = { cidr = "192.0.2.0/24" } }] }])",
                           R"([{ to = [{ ip_block = { cidr = "192.0.2.0/24" } }], ports = [] }])"}) {
    const PolicyWorld world(cluster(policy("p", rule)));
    EXPECT_EQ(world.tcp(front, "192.0.2.1", 1), allowed);
    EXPECT_EQ(world.udp(front, "192.0.2.1", 65535), allowed);
    EXPECT_EQ(world.sctp(front, "192.0.2.1", 80), allowed);
    EXPECT_EQ(world.ping(front, "192.0.2.1"), allowed);
    EXPECT_EQ(world.tcp(front, "192.0.3.1", 1), denied);
  }
}

TEST(NetworkPolicies, Case26PeerWithoutAnythingIsRefused) {
  EXPECT_NE(errors_of(cluster(policy("p", "[{ to = [{}] }]"))).find("network_policy[0].egress[0].to[0]"),
            std::string::npos);
}
TEST(NetworkPolicies, Case27PeerOfTwoKindsIsRefused) {
  EXPECT_NE(
      errors_of(cluster(policy("p", R"([{ to = [{ ip_block = { cidr = "192.0.2.0/24" }, pod_selector = {} }] }])")))
          .find("network_policy[0].egress[0].to[0]"),
      std::string::npos);
}

TEST(NetworkPolicies, Case28EmptyPodSelectorSelectsTheNamespace) {
  const PolicyWorld world(cluster(policy("p", "[]", "{}")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), denied);
  EXPECT_EQ(world.tcp(back, "8.8.8.8"), denied);
  EXPECT_EQ(world.tcp("10.1.200.1", "8.8.8.8"), denied) << "of the namespace, named by no workload";
  EXPECT_EQ(world.tcp(other, "8.8.8.8"), allowed);
}

TEST(NetworkPolicies, Case29Union) {
  const PolicyWorld world(cluster(policy("p", "[]") + policy("q", "[{}]")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), allowed);
  EXPECT_EQ(PolicyWorld(cluster(policy("q", "[{}]") + policy("p", "[]"))).tcp(front, "8.8.8.8"), allowed);
}

TEST(NetworkPolicies, Case30AnotherEntryMayStillAllowAnExcept) {
  const std::string block = R"({ ip_block = { cidr = "10.0.0.0/8", except = ["10.1.0.0/16"] } })";
  const std::string host = R"({ ip_block = { cidr = "10.1.2.3/32" } })";
  for (const std::string& rules :
       {"[{ to = [" + block + "] }, { to = [" + host + "] }]", "[{ to = [" + host + ", " + block + "] }]"}) {
    const PolicyWorld world(cluster(policy("p", rules)));
    EXPECT_EQ(world.tcp(front, "10.1.2.3"), allowed);
    EXPECT_EQ(world.tcp(front, "10.1.2.4"), denied);
    EXPECT_EQ(world.tcp(front, "10.2.0.0"), allowed);
    EXPECT_EQ(world.tcp(front, "11.0.0.0"), denied);
  }
}

TEST(NetworkPolicies, Case31ExceptBlocks) {
  const PolicyWorld world(
      cluster(policy("p", R"([{ to = [{ ip_block = { cidr = "192.0.2.0/24", except = ["192.0.2.5/32"] } }] }])")));
  EXPECT_EQ(world.tcp(front, "192.0.2.4"), allowed);
  EXPECT_EQ(world.tcp(front, "192.0.2.5"), denied);
  EXPECT_EQ(world.tcp(front, "192.0.2.6"), allowed);
}

TEST(NetworkPolicies, Case32SingleAddress) {
  const PolicyWorld world(cluster(policy(
      "p", R"([{ to = [{ ip_block = { cidr = "192.0.2.5/32" } }, { ip_block = { cidr = "2001:db8::5/128" } }] }])")));
  EXPECT_EQ(world.tcp(front, "192.0.2.5"), allowed);
  EXPECT_EQ(world.tcp(front, "192.0.2.4"), denied);
  EXPECT_EQ(world.tcp("fd00:1::1", "2001:db8::5"), allowed);
  EXPECT_EQ(world.tcp("fd00:1::1", "2001:db8::4"), denied);
}

TEST(NetworkPolicies, Case33ProtocolLeftOutIsTcp) {
  const PolicyWorld tcp(cluster(policy("p", R"([{ ports = [{ port = 80 }] }])")));
  EXPECT_EQ(tcp.tcp(front, "8.8.8.8", 80), allowed);
  EXPECT_EQ(tcp.udp(front, "8.8.8.8", 80), denied);
  const PolicyWorld udp(cluster(policy("p", R"([{ ports = [{ protocol = "UDP", port = 80 }] }])")));
  EXPECT_EQ(udp.tcp(front, "8.8.8.8", 80), denied);
  EXPECT_EQ(udp.udp(front, "8.8.8.8", 80), allowed);
}

TEST(NetworkPolicies, Case34SctpNeverOpensTcp) {
  const PolicyWorld world(cluster(policy("p", R"([{ ports = [{ protocol = "SCTP", port = 80 }] }])")));
  EXPECT_EQ(world.sctp(front, "8.8.8.8", 80), allowed);
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 80), denied);
  EXPECT_EQ(world.udp(front, "8.8.8.8", 80), denied);
}

TEST(NetworkPolicies, Case35SctpRuleIsolatesForTcp) {
  const PolicyWorld world(cluster(policy("p", R"([{ ports = [{ protocol = "SCTP", port = 81 }] }])")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 80), denied);
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 81), denied);
}

TEST(NetworkPolicies, Case36EndPort) {
  for (const char* protocol : {"TCP", "UDP", "SCTP"}) {
    const std::string name = protocol;
    const PolicyWorld world(
        cluster(policy("p", "[{ ports = [{ protocol = \"" + name + "\", port = 53, end_port = 80 }] }]")));
    const auto ask = [&](std::uint16_t port) {
      return name == "TCP"   ? world.tcp(front, "8.8.8.8", port)
             : name == "UDP" ? world.udp(front, "8.8.8.8", port)
                             : world.sctp(front, "8.8.8.8", port);
    };
    for (const std::uint16_t port : Ports{53, 54, 79, 80}) EXPECT_EQ(ask(port), allowed) << name << port;
    for (const std::uint16_t port : Ports{0, 52, 81, 84, 65535}) EXPECT_EQ(ask(port), denied) << name << port;
  }
  const PolicyWorld single(cluster(policy("p", R"([{ ports = [{ port = 53, end_port = 53 }] }])")));
  EXPECT_EQ(single.tcp(front, "8.8.8.8", 53), allowed);
  EXPECT_EQ(single.tcp(front, "8.8.8.8", 54), denied);
}

TEST(NetworkPolicies, Case36BadRangesAreRefused) {
  EXPECT_NE(errors_of(cluster(policy("p", R"([{ ports = [{ port = 80, end_port = 79 }] }])"))).find("end_port"),
            std::string::npos);
  EXPECT_NE(errors_of(cluster(policy("p", R"([{ ports = [{ end_port = 79 }] }])"))).find("end_port"),
            std::string::npos);
  EXPECT_NE(errors_of(cluster(policy("p", R"([{ ports = [{ port = "http", end_port = 79 }] }])")))
                .find("ports[0].port: expected a port number"),
            std::string::npos);
}

TEST(NetworkPolicies, Case37UselessBlockDeniesTheRest) {
  const PolicyWorld world(cluster(policy("p", R"([{ to = [{ ip_block = { cidr = "0.0.0.0/31" } }] }])")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), denied);
  EXPECT_EQ(world.tcp("fd00:1::1", "2001:db8::1"), denied);
}

TEST(NetworkPolicies, Case38WithoutThePolicyItStops) {
  EXPECT_EQ(PolicyWorld(cluster("")).tcp(front, "8.8.8.8"), allowed);
}

TEST(NetworkPolicies, Case40TheAddressOnTheWireCounts) {
  // A service's address and the pod behind it are different destinations: what the packet carries is asked about.
  const PolicyWorld service(cluster(policy("p", R"([{ to = [{ ip_block = { cidr = "10.96.0.10/32" } }] }])")));
  EXPECT_EQ(service.tcp(front, "10.96.0.10"), allowed);
  EXPECT_EQ(service.tcp(front, "10.1.0.2"), denied);
  const PolicyWorld pod(
      cluster(policy("p", R"([{ to = [{ pod_selector = { match_labels = { role = "back" } } }] }])")));
  EXPECT_EQ(pod.tcp(front, "10.96.0.10"), denied);
  EXPECT_EQ(pod.tcp(front, "10.1.0.2"), allowed);
}

TEST(NetworkPolicies, Case41PortEdges) {
  const PolicyWorld world(
      cluster(policy("p", R"([{ ports = [{ port = 65535 }, { protocol = "UDP" }, { port = 1 }] }])")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 65535), allowed);
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 65534), denied);
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 1), allowed);
  EXPECT_EQ(world.tcp(front, "8.8.8.8", 0), denied);
  EXPECT_EQ(world.udp(front, "8.8.8.8", 0), allowed) << "an entry without port is every port";
  EXPECT_EQ(world.udp(front, "8.8.8.8", 65535), allowed);
  const PolicyWorld any(cluster(policy("p", "[{ ports = [] }]")));
  for (const std::uint16_t port : Ports{0, 1, 65535}) EXPECT_EQ(any.tcp(front, "8.8.8.8", port), allowed) << port;
}

TEST(NetworkPolicies, Case42IcmpOnlyByRulesWithoutPorts) {
  EXPECT_EQ(PolicyWorld(cluster(policy("p", R"([{ ports = [{ port = 80 }] }])"))).ping(front, "8.8.8.8"), denied);
  EXPECT_EQ(PolicyWorld(cluster(policy("p", R"([{ ports = [{ protocol = "UDP" }] }])"))).ping(front, "8.8.8.8"),
            denied);
  EXPECT_EQ(PolicyWorld(cluster(policy("p", "[{}]"))).ping(front, "8.8.8.8"), allowed);
}

TEST(NetworkPolicies, IcmpNamedAsAProtocol) {
  const PolicyWorld world(cluster(policy("p", R"([{ ports = [{ protocol = "ICMP" }] }])")));
  EXPECT_EQ(world.ping(front, "8.8.8.8"), allowed);
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), denied);
}

TEST(NetworkPolicies, Case44UnknownKeyIsRefused) {
  EXPECT_NE(errors_of(cluster(policy("p", "[{ tos = [] }]"))).find("tos"), std::string::npos);
}

TEST(NetworkPolicies, PodPeersOfTheOwnNamespace) {
  const PolicyWorld world(
      cluster(policy("p", R"([{ to = [{ pod_selector = { match_labels = { role = "back" } } }] }])", "{}")));
  EXPECT_EQ(world.tcp(front, "10.1.0.2"), allowed);
  EXPECT_EQ(world.tcp(front, "10.1.0.1"), denied);
  EXPECT_EQ(world.tcp(front, "10.2.0.1"), denied);
}

TEST(NetworkPolicies, PodPeersOfOtherNamespaces) {
  const PolicyWorld both(cluster(policy(
      "p",
      R"([{ to = [{ pod_selector = { match_labels = { role = "front" } }, namespace_selector = { match_labels = { env = "prod" } } }] }])")));
  EXPECT_EQ(both.tcp(front, "10.2.0.1"), allowed);
  EXPECT_EQ(both.tcp(front, "10.1.0.1"), denied) << "role = front, but not of a prod namespace";
  const PolicyWorld by_name(cluster(policy(
      "p", R"([{ to = [{ namespace_selector = { match_labels = { "kubernetes.io/metadata.name" = "bank" } } }] }])")));
  EXPECT_EQ(by_name.tcp(front, "10.2.0.1"), allowed);
  EXPECT_EQ(by_name.tcp(front, "10.1.0.2"), denied);
  const PolicyWorld any(cluster(policy("p", R"([{ to = [{ namespace_selector = {} }] }])")));
  EXPECT_EQ(any.tcp(front, "10.2.0.1"), allowed);
  EXPECT_EQ(any.tcp(front, "10.1.99.99"), allowed) << "an address of a namespace that no workload names";
  EXPECT_EQ(any.tcp(front, "10.3.0.1"), denied) << "nobody's";
}

TEST(NetworkPolicies, PodPeersByTheLongestPrefix) {
  const PolicyWorld world(cluster(R"(
    [[workload]]
    namespace = "shop"
    name = "all"
    labels = { role = "all" }
    addresses = ["10.1.0.0/24"]
  )" + policy("p", R"([{ to = [{ pod_selector = { match_labels = { role = "all" } } }] }])")));
  EXPECT_EQ(world.tcp(front, "10.1.0.77"), allowed);
  EXPECT_EQ(world.tcp(front, "10.1.0.2"), denied) << "belongs to back";
}

TEST(NetworkPolicies, NetworkSetsByLabelAndScope) {
  const PolicyWorld world(cluster(R"(
    [[network_set]]
    name = "own"
    namespace = "shop"
    labels = { kind = "partner" }
    nets = ["198.51.100.0/25"]
    [[network_set]]
    name = "theirs"
    namespace = "bank"
    labels = { kind = "partner" }
    nets = ["198.51.100.128/25"]
    [[network_set]]
    name = "global"
    labels = { kind = "partner" }
    nets = ["203.0.113.0/24", "2001:db8:a::/48"]
    [[network_set]]
    name = "foe"
    labels = { kind = "foe" }
    nets = ["192.0.2.0/24"]
  )" + policy("p", R"([{ to = [{ network_set = { match_labels = { kind = "partner" } } }] }])")));
  EXPECT_EQ(world.tcp(front, "198.51.100.1"), allowed);
  EXPECT_EQ(world.tcp(front, "198.51.100.200"), denied) << "of another namespace";
  EXPECT_EQ(world.tcp(front, "203.0.113.9"), allowed);
  EXPECT_EQ(world.tcp("fd00:1::1", "2001:db8:a::9"), allowed);
  EXPECT_EQ(world.tcp(front, "192.0.2.1"), denied);
}

TEST(NetworkPolicies, RuleWithPeersThatSelectNothingAllowsNothing) {
  const PolicyWorld world(
      cluster(policy("p", R"([{ to = [{ network_set = { match_labels = { kind = "none" } } }] }])")));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), denied);
}

TEST(NetworkPolicies, BothLayersMustAllow) {
  const PolicyWorld world(cluster(policy("p", "[{}]") + R"(
    [[namespace]]
    name = "linkerd-egress"
    [[egress_network]]
    namespace = "linkerd-egress"
    name = "all"
    traffic_policy = "Deny"
  )"));
  EXPECT_EQ(world.tcp(front, "8.8.8.8"), "deny network_default");
}

// A namespace each, and a policy each whose peer names another one.
std::string many_namespaces(unsigned count) {
  std::string text = "[defaults]\nuncaptured = \"allow\"\n";
  for (unsigned i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "[[namespace]]\nname = \"n" + n + "\"\nlabels = { a = \"x" + n +
            "\", b = \"y\" }\n[[workload]]\nnamespace = \"n" + n + "\"\nname = \"w\"\naddresses = [\"10." +
            std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24\"]\n[[network_policy]]\nnamespace = \"n" +
            n + "\"\nname = \"p\"\negress = [{ to = [{ namespace_selector = { match_labels = { b = \"y\", a = \"x" +
            std::to_string((i + 1) % count) + "\" } } }] }]\n";
  }
  return text;
}

// Rules times namespaces would be 64 million selectors: half a minute, and minutes where sanitizers watch.
TEST(NetworkPolicies, ThousandsOfNamespacesThatNameEachOther) {
  const auto begin = std::chrono::steady_clock::now();
  const PolicyWorld world(many_namespaces(8000));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(world.tcp("10.0.0.1", "10.0.1.1"), "allow uncaptured");
  EXPECT_EQ(world.tcp("10.0.1.1", "10.0.0.1"), "deny network_policy n1/p");
  EXPECT_EQ(world.tcp("10.31.63.1", "10.0.0.1"), "allow uncaptured");
  EXPECT_EQ(world.tcp("10.31.63.1", "10.0.1.1"), "deny network_policy n7999/p");
}

TEST(NetworkPolicies, NamespacesByAnyOfTheirLabels) {
  const auto reaches = [](std::string_view selector) {
    const PolicyWorld world(
        cluster(policy("p", "[{ to = [{ namespace_selector = " + std::string(selector) + " }] }]")));
    return std::string(world.tcp(front, back) == allowed ? "shop " : "") +
           (world.tcp(front, other) == allowed ? "bank" : "");
  };
  EXPECT_EQ(reaches("{}"), "shop bank");
  EXPECT_EQ(reaches("{ match_labels = { env = \"prod\" } }"), "bank");
  EXPECT_EQ(reaches("{ match_labels = { env = \"prod\", \"kubernetes.io/metadata.name\" = \"shop\" } }"), "");
  EXPECT_EQ(reaches("{ match_labels = { env = \"test\" } }"), "");
  EXPECT_EQ(reaches("{ match_expressions = [{ key = \"env\", operator = \"DoesNotExist\" }] }"), "shop ");
  const auto named = [](std::string_view values) {
    return "{ match_expressions = [{ key = \"kubernetes.io/metadata.name\", operator = \"In\", values = [" +
           std::string(values) + "] }] }";
  };
  EXPECT_EQ(reaches(named("\"shop\"")), "shop ");
  EXPECT_EQ(reaches(named("\"shop\", \"bank\"")), "shop bank");
}

}  // namespace
}  // namespace sallyport::classifier
