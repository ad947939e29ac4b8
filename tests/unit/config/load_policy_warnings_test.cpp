// What is right and still worth a word, and what is refused because this version does not enforce it.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "load_policy_support.h"

namespace sallyport::config {
namespace {

TEST(PolicyWarnings, Case1HostBitsAreCleared) {
  const auto loaded = load("[[namespace]]\nname = \"a\"\naddresses = [\"192.168.0.1/16\"]");
  expect_one_warning(loaded, "namespace[0].addresses[0]", "taken as 192.168.0.0/16");
  EXPECT_EQ(loaded.model->namespaces[0].addresses[0].prefix, net("192.168.0.0/16"));
  expect_one_warning(load("[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.17/28\"]"), "egress_pool[0].ranges[0]",
                     "taken as 203.0.113.16/28");
}

std::string network(std::string_view networks) {
  return "[[egress_network]]\nnamespace = \"a\"\nname = \"b\"\ntraffic_policy = \"Deny\"\nnetworks = [" +
         std::string(networks) + "]";
}

TEST(PolicyWarnings, Case17NetworksOverTheCluster) {
  expect_one_warning(load(network("{ cidr = \"10.1.0.0/16\" }")), "egress_network[0].networks[0]",
                     "10.1.0.0/16 overlaps 10.0.0.0/8");
  expect_one_warning(load(network("{ cidr = \"8.8.8.8/32\" }, { cidr = \"0.0.0.0/0\", except = [\"10.0.0.0/8\"] }")),
                     "egress_network[0].networks[1]", "overlaps 100.64.0.0/10");
  EXPECT_TRUE(load(network("{ cidr = \"0.0.0.0/0\", except = [\"10.0.0.0/8\", \"100.64.0.0/10\", \"172.16.0.0/12\", "
                           "\"192.168.0.0/17\", \"192.168.128.0/17\"] }"))
                  .diagnostics.all()
                  .empty());
}

TEST(PolicyWarnings, ExceptsThatTogetherCoverItWhole) {
  expect_one_warning(
      load(network("{ cidr = \"8.0.0.0/8\", except = [\"8.128.0.0/9\", \"8.0.0.0/10\", \"8.64.0.0/10\"] }")),
      "egress_network[0].networks[0].except", "together these cover 8.0.0.0/8 whole");
  EXPECT_TRUE(load(network("{ cidr = \"8.0.0.0/8\", except = [\"8.128.0.0/9\", \"8.0.0.0/10\", \"8.64.0.0/11\"] }"))
                  .diagnostics.all()
                  .empty());
}

TEST(PolicyWarnings, Case51AnEmptyListOfNamesMatchesEveryFlow) {
  const std::string route = network("{ cidr = \"8.0.0.0/8\" }") +
                            "\n[[domain_set]]\nname = \"d\"\n[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\n"
                            "parent_refs = [{ name = \"b\", port = 443 }]\n";
  expect_one_warning(load(route + "hostnames = []"), "tls_route[0].hostnames", "matches every flow");
  EXPECT_TRUE(load(route).diagnostics.all().empty());
  EXPECT_TRUE(load(route + "hostnames = []\nhostname_sets = [\"d\"]").diagnostics.all().empty());
}

TEST(PolicyWarnings, AnEmptyListOfSetsMatchesEveryFlow) {
  const std::string route = network("{ cidr = \"8.0.0.0/8\" }") +
                            "\n[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\n"
                            "parent_refs = [{ name = \"b\", port = 443 }]\n";
  expect_one_warning(load(route + "hostname_sets = []"), "tls_route[0].hostname_sets", "matches every flow");
  EXPECT_TRUE(load(route + "hostname_sets = []\nhostnames = [\"a.example\"]").diagnostics.all().empty());
}

TEST(PolicyWarnings, ExpressionsThatNoHostNameMatches) {
  const std::string route = network("{ cidr = \"8.0.0.0/8\" }") +
                            "\n[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\n"
                            "parent_refs = [{ name = \"b\", port = 443 }]\nhostnames = [{ regex = ";
  for (const char* regex : {R"("example\\.com\\.")", R"("a b")"})
    expect_one_warning(load(route + regex + " }]"), "tls_route[0].hostnames[0]", "no host name holds a blank");
  EXPECT_TRUE(load(route + R"("example\\.com" }])").diagnostics.all().empty());
}

TEST(PolicyWarnings, WhatPacketsAreNeverOf) {
  const auto workload = [](const std::string& addresses) {
    return load("[[workload]]\nnamespace = \"a\"\nname = \"w\"\naddresses = [" + addresses + "]");
  };
  expect_one_warning(workload("\"::ffff:10.0.0.0/104\""), "workload[0].addresses[0]", "IPv4 is written as IPv4");
  expect_one_warning(workload("\"10.0.0.0/8\", \"224.0.0.0/8\""), "workload[0].addresses[1]", "lies in 224.0.0.0/4");
  expect_one_warning(workload(""), "workload[0].addresses", "no source is of this workload");
  expect_one_warning(load("[[namespace]]\nname = \"a\"\naddresses = [\"127.0.0.0/8\"]"), "namespace[0].addresses[0]",
                     "127.0.0.0/8");
  expect_one_warning(load(network("{ cidr = \"::ffff:8.0.0.0/104\" }")), "egress_network[0].networks[0].cidr",
                     "dropped as martians");
  for (const char* server : {"0.0.0.0", "::ffff:1.1.1.1", "224.0.0.1"})
    expect_one_warning(load(std::string("[dns]\ntrusted_servers = [\"") + server + "\"]"), "dns.trusted_servers[0]",
                       "dropped as martians");
  EXPECT_TRUE(workload("\"0.0.0.0/0\", \"::/0\"").diagnostics.all().empty()) << "not all of it is";
}

TEST(PolicyWarnings, EgressesThatSelectNothing) {
  expect_one_warning(load("[[egress]]\nname = \"e\"\napplied_to = {}\negress_ip = \"203.0.113.1\""),
                     "egress[0].applied_to",
                     "selects nothing");  // case 28
  expect_one_warning(load("[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.1\"\n"
                          "destinations = [\"2001:db8::/32\"]"),
                     "egress[0]", "different families");
}

TEST(PolicyWarnings, EgressesWithoutAnAddressOfTheFamily) {
  expect_one_warning(
      load("[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\", \"fd00::/8\"]\negress_ip = \"203.0.113.1\""),
      "egress[0]", "no IPv6 address");
  expect_one_warning(load("[[egress_pool]]\nname = \"p\"\nranges = [\"2001:db8::/64\"]\n"
                          "[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_pool = \"p\""),
                     "egress[0]", "no IPv4 address");
  EXPECT_TRUE(load("[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.1\"")
                  .diagnostics.all()
                  .empty());
}

TEST(PolicyWarnings, APoolWithoutAnAddressLeft) {
  expect_one_warning(load("[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.0/31\", \"203.0.113.1\"]\n"
                          "exclude = [\"203.0.113.0\", \"203.0.113.1\"]"),
                     "egress_pool[0]", "every address is excluded");
}

TEST(PolicyWarnings, AnExcludeOutsideOfItsPool) {
  const std::string pool =
      "[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.0/28\", \"2001:db8::/64\"]\nexclude = ";
  const auto loaded = load(pool + "[\"203.0.113.1\", \"203.0.114.1\"]");
  expect_one_warning(loaded, "egress_pool[0].exclude[1]", "leaves nothing out: it is in none of the pool's ranges");
  EXPECT_EQ(loaded.diagnostics.all()[0].at.line, 4U);
  EXPECT_TRUE(load(pool + "[\"203.0.113.0/24\", \"2001:db8::1-2001:db8::9\"]").diagnostics.all().empty());
}

TEST(PolicyWarnings, AnExceptOutsideOfTheEgresssDestinations) {
  const std::string egress = "[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.1\"\n";
  const std::string except = "except = [\"198.51.100.0/24\", \"198.52.0.0/24\", \"fd00::/8\"]\n";
  EXPECT_TRUE(load(egress + except).diagnostics.all().empty()) << "its destinations are everything";
  const auto loaded = load(egress + "destinations = [\"198.51.0.0/16\", \"fd00:1::/64\"]\n" + except);
  expect_one_warning(loaded, "egress[0].except[1]", "leaves nothing out: it is in none of the egress's destinations");
}

TEST(PolicyWarnings, AnAddressThatStandsTwiceInOneWorkload) {
  expect_one_warning(
      load("[[workload]]\nnamespace = \"a\"\nname = \"b\"\naddresses = [\"10.0.0.0/8\", \"10.0.0.0/8\"]"),
      "workload[0].addresses[1]", "twice");
}

TEST(PolicyWarnings, ABurstSmallerThanAPacket) {
  const std::string egress = "[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.1\"\n";
  expect_one_warning(load(egress + "bandwidth = { rate = \"1M\", burst = \"8K\" }"), "egress[0].bandwidth",
                     "more than 1000 bytes");
  EXPECT_TRUE(load(egress + "bandwidth = { rate = \"1M\", burst = \"12K\" }").diagnostics.all().empty());
}

TEST(HttpRoute, MatchesAreValidated) {
  const std::string head =
      "[[egress_network]]\nnamespace = \"a\"\nname = \"n\"\ntraffic_policy = \"Deny\"\n[[http_route]]\nnamespace = "
      "\"a\"\n"
      "name = \"r\"\nparent_refs = [{ name = \"n\", port = 80 }]\nrules = [{ matches = [";
  const std::vector<std::pair<std::string_view, std::string_view>> table{
      {"{ path = { value = \"x\" } }", "http_route[0].rules[0].matches[0].path.value"},
      {"{ path = { type = \"Prefix\" } }", "http_route[0].rules[0].matches[0].path.type"},
      {"{ path = { value = \"/a#b\" } }", "http_route[0].rules[0].matches[0].path.value"},
      {"{ path = { type = \"Exact\", value = \"/a?b=1\" } }", "http_route[0].rules[0].matches[0].path.value"},
      {"{ method = \"GET \" }", "http_route[0].rules[0].matches[0].method"},
      {"{ method = \"delete\" }", "http_route[0].rules[0].matches[0].method"},
      {"{ headers = [{ name = \"a b\", value = \"\" }] }", "http_route[0].rules[0].matches[0].headers[0].name"},
      {"{ query_params = [{ name = \"q\" }] }", "http_route[0].rules[0].matches[0].query_params[0].value"},
      {"{ query = 1 }", "http_route[0].rules[0].matches[0].query"},
  };
  for (const auto& [match, path] : table) {
    const auto loaded = load(head + std::string(match) + "] }]");
    ASSERT_EQ(loaded.diagnostics.errors(), 1U) << messages(loaded);
    EXPECT_EQ(loaded.diagnostics.all()[0].key_path, path) << messages(loaded);
  }
}

TEST(NotEnforced, TheDefaultsOfSuchKeysMayBeWritten) {
  EXPECT_TRUE(load("defaults.server_name_binding = \"off\"\ndns.trusted_servers = []").diagnostics.all().empty());
}

}  // namespace
}  // namespace sallyport::config
