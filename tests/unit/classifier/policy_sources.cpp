// Who sends, and what the whole policy is known by.
#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

const std::string cluster = R"(
  [[namespace]]
  name = "prod"
  addresses = ["10.1.0.0/16", "10.3.3.0/24"]
  [[namespace]]
  name = "dev"
  addresses = ["10.1.128.0/17"]
  [[workload]]
  namespace = "prod"
  name = "all"
  addresses = ["10.0.0.0/15", "fd00::/16"]
  [[workload]]
  namespace = "dev"
  name = "one"
  addresses = ["10.1.2.3/32", "10.0.0.0/30"]
)";

std::string who(const PolicyWorld& world, std::string_view from) {
  const Source source = world.policy().find_source(address(from));
  return world.identities().name(source.namespace_name) + "/" + world.identities().name(source.workload);
}

TEST(Sources, LongestWorkloadPrefixThenNamespaceElseNobody) {
  const PolicyWorld world(cluster);
  EXPECT_EQ(who(world, "10.1.2.3"), "dev/one");
  EXPECT_EQ(who(world, "10.1.2.4"), "prod/all");
  EXPECT_EQ(who(world, "10.1.200.1"), "prod/all") << "a workload's /15 before a namespace's /17";
  EXPECT_EQ(who(world, "10.0.0.3"), "dev/one");
  EXPECT_EQ(who(world, "10.0.0.4"), "prod/all");
  EXPECT_EQ(who(world, "10.3.3.3"), "prod/");
  EXPECT_EQ(who(world, "10.3.4.1"), "/");
  EXPECT_EQ(who(world, "fd00::1"), "prod/all");
  EXPECT_EQ(who(world, "fd01::1"), "/");
  EXPECT_EQ(who(world, "::ffff:10.1.2.3"), "/") << "a mapped address is never IPv4";
}

TEST(Sources, LongestNamespacePrefix) {
  const PolicyWorld world(R"(
    [[namespace]]
    name = "wide"
    addresses = ["10.1.0.0/16"]
    [[namespace]]
    name = "narrow"
    addresses = ["10.1.2.0/24"]
  )");
  EXPECT_EQ(who(world, "10.1.2.3"), "narrow/");
  EXPECT_EQ(who(world, "10.1.3.3"), "wide/");
}

TEST(Policy, Case145EmptyFileDeniesEverything) {
  const PolicyWorld world("");
  EXPECT_EQ(world.tcp("10.1.2.3", "8.8.8.8", 443), "deny uncaptured");
  EXPECT_EQ(world.ping("fd00::1", "2001:db8::1"), "deny uncaptured");
  EXPECT_EQ(world.egress("10.1.2.3", "8.8.8.8"), "untranslated");
}

TEST(Policy, IdentitiesOutliveAReload) {
  Identities identities;
  const auto compile = [&](const std::string& text) {
    auto loaded = config::load_policy({{"policy.toml", text}});
    return Policy::compile(std::move(*loaded.model), identities).policy;
  };
  const auto before = compile(cluster);
  const Id workload = before->find_source(address("10.1.2.3")).workload;
  const auto after = compile(
      "[[workload]]\nnamespace = \"prod\"\nname = \"new\"\naddresses = [\"10.9.0.0/16\"]\n"
      "[[namespace]]\nname = \"prod\"\n" +
      cluster.substr(cluster.find("  [[namespace]]\n  name = \"dev\"")));
  EXPECT_EQ(after->find_source(address("10.1.2.3")).workload, workload);
  EXPECT_EQ(identities.name(workload), "one");
}

TEST(PolicyHash, SaysWhatThePolicyMeansNotHowItIsWritten) {
  const PolicyWorld one(cluster);
  const PolicyWorld commented("# a comment\n\n" + cluster);
  const PolicyWorld changed(cluster + "\n[defaults]\nuncaptured = \"allow\"\n");
  EXPECT_EQ(one.policy().hash().size(), 64U);
  EXPECT_EQ(one.policy().hash(), commented.policy().hash());
  EXPECT_NE(one.policy().hash(), changed.policy().hash());
}

TEST(PolicyHash, BoundariesBetweenValuesCount) {
  const auto hash = [](const std::string& names) {
    return PolicyWorld("[[domain_set]]\nname = \"s\"\nnames = [" + names + "]\n").policy().hash();
  };
  EXPECT_NE(hash(R"("ab.com", "c.com")"), hash(R"("a.com", "bc.com")"));
  EXPECT_NE(hash(R"("ab.com")"), hash(R"("ab.com", "c.com")"));
}

}  // namespace
}  // namespace sallyport::classifier
