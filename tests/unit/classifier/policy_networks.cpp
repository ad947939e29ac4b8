// Which egress network captures: corner cases A.
#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

// A namespace "prod" with one source, 10.1.2.3, and no cluster networks in the way of the tests.
std::string prod(std::string_view rest) {
  return std::string(R"(
    [cluster]
    networks = ["10.0.0.0/8", "fd00::/8"]
    [[namespace]]
    name = "prod"
    addresses = ["10.1.0.0/16", "fd00:1::/32"]
    [[namespace]]
    name = "other"
    addresses = ["10.2.0.0/16"]
    [[namespace]]
    name = "linkerd-egress"
  )") + std::string(rest);
}

std::string network(std::string_view name, std::string_view networks, std::string_view name_space = "prod",
                    std::string_view traffic_policy = "Deny") {
  return "\n[[egress_network]]\nnamespace = \"" + std::string(name_space) + "\"\nname = \"" + std::string(name) +
         "\"\ntraffic_policy = \"" + std::string(traffic_policy) + "\"\nnetworks = [" + std::string(networks) + "]\n";
}

constexpr std::string_view source = "10.1.2.3";
constexpr std::string_view source6 = "fd00:1::3";

TEST(EgressNetworks, Case1SmallestCidrWins) {
  const PolicyWorld world(
      prod(network("a", R"({ cidr = "192.168.0.0/16" })") + network("b", R"({ cidr = "192.168.0.0/24" })")));
  EXPECT_EQ(world.network(source, "192.168.0.4"), "prod/b");
  EXPECT_EQ(world.network(source, "192.168.1.4"), "prod/a");
}

TEST(EgressNetworks, Case1HostBitsAreAccepted) {
  const PolicyWorld world(prod(network("a", R"({ cidr = "192.168.0.1/16" })")));
  EXPECT_EQ(world.network(source, "192.168.200.1"), "prod/a");
  EXPECT_TRUE(world.warns("192.168.0.1/16")) << world.warnings();
}

TEST(EgressNetworks, Case2LocalBeatsMoreSpecificGlobal) {
  const PolicyWorld world(prod(network("local", R"({ cidr = "192.168.0.0/16" })") +
                               network("global", R"({ cidr = "192.168.0.0/24" })", "linkerd-egress")));
  EXPECT_EQ(world.network(source, "192.168.0.4"), "prod/local");
  EXPECT_EQ(world.network("10.2.0.1", "192.168.0.4"), "linkerd-egress/global");
}

TEST(EgressNetworks, Case3UnrelatedScopeNeverMatches) {
  const PolicyWorld world(prod(network("a", R"({ cidr = "192.168.0.0/16" })", "other")));
  EXPECT_EQ(world.network(source, "192.168.0.4"), "");
  EXPECT_EQ(world.tcp(source, "192.168.0.4"), "deny uncaptured");
}

TEST(EgressNetworks, Case4EqualSizeGoesToTheFirstInTheFile) {
  const std::string a = network("a", R"({ cidr = "192.0.2.0/24" })");
  const std::string b = network("b", R"({ cidr = "192.0.2.0/24" })");
  EXPECT_EQ(PolicyWorld(prod(a + b)).network(source, "192.0.2.1"), "prod/a");
  EXPECT_EQ(PolicyWorld(prod(b + a)).network(source, "192.0.2.1"), "prod/b");
}

TEST(EgressNetworks, Case4EqualEffectiveSizeOfDifferentCidrs) {
  // Both hold 128 addresses: a half of a /24, and a /25.
  const std::string a = network("a", R"({ cidr = "192.0.2.0/24", except = ["192.0.2.128/25"] })");
  const std::string b = network("b", R"({ cidr = "192.0.2.0/25" })");
  EXPECT_EQ(PolicyWorld(prod(a + b)).network(source, "192.0.2.1"), "prod/a");
  EXPECT_EQ(PolicyWorld(prod(b + a)).network(source, "192.0.2.1"), "prod/b");
}

TEST(EgressNetworks, Case5NamesDecideNothingBesideTheFile) {
  // Linkerd breaks ties by age, then by name: whoever brings its networks here lists them in that order.
  const std::string z = network("z", R"({ cidr = "192.0.2.0/24" })");
  const std::string a = network("a", R"({ cidr = "192.0.2.0/24" })");
  EXPECT_EQ(PolicyWorld(prod(z + a)).network(source, "192.0.2.1"), "prod/z");
  auto loaded = config::load_policy({{"policy.toml", prod(z)}, {"policy.d/a.toml", a}});
  ASSERT_TRUE(loaded.model);
  Identities identities;
  const auto compiled = Policy::compile(std::move(*loaded.model), identities);
  const FlowQuery query = tcp_query(source, "192.0.2.1", 80);
  const Decision decision = compiled.policy->decide(compiled.policy->find_source(query.source), query);
  EXPECT_EQ(identities.name(decision.network), "prod/z") << "files stand in the order of the document";
}

TEST(EgressNetworks, Case6ExceptPassesToTheNextCandidate) {
  const PolicyWorld world(prod(network("a", R"({ cidr = "192.168.0.0/16" })") +
                               network("b", R"({ cidr = "192.168.0.0/24", except = ["192.168.0.4/32"] })")));
  EXPECT_EQ(world.network(source, "192.168.0.4"), "prod/a");
  EXPECT_EQ(world.network(source, "192.168.0.5"), "prod/b");
}

TEST(EgressNetworks, Case7FallsThroughToGlobal) {
  const std::string networks = network("local", R"({ cidr = "192.168.0.0/16" })", "prod", "Allow") +
                               network("global", R"({ cidr = "0.0.0.0/0" })", "linkerd-egress");
  const PolicyWorld fallthrough(prod(networks));
  EXPECT_EQ(fallthrough.network(source, "8.8.8.8"), "linkerd-egress/global");
  const PolicyWorld exclusive(prod("[defaults]\nglobal_scope = \"exclusive\"\n" + networks));
  EXPECT_EQ(exclusive.network(source, "8.8.8.8"), "");
  EXPECT_EQ(exclusive.network(source, "192.168.1.1"), "prod/local");
  EXPECT_EQ(exclusive.network("10.2.0.1", "8.8.8.8"), "linkerd-egress/global") << "no network of its own";
}

TEST(EgressNetworks, Case8ExceptsMakeSmaller) {
  const PolicyWorld world(prod(network("plain", R"({ cidr = "20.0.0.0/8" })") +
                               network("less", R"({ cidr = "20.0.0.0/8", except = ["20.0.0.0/9"] })")));
  EXPECT_EQ(world.network(source, "20.200.0.1"), "prod/less");
  EXPECT_EQ(world.network(source, "20.1.0.1"), "prod/plain");
}

TEST(EgressNetworks, Case9OverlappingExceptsCountOnce) {
  // Summed twice the first would be empty, and smaller than the /31; its union of excepts leaves 2 of 4 addresses, as
  // many as the /31 holds.
  const std::string a =
      network("a", R"({ cidr = "192.0.2.0/30", except = ["192.0.2.0/31", "192.0.2.0/32", "192.0.2.1/32"] })");
  const std::string b = network("b", R"({ cidr = "192.0.2.2/31" })");
  EXPECT_EQ(PolicyWorld(prod(a + b)).network(source, "192.0.2.2"), "prod/a");
  EXPECT_EQ(PolicyWorld(prod(b + a)).network(source, "192.0.2.2"), "prod/b");
  EXPECT_EQ(PolicyWorld(prod(a + b)).network(source, "192.0.2.1"), "");
  // More excepts than addresses: the sum wraps below zero, and would be larger than everything.
  const std::string wrapped =
      network("w", R"({ cidr = "192.0.2.0/30", except = ["192.0.2.0/31", "192.0.2.0/31", "192.0.2.0/31"] })");
  EXPECT_EQ(PolicyWorld(prod(network("all", R"({ cidr = "0.0.0.0/0" })") + wrapped)).network(source, "192.0.2.2"),
            "prod/w");
}

TEST(EgressNetworks, Case9ExceptsThatTogetherCoverAll) {
  const PolicyWorld world(
      prod(network("none", R"({ cidr = "192.0.2.0/30", except = ["192.0.2.0/31", "192.0.2.2/31"] })") +
           network("all", R"({ cidr = "::/0", except = ["::/1", "8000::/1"] })") +
           network("rest", R"({ cidr = "192.0.2.0/24" }, { cidr = "2001:db8::/32" })")));
  EXPECT_EQ(world.network(source, "192.0.2.1"), "prod/rest");
  EXPECT_EQ(world.network(source6, "2001:db8::1"), "prod/rest");
  EXPECT_TRUE(world.warns("captures nothing")) << world.warnings();
}

TEST(EgressNetworks, Case10SizesOfIPv6AreExact) {
  const PolicyWorld world(
      prod(network("all", R"({ cidr = "::/0" })") + network("p64", R"({ cidr = "2001:db8::/64" })") +
           network("p96", R"({ cidr = "2001:db8::/96" })") + network("p128", R"({ cidr = "2001:db8::1/128" })")));
  EXPECT_EQ(world.network(source6, "2001:db8::1"), "prod/p128");
  EXPECT_EQ(world.network(source6, "2001:db8::2"), "prod/p96");
  EXPECT_EQ(world.network(source6, "2001:db8::1:0:0"), "prod/p64");
  EXPECT_EQ(world.network(source6, "2001:db9::"), "prod/all");
}

TEST(EgressNetworks, Case10EverythingLessOneIsSmallerThanEverything) {
  const PolicyWorld world(prod(network("all", R"({ cidr = "::/0" })") +
                               network("less", R"({ cidr = "::/0", except = ["2001:db8::1/128"] })")));
  EXPECT_EQ(world.network(source6, "2001:db8::2"), "prod/less");
  EXPECT_EQ(world.network(source6, "2001:db8::1"), "prod/all");
}

TEST(EgressNetworks, Case11ExceptIsNoDeny) {
  const PolicyWorld world(
      prod(network("a", R"({ cidr = "192.168.0.0/16", except = ["192.168.0.0/24"] }, { cidr = "192.168.0.4/32" })",
                   "prod", "Allow")));
  EXPECT_EQ(world.tcp(source, "192.168.0.4"), "allow network_default");
  EXPECT_EQ(world.tcp(source, "192.168.0.5"), "deny uncaptured");
}

TEST(EgressNetworks, Case12NetworksLeftOut) {
  const PolicyWorld world(R"(
    [[namespace]]
    name = "linkerd-egress"
    [[egress_network]]
    namespace = "linkerd-egress"
    name = "all"
    traffic_policy = "Allow"
  )");
  EXPECT_EQ(world.network(source, "10.1.2.3"), "");
  EXPECT_EQ(world.network(source, "8.8.8.8"), "linkerd-egress/all");
  EXPECT_EQ(world.network(source6, "fd00::1"), "");
  EXPECT_EQ(world.network(source6, "2001:4860::8888"), "linkerd-egress/all");
}

TEST(EgressNetworks, Case13EmptyListIsRefused) {
  EXPECT_NE(errors_of(prod(network("a", ""))).find("egress_network[0].networks"), std::string::npos);
}
TEST(EgressNetworks, Case14ExceptCoveringAllIsRefused) {
  EXPECT_NE(errors_of(prod(network("a", R"({ cidr = "192.0.2.0/24", except = ["192.0.2.0/24"] })"))).find("except"),
            std::string::npos);
}
TEST(EgressNetworks, Case15ExceptOutsideIsRefused) {
  EXPECT_NE(errors_of(prod(network("a", R"({ cidr = "192.0.2.0/24", except = ["192.0.3.0/25"] })"))).find("except"),
            std::string::npos);
}
TEST(EgressNetworks, Case16MixedFamiliesAreRefused) {
  EXPECT_NE(errors_of(prod(network("a", R"({ cidr = "192.0.2.0/24", except = ["2001:db8::/64"] })"))).find("except"),
            std::string::npos);
}
TEST(EgressNetworks, Case17OverlapWithTheClusterIsWarnedOf) {
  const PolicyWorld world(prod(network("a", R"({ cidr = "10.5.0.0/16" })")));
  EXPECT_TRUE(world.warns("egress_network[0].networks[0]: warning: 10.5.0.0/16 overlaps")) << world.warnings();
  EXPECT_EQ(world.network(source, "10.5.0.1"), "prod/a");
}

TEST(EgressNetworks, Case18MoreSpecificNetworkComesAndGoes) {
  const std::string wide = network("wide", R"({ cidr = "192.168.0.0/16" })");
  const std::string narrow = network("narrow", R"({ cidr = "192.168.0.0/24" })");
  EXPECT_EQ(PolicyWorld(prod(wide)).network(source, "192.168.0.4"), "prod/wide");
  EXPECT_EQ(PolicyWorld(prod(wide + narrow)).network(source, "192.168.0.4"), "prod/narrow");
}

TEST(EgressNetworks, Case19Uncaptured) {
  EXPECT_EQ(PolicyWorld(prod("")).tcp(source, "8.8.8.8"), "deny uncaptured");
  const PolicyWorld open(prod("[defaults]\nuncaptured = \"allow\"\n"));
  EXPECT_EQ(open.tcp(source, "8.8.8.8"), "allow uncaptured");
  EXPECT_EQ(open.ping(source, "10.1.9.9"), "allow uncaptured");
}

TEST(EgressNetworks, Case20Boundaries) {
  const PolicyWorld world(
      prod(network("a", R"({ cidr = "192.0.2.0/24", except = ["192.0.2.64/26"] }, { cidr = "198.51.100.7/32" },
                           { cidr = "198.51.100.10/31" }, { cidr = "2001:db8::/127" }, { cidr = "2001:db8::8/128" })")));
  for (const char* inside :
       {"192.0.2.0", "192.0.2.63", "192.0.2.128", "192.0.2.255", "198.51.100.7", "198.51.100.10", "198.51.100.11"})
    EXPECT_EQ(world.network(source, inside), "prod/a") << inside;
  for (const char* outside : {"192.0.1.255", "192.0.3.0", "192.0.2.64", "192.0.2.127", "198.51.100.6", "198.51.100.8",
                              "198.51.100.9", "198.51.100.12"})
    EXPECT_EQ(world.network(source, outside), "") << outside;
  for (const char* inside : {"2001:db8::", "2001:db8::1", "2001:db8::8"})
    EXPECT_EQ(world.network(source6, inside), "prod/a") << inside;
  for (const char* outside : {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::2", "2001:db8::7", "2001:db8::9"})
    EXPECT_EQ(world.network(source6, outside), "") << outside;
}

TEST(EgressNetworks, Case20WholeSpaces) {
  const PolicyWorld world(prod(network("a", R"({ cidr = "0.0.0.0/0" }, { cidr = "::/0" })")));
  for (const char* edge : {"0.0.0.0", "255.255.255.255", "127.255.255.255", "128.0.0.0"})
    EXPECT_EQ(world.network(source, edge), "prod/a") << edge;
  for (const char* edge : {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "7fff::", "8000::"})
    EXPECT_EQ(world.network(source6, edge), "prod/a") << edge;
}

TEST(EgressNetworks, Case21MappedAddressesAreNeverIPv4) {
  const PolicyWorld world(prod(network("a", R"({ cidr = "0.0.0.0/0" })")));
  EXPECT_EQ(world.network(source6, "::ffff:8.8.8.8"), "");
  EXPECT_EQ(world.network("::ffff:10.1.2.3", "8.8.8.8"), "") << "and the source is nobody's";
}

TEST(EgressNetworks, NobodysSourceSeesTheGlobalNamespaceOnly) {
  const PolicyWorld world(prod(network("local", R"({ cidr = "0.0.0.0/0" })") +
                               network("global", R"({ cidr = "192.168.0.0/16" })", "linkerd-egress")));
  EXPECT_EQ(world.network("172.31.0.1", "192.168.0.1"), "linkerd-egress/global");
  EXPECT_EQ(world.network("172.31.0.1", "8.8.8.8"), "");
}

TEST(EgressNetworks, GlobalNamespaceCanBeNamed) {
  const PolicyWorld world(R"(
    [cluster]
    global_namespace = "prod"
    [[namespace]]
    name = "prod"
    [[egress_network]]
    namespace = "prod"
    name = "all"
    traffic_policy = "Allow"
    networks = [ { cidr = "0.0.0.0/0" } ]
  )");
  EXPECT_EQ(world.tcp("10.9.9.9", "8.8.8.8"), "allow network_default");
}

TEST(EgressNetworks, HiddenNetworkIsWarnedOf) {
  const PolicyWorld world(
      prod(network("first", R"({ cidr = "192.0.2.0/24" })") + network("second", R"({ cidr = "192.0.2.0/24" })")));
  EXPECT_TRUE(world.warns("egress_network[1].networks: warning: captures nothing")) << world.warnings();
  EXPECT_FALSE(world.warns("egress_network[0]")) << world.warnings();
}

}  // namespace
}  // namespace sallyport::classifier
