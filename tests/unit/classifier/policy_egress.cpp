// Under which address: corner cases H on selection.
#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

constexpr std::string_view web = "10.1.0.1";    // role = web, in prod
constexpr std::string_view db = "10.1.0.2";     // role = db, in prod
constexpr std::string_view dev = "10.2.0.1";    // role = web, in dev
constexpr std::string_view plain = "10.1.9.9";  // of prod, no workload's
constexpr std::string_view nobody = "10.77.0.1";
constexpr std::string_view to = "198.51.100.7";
constexpr std::string_view to6 = "2001:db8:ff::7";

std::string world_with(std::string_view rest) {
  return std::string(R"(
    [snat]
    addresses = ["203.0.113.1"]
    [[namespace]]
    name = "prod"
    labels = { env = "prod" }
    addresses = ["10.1.0.0/16"]
    [[namespace]]
    name = "dev"
    [[workload]]
    namespace = "prod"
    name = "web"
    labels = { role = "web" }
    addresses = ["10.1.0.1/32", "fd00:1::1/128"]
    [[workload]]
    namespace = "prod"
    name = "db"
    labels = { role = "db" }
    addresses = ["10.1.0.2/32"]
    [[workload]]
    namespace = "dev"
    name = "web"
    labels = { role = "web" }
    addresses = ["10.2.0.1/32"]
  )") + std::string(rest);
}

std::string egress(std::string_view name, std::string_view keys) {
  return "\n[[egress]]\nname = \"" + std::string(name) + "\"\n" + std::string(keys) + "\n";
}

const std::string web_of_prod =
    R"(applied_to = { pod_selector = { match_labels = { role = "web" } }, namespace_selector = { match_labels = { env = "prod" } } })"
    "\n";
const std::string everybody = "applied_to = { namespace_selector = {} }\n";

TEST(Egress, Case109GroupsHaveTheirAddresses) {
  const PolicyWorld world(world_with(egress("a", web_of_prod + R"(egress_ip = "203.0.113.8")") +
                                     egress("b", R"(applied_to = { pod_selector = { match_labels = { role = "db" } } }
                                egress_ip = "203.0.113.9")")));
  EXPECT_EQ(world.egress(web, to), "a 203.0.113.8");
  EXPECT_EQ(world.egress(db, to), "b 203.0.113.9");
  EXPECT_EQ(world.egress(dev, to), "[snat] 203.0.113.1");
  EXPECT_EQ(world.egress(nobody, to), "[snat] 203.0.113.1");
}

TEST(Egress, Case28EmptyAppliedToSelectsNothing) {
  const PolicyWorld world(world_with(egress("a", "applied_to = {}\negress_ip = \"203.0.113.8\"")));
  EXPECT_EQ(world.egress(web, to), "[snat] 203.0.113.1");
  EXPECT_NE(world.warnings(), "");
}

TEST(Egress, EmptyNamespaceSelectorSelectsEveryWorkload) {
  const PolicyWorld world(world_with(egress("a", everybody + "egress_ip = \"203.0.113.8\"")));
  for (const auto source : {web, db, dev, plain}) EXPECT_EQ(world.egress(source, to), "a 203.0.113.8") << source;
  EXPECT_EQ(world.egress(nobody, to), "[snat] 203.0.113.1");
}

TEST(Egress, SourcesBesidesAndInsteadOfAppliedTo) {
  const PolicyWorld world(world_with(
      egress("a", web_of_prod + "sources = [\"10.77.0.0/24\", \"10.2.0.0/16\"]\negress_ip = \"203.0.113.8\"") +
      egress("b", "sources = [\"10.1.0.2/32\"]\negress_ip = \"203.0.113.9\"")));
  EXPECT_EQ(world.egress(web, to), "a 203.0.113.8");
  EXPECT_EQ(world.egress(nobody, to), "a 203.0.113.8");
  EXPECT_EQ(world.egress("10.77.1.1", to), "[snat] 203.0.113.1");
  EXPECT_EQ(world.egress(dev, to), "a 203.0.113.8");
  EXPECT_EQ(world.egress(db, to), "b 203.0.113.9");
}

TEST(Egress, Case110ASourceNeedsNoFlowBefore) {
  // Whoever asks first is answered as whoever asks later: nothing is learned from packets.
  const PolicyWorld world(world_with(egress("a", web_of_prod + R"(egress_ip = "203.0.113.8")")));
  EXPECT_EQ(world.egress(web, to), "a 203.0.113.8");
  EXPECT_EQ(world.egress("fd00:1::1", to6), "a: no address");
  EXPECT_EQ(world.egress(web, to), "a 203.0.113.8");
}

TEST(Egress, Case111ChangedAndDeleted) {
  const auto with = [](std::string_view keys) { return PolicyWorld(world_with(egress("a", keys))).egress(web, to); };
  EXPECT_EQ(with(web_of_prod + R"(egress_ip = "203.0.113.8")"), "a 203.0.113.8");
  EXPECT_EQ(with(web_of_prod + R"(egress_ip = "203.0.113.9")"), "a 203.0.113.9");
  EXPECT_EQ(with(R"(applied_to = { pod_selector = { match_labels = { role = "db" } } }
                    egress_ip = "203.0.113.9")"),
            "[snat] 203.0.113.1");
  EXPECT_EQ(PolicyWorld(world_with("")).egress(web, to), "[snat] 203.0.113.1");
}

TEST(Egress, Case112SameForIPv6) {
  const PolicyWorld world(world_with(egress("a", web_of_prod + R"(egress_ips = ["203.0.113.8", "2001:db8::8"])")));
  EXPECT_EQ(world.egress("fd00:1::1", to6), "a 2001:db8::8");
  EXPECT_EQ(world.egress(web, to), "a 203.0.113.8");
}

TEST(Egress, Case113NoAddressOfTheFamilyIsNoLeak) {
  const PolicyWorld world(world_with(egress("a", web_of_prod + R"(egress_ip = "203.0.113.8")")));
  EXPECT_EQ(world.egress("fd00:1::1", to6), "a: no address") << "and not [snat], nor untranslated";
  EXPECT_EQ(world.egress("fd00:9::1", to6), "[snat]: no address");
  const PolicyWorld empty(world_with(R"(
    [[egress_pool]]
    name = "p"
    ranges = ["203.0.113.16/31"]
    exclude = ["203.0.113.16/30"]
  )" + egress("a", web_of_prod + "egress_pool = \"p\"")));
  EXPECT_EQ(empty.egress(web, to), "a: no address") << "nothing is left of its pool";
}

TEST(Egress, Case114PriorityThenLongestDestinationThenFile) {
  const PolicyWorld world(world_with(
      egress("wide", everybody + "egress_ip = \"203.0.113.10\"") +
      egress("narrow",
             everybody + "destinations = [\"198.51.100.0/24\", \"0.0.0.0/1\"]\negress_ip = \"203.0.113.11\"") +
      egress("same", everybody + "destinations = [\"198.51.100.0/24\"]\negress_ip = \"203.0.113.12\"") +
      egress("high", web_of_prod + "priority = 5\ndestinations = [\"198.0.0.0/8\"]\negress_ip = \"203.0.113.13\"") +
      egress("low", everybody + "priority = -1\ndestinations = [\"198.51.100.7/32\"]\negress_ip = \"203.0.113.14\"")));
  EXPECT_EQ(world.egress(web, to), "high 203.0.113.13");
  EXPECT_EQ(world.egress(db, to), "narrow 203.0.113.11");
  EXPECT_EQ(world.egress(db, "8.8.8.8"), "narrow 203.0.113.11") << "by its /1";
  EXPECT_EQ(world.egress(db, "203.0.113.200"), "wide 203.0.113.10");
  EXPECT_EQ(world.egress(web, "203.0.113.200"), "wide 203.0.113.10");
}

TEST(Egress, Case115SnatExceptComesFirst) {
  const PolicyWorld defaults(world_with(egress("a", everybody + "egress_ip = \"203.0.113.8\"")));
  EXPECT_EQ(defaults.egress(web, "10.200.0.1"), "untranslated") << "inside cluster.networks";
  EXPECT_EQ(defaults.egress(web, to), "a 203.0.113.8");
  const PolicyWorld written(R"(
    [snat]
    addresses = ["203.0.113.1"]
    except = ["198.51.100.0/24"]
  )");
  EXPECT_EQ(written.egress(nobody, to), "untranslated");
  EXPECT_EQ(written.egress(nobody, "10.200.0.1"), "[snat] 203.0.113.1");
}

TEST(Egress, Case115EgressExceptLeavesUntranslated) {
  const PolicyWorld world(
      world_with(egress("a", everybody + "priority = 1\nexcept = [\"198.51.100.0/25\"]\negress_ip = \"203.0.113.8\"") +
                 egress("b", everybody + "egress_ip = \"203.0.113.9\"")));
  EXPECT_EQ(world.egress(web, to), "untranslated") << "no other egress takes over";
  EXPECT_EQ(world.egress(web, "198.51.100.200"), "a 203.0.113.8");
}

TEST(Egress, Case116LongestDestinationChoosesThePool) {
  const PolicyWorld world(world_with(R"(
    [[egress_pool]]
    name = "near"
    ranges = ["203.0.113.16/30"]
    [[egress_pool]]
    name = "far"
    ranges = ["203.0.113.32-203.0.113.34", "2001:db8::/126"]
  )" + egress("near", everybody + "egress_pool = \"near\"\ndestinations = [\"198.51.100.0/24\"]") +
                                     egress("far", everybody + "egress_pool = \"far\"")));
  EXPECT_EQ(world.egress(web, to), "near 203.0.113.16 +3");
  EXPECT_EQ(world.egress(web, "192.0.2.1"), "far 203.0.113.32 +2");
  EXPECT_EQ(world.egress("fd00:1::1", to6), "far 2001:db8:: +3");
}

TEST(Egress, Case117EveryAddressOfAPoolCounts) {
  const auto pool = [](const std::string& ranges, const std::string& exclude = "") {
    const PolicyWorld world(world_with("[[egress_pool]]\nname = \"p\"\nranges = [" + ranges + "]\nexclude = [" +
                                       exclude + "]\n" + egress("a", everybody + "egress_pool = \"p\"")));
    const FlowQuery query = tcp_query(web, to, 80);
    const FlowQuery query6 = tcp_query("fd00:1::1", to6, 80);
    const auto size = [&](const FlowQuery& asked) {
      const AddressPool* found = world.policy().choose_egress(world.policy().find_source(asked.source), asked).pool;
      return found == nullptr ? 0 : found->size();
    };
    return size(query) + size(query6);
  };
  EXPECT_EQ(pool(R"("203.0.113.16/28")"), 16U);
  EXPECT_EQ(pool(R"("203.0.113.16/30")"), 4U);
  EXPECT_EQ(pool(R"("203.0.113.16/31")"), 2U);
  EXPECT_EQ(pool(R"("203.0.113.16/32")"), 1U);
  EXPECT_EQ(pool(R"("2001:db8::/124")"), 16U);
  EXPECT_EQ(pool(R"("203.0.113.16-203.0.113.18")"), 3U);
  EXPECT_EQ(pool(R"("203.0.113.16/28", "203.0.113.24-203.0.113.33")", R"("203.0.113.17", "203.0.113.30/31")"), 15U);
}

TEST(Egress, IpPoolsMakeNatOutgoingTheRule) {
  const PolicyWorld world(R"(
    [snat]
    addresses = ["203.0.113.1"]
    except = []
    [[ip_pool]]
    cidr = "10.1.0.0/16"
    nat_outgoing = true
    [[ip_pool]]
    cidr = "10.2.0.0/16"
    nat_outgoing = false
    [[egress]]
    name = "e"
    sources = ["10.2.0.9/32"]
    egress_ip = "203.0.113.8"
  )");
  EXPECT_EQ(world.egress("10.1.0.1", to), "[snat] 203.0.113.1");
  EXPECT_EQ(world.egress("10.1.0.1", "10.2.0.1"), "untranslated") << "inside an ip_pool";
  EXPECT_EQ(world.egress("10.2.0.1", to), "untranslated") << "no nat_outgoing";
  EXPECT_EQ(world.egress("10.3.0.1", to), "untranslated") << "in no pool";
  EXPECT_EQ(world.egress("10.2.0.9", to), "e 203.0.113.8") << "an egress comes first";
  EXPECT_EQ(world.egress("10.2.0.9", "10.1.0.1"), "e 203.0.113.8");
}

TEST(Egress, GivesOutWhatIsInUse) {
  const PolicyWorld world(world_with(R"(
    [[egress_pool]]
    name = "p"
    ranges = ["203.0.113.16/30", "2001:db8::/126"]
    exclude = ["203.0.113.17"]
    [[egress_pool]]
    name = "unused"
    ranges = ["203.0.113.64/28"]
  )" + egress("a", web_of_prod + "egress_pool = \"p\"") +
                                     egress("b", web_of_prod + "egress_ips = [\"203.0.113.8\"]")));
  for (const char* given : {"203.0.113.1", "203.0.113.8", "203.0.113.16", "203.0.113.18", "2001:db8::3"})
    EXPECT_TRUE(world.policy().gives_out(address(given))) << given;
  for (const char* kept : {"203.0.113.17", "203.0.113.20", "203.0.113.64", "2001:db8::4", "0.0.0.0"})
    EXPECT_FALSE(world.policy().gives_out(address(kept))) << kept;
  std::uint64_t ranges = 0;
  for (const AddressRange& range : world.policy().egress_addresses()) {
    ++ranges;
    EXPECT_TRUE(world.policy().gives_out(range.first) && world.policy().gives_out(range.last));
  }
  EXPECT_EQ(ranges, 5U);
}

}  // namespace
}  // namespace sallyport::classifier
