#include "config/describe.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "load_policy_support.h"

namespace sallyport::config {
namespace {

using Lines = std::vector<std::string>;

Lines change(std::string_view before, std::string_view after) {
  return describe_change(must_load(before), must_load(after));
}

constexpr std::string_view base = R"(
[[namespace]]
name = "prod"
labels = { env = "prod" }
addresses = ["10.1.0.0/16", "10.2.0.0/16"]
[[workload]]
namespace = "prod"
name = "web"
addresses = ["10.1.2.0/24"]
[[network_policy]]
namespace = "prod"
name = "p"
egress = [{ to = [{ ip_block = { cidr = "192.0.2.0/24" } }, { pod_selector = {} }], ports = [{ port = 80 }, { port = 443 }] }]
[[network_set]]
name = "s"
nets = ["198.51.100.0/24", "203.0.113.0/24"]
[[egress_network]]
namespace = "prod"
name = "a"
traffic_policy = "Deny"
networks = [{ cidr = "192.0.2.0/24", except = ["192.0.2.1/32", "192.0.2.2/32"] }]
[[egress_network]]
namespace = "prod"
name = "b"
traffic_policy = "Deny"
[[tls_route]]
namespace = "prod"
name = "r"
parent_refs = [{ name = "a", port = 443 }]
hostnames = ["a.example", "*.b.example"]
[[domain_set]]
name = "d"
names = ["x.example", "y.example"]
[[egress_pool]]
name = "pool"
ranges = ["203.0.113.16/28"]
[[egress]]
name = "e"
sources = ["10.9.0.0/24"]
egress_pool = "pool"
[[ip_pool]]
cidr = "10.1.0.0/16"
)";

// The base with one text in it replaced.
std::string with(std::string_view old, std::string_view replacement) {
  std::string text(base);
  const std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), replacement);
}

TEST(Describe, NothingChanged) {
  EXPECT_EQ(change(base, base), Lines{});
  EXPECT_EQ(change(base, "# moved down\n\n" + std::string(base)), Lines{});
  EXPECT_EQ(change("", ""), Lines{});
}

TEST(Describe, WritingTheSameInAnotherWayIsNoChange) {
  EXPECT_EQ(change(base, with("[\"10.1.0.0/16\", \"10.2.0.0/16\"]", "[\"10.2.0.0/16\", \"10.1.0.0/16\"]")), Lines{});
  EXPECT_EQ(change(base, with("\"192.0.2.1/32\", \"192.0.2.2/32\"", "\"192.0.2.2/32\", \"192.0.2.1/32\"")), Lines{});
  EXPECT_EQ(change(base, with("{ port = 80 }, { port = 443 }", "{ port = 443 }, { protocol = \"TCP\", port = 80 }")),
            Lines{});
  EXPECT_EQ(change(base, with("\"a.example\", \"*.b.example\"", "\"*.B.example\", \"A.example.\"")), Lines{});
  EXPECT_EQ(change(base, "[defaults]\nuncaptured = \"deny\"\n" + std::string(base)), Lines{});
}

TEST(Describe, OneLineADifference) {
  struct Row {
    std::string_view old;
    std::string_view replacement;
    std::string_view line;
  };
  const std::vector<Row> table{
      {"env = \"prod\"", "env = \"dev\"",
       "namespace prod changed: labels {env=prod, kubernetes.io/metadata.name=prod} -> {env=dev, "
       "kubernetes.io/metadata.name=prod}"},
      {"\"10.2.0.0/16\"", "\"10.3.0.0/16\", \"10.4.0.0/16\"", "namespace prod changed: addresses 2 added, 1 removed"},
      {"10.1.2.0/24", "10.1.3.0/24", "workload prod/web changed: addresses 1 added, 1 removed"},
      {"name = \"p\"\n", "name = \"p\"\npod_selector = { match_labels = { a = \"b\" } }\n",
       "network_policy prod/p changed: pod_selector {} [] -> {a=b} []"},
      {"{ port = 443 }", "{ port = 444 }", "network_policy prod/p changed: egress"},
      {"\"198.51.100.0/24\", ", "", "network_set s changed: nets 0 added, 1 removed"},
      {"\"192.0.2.1/32\", ", "", "egress_network prod/a changed: networks 192.0.2.0/24"},
      {"\"Deny\"\nnetworks", "\"Allow\"\nnetworks", "egress_network prod/a changed: traffic_policy Deny -> Allow"},
      {"port = 443 }]\nhost", "port = 443, end_port = 444 }]\nhost",
       "tls_route prod/r changed: parent_refs [prod/a 443] -> [prod/a 443-444]"},
      {"hostnames = [", "action = \"deny\"\nhostnames = [\"c.example\", ",
       "tls_route prod/r changed: action allow -> deny, hostnames 1 added, 0 removed"},
      {"\"a.example\"", "\".a.example\"", "tls_route prod/r changed: hostnames 1 added, 1 removed"},
      {"[\"x.example\"", "[\"z.example\"", "domain_set d changed: names 1 added, 1 removed"},
      {"[\"203.0.113.16/28\"]", "[\"203.0.113.16\"]",
       "egress_pool pool changed: ranges [203.0.113.16-203.0.113.31] -> [203.0.113.16]"},
      {"egress_pool = \"pool\"", "egress_ip = \"203.0.113.1\"\npriority = 2",
       "egress e changed: egress_ips [] -> [203.0.113.1], egress_pool pool -> none, priority 0 -> 2"},
      {"cidr = \"10.1.0.0/16\"", "cidr = \"10.1.0.0/16\"\nnat_outgoing = true",
       "ip_pool 10.1.0.0/16 changed: nat_outgoing false -> true"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.line);
    Lines lines = change(base, with(row.old, row.replacement));
    ASSERT_EQ(lines.size(), 1U);
    // The line of networks is longer than it is worth spelling out.
    if (row.line.starts_with("egress_network prod/a changed: networks")) {
      EXPECT_EQ(lines[0],
                "egress_network prod/a changed: networks [192.0.2.0/24 except [192.0.2.1/32, 192.0.2.2/32]] -> "
                "[192.0.2.0/24 except [192.0.2.2/32]]");
      continue;
    }
    EXPECT_EQ(lines[0], row.line);
  }
}

TEST(Describe, AddedAndRemoved) {
  EXPECT_EQ(change("", "[[namespace]]\nname = \"a\""), Lines{"namespace a added"});
  EXPECT_EQ(change("[[namespace]]\nname = \"a\"", ""), Lines{"namespace a removed"});
  EXPECT_EQ(change("[[network_set]]\nname = \"a\"", "[[network_set]]\nname = \"a\"\nnamespace = \"n\""),
            (Lines{"network_set n/a added", "network_set a removed"}));
}

TEST(Describe, Settings) {
  EXPECT_EQ(change("", "defaults.uncaptured = \"allow\"\ndefaults.hello_timeout = \"5s\""),
            (Lines{"defaults.uncaptured Deny -> Allow", "defaults.hello_timeout 10s -> 5s"}));
  EXPECT_EQ(change("", "snat.addresses = [\"203.0.113.1\"]"), Lines{"snat.addresses [] -> [203.0.113.1]"});
  EXPECT_EQ(change("", "cluster.networks = [\"10.0.0.0/8\"]"),
            (Lines{"cluster.networks 0 added, 4 removed", "snat.except 0 added, 4 removed"}));
}

TEST(Describe, OrderCountsWhereTheFirstWins) {
  std::string swapped(base);
  const std::string one =
      "name = \"a\"\ntraffic_policy = \"Deny\"\nnetworks = [{ cidr = \"192.0.2.0/24\", except = "
      "[\"192.0.2.1/32\", \"192.0.2.2/32\"] }]\n[[egress_network]]\nnamespace = \"prod\"\n";
  const std::string other = "name = \"b\"\ntraffic_policy = \"Deny\"\n";
  const std::size_t at = swapped.find(one + other);
  ASSERT_NE(at, std::string::npos);
  swapped.replace(at, one.size() + other.size(),
                  other + "[[egress_network]]\nnamespace = \"prod\"\n" + one.substr(0, one.find("[[egress_network]]")));
  EXPECT_EQ(change(base, swapped), Lines{"egress_network order changed"});
}

}  // namespace
}  // namespace sallyport::config
