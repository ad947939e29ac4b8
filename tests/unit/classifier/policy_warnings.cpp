// What is right and does not do what it seems to: told, and never of what does.
#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

std::string with_network(std::string_view traffic_policy, std::string_view rest) {
  return std::string("[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"all\"\ntraffic_policy = \"") +
         std::string(traffic_policy) + "\"\n" + std::string(rest);
}

// Line 5 on, or behind that.
std::string route(std::string_view kind, std::string_view name, std::string_view port, std::string_view keys = "") {
  return "[[" + std::string(kind) + "]]\nnamespace = \"linkerd-egress\"\nname = \"" + std::string(name) +
         "\"\nparent_refs = [{ name = \"all\"" + std::string(port.empty() ? "" : ", port = ") + std::string(port) +
         " }]\n" + std::string(keys) + "\n";
}

std::string warnings_of(std::string_view text) { return PolicyWorld(text).warnings(); }

// ---- who is who
// ------------------------------------------------------------------------------------------------------

// Two workloads of two namespaces; what is behind it is on line 14.
std::string with_shop(std::string_view rest, std::string_view team = "shop", std::string_view data = "data") {
  return "[[namespace]]\nname = \"shop\"\nlabels = { team = \"" + std::string(team) +
         "\" }\n[[namespace]]\nname = \"data\"\n"
         "[[workload]]\nnamespace = \"shop\"\nname = \"pay\"\nlabels = { role = \"payments\" }\n"
         "addresses = [\"10.1.0.0/16\"]\n[[workload]]\nnamespace = \"" +
         std::string(data) + "\"\nname = \"db\"\naddresses = [\"10.2.0.0/16\"]\n" + std::string(rest);
}

TEST(Warnings, AWorkloadOfANamespaceThatIsNowhereWritten) {
  EXPECT_EQ(warnings_of(with_shop("", "shop", "date")),
            "policy.toml:11:1: workload[1].namespace: warning: no [[namespace]] is called \"date\", did you mean "
            "\"data\"?\n");
  EXPECT_EQ(warnings_of(with_shop("")), "");
  EXPECT_EQ(warnings_of("[[workload]]\nnamespace = \"n\"\nname = \"w\"\naddresses = [\"10.1.0.0/16\"]\n"), "")
      << "no namespace is written at all";
}

TEST(Warnings, ANetworkPolicyThatSelectsNobody) {
  const auto policy = [](std::string_view name_space, std::string_view selector) {
    return with_shop("[[network_policy]]\nnamespace = \"" + std::string(name_space) +
                     "\"\nname = \"p\"\npod_selector = " + std::string(selector) + "\n");
  };
  EXPECT_EQ(warnings_of(policy("shoop", "{}")),
            "policy.toml:15:1: network_policy[0].namespace: warning: selects no workload: none, and no address, is of "
            "namespace \"shoop\", did you mean \"shop\"?\n");
  EXPECT_EQ(warnings_of(policy("shop", "{ match_labels = { role = \"paymnets\" } }")),
            "policy.toml:15:1: network_policy[0].pod_selector: warning: selects no workload of namespace \"shop\", so "
            "it isolates nobody: none has role = \"paymnets\", did you mean \"payments\"?\n");
  EXPECT_EQ(warnings_of(policy("shop", "{ match_labels = { rolle = \"payments\" } }")),
            "policy.toml:15:1: network_policy[0].pod_selector: warning: selects no workload of namespace \"shop\", so "
            "it isolates nobody: none has rolle = \"payments\", did you mean \"role\"?\n");
  EXPECT_EQ(warnings_of(policy("shop", "{ match_expressions = [{ key = \"role\", operator = \"DoesNotExist\" }] }")),
            "policy.toml:15:1: network_policy[0].pod_selector: warning: selects no workload of namespace \"shop\", so "
            "it isolates nobody\n");
  EXPECT_EQ(warnings_of(policy("shop", "{ match_labels = { role = \"payments\" } }")), "");
  EXPECT_EQ(warnings_of(policy("data", "{}")), "");
}

TEST(Warnings, AnEgressThatAppliesToNobody) {
  const auto egress = [](std::string_view applied_to) {
    return with_shop("[[egress]]\nname = \"e\"\negress_ip = \"203.0.113.8\"\napplied_to = " + std::string(applied_to) +
                     "\n");
  };
  EXPECT_EQ(warnings_of(egress("{ namespace_selector = { match_labels = { team = \"shpo\" } } }")),
            "policy.toml:15:1: egress[0].applied_to: warning: \"e\" selects no workload: no namespace with workloads "
            "has team = \"shpo\", did you mean \"shop\"?\n");
  EXPECT_EQ(warnings_of(egress("{ pod_selector = { match_labels = { role = \"paymnets\" } } }")),
            "policy.toml:15:1: egress[0].applied_to: warning: \"e\" selects no workload: none has role = "
            "\"paymnets\", did you mean \"payments\"?\n");
  EXPECT_EQ(warnings_of(egress("{ pod_selector = { match_labels = { role = \"payments\" } }, namespace_selector = { "
                               "match_labels = { \"kubernetes.io/metadata.name\" = \"data\" } } }")),
            "policy.toml:15:1: egress[0].applied_to: warning: \"e\" selects no workload\n")
      << "each by itself selects somebody";
  EXPECT_EQ(warnings_of(egress("{ namespace_selector = { match_labels = { team = \"shop\" } } }")), "");
}

// ---- networks -------------------------------------------------------------------------------------------------------

TEST(Warnings, ANetworkOfANamespaceThatNobodyBelongsTo) {
  const std::string network =
      "[[egress_network]]\nnamespace = \"prd\"\nname = \"n\"\ntraffic_policy = \"Deny\"\n"
      "networks = [{ cidr = \"192.0.2.0/24\" }]\n";
  EXPECT_EQ(warnings_of(network + "[[namespace]]\nname = \"prod\"\naddresses = [\"10.1.0.0/16\"]\n"),
            "policy.toml:1:1: egress_network[0].namespace: warning: captures nothing: no workload or address is of "
            "namespace \"prd\", which is not the global one, \"linkerd-egress\"\n");
  EXPECT_EQ(warnings_of(network), "") << "no source is named at all, yet";
  EXPECT_EQ(warnings_of("[[namespace]]\nname = \"prd\"\naddresses = [\"10.1.0.0/16\"]\n" + network), "");
  EXPECT_EQ(warnings_of("[[workload]]\nnamespace = \"prd\"\nname = \"w\"\naddresses = [\"10.1.0.0/16\"]\n" + network),
            "");
  EXPECT_EQ(warnings_of("cluster.global_namespace = \"prd\"\n" + network), "");
}

TEST(Warnings, AnExceptThatAnotherEntryOfTheNetworkOpensAgain) {
  const auto network = [](std::string_view networks) {
    return "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"n\"\ntraffic_policy = \"Deny\"\nnetworks = [" +
           std::string(networks) + "]\n";
  };
  EXPECT_EQ(
      warnings_of(network(R"({ cidr = "8.0.0.0/8", except = ["8.9.0.0/16", "8.1.0.0/16"] }, { cidr = "8.1.2.0/24" })")),
      "policy.toml:5:13: egress_network[0].networks[0].except[1]: warning: 8.1.0.0/16 is left out here only: "
      "egress_network[0].networks[1], line 5, opens 8.1.2.0/24 of it again\n");
  EXPECT_EQ(warnings_of(network(R"({ cidr = "8.0.0.0/7" }, { cidr = "8.0.0.0/8", except = ["8.1.0.0/16"] })")),
            "policy.toml:5:37: egress_network[0].networks[1].except[0]: warning: 8.1.0.0/16 is left out here only: "
            "egress_network[0].networks[0], line 5, opens it again\n");
  EXPECT_EQ(
      warnings_of(network(R"({ cidr = "2001:db8::/32", except = ["2001:db8:1::/48"] },
                                   { cidr = "2001:db8:1::1/128" })")),
      "policy.toml:5:13: egress_network[0].networks[0].except[0]: warning: 2001:db8:1::/48 is left out here only: "
      "egress_network[0].networks[1], line 6, opens 2001:db8:1::1/128 of it again\n");
  for (const char* silent : {R"({ cidr = "8.0.0.0/8", except = ["8.1.0.0/16"] }, { cidr = "9.0.0.0/8" })",
                             R"({ cidr = "8.0.0.0/8", except = ["8.1.0.0/16", "8.1.2.0/24"] })",
                             R"({ cidr = "8.0.0.0/8", except = ["8.1.0.0/16"] },
                                { cidr = "8.0.0.0/9", except = ["8.1.0.0/16"] })",
                             R"({ cidr = "8.0.0.0/8", except = ["8.1.0.0/16"] }, { cidr = "2001:db8::/32" })"})
    EXPECT_EQ(warnings_of(network(silent)), "") << silent;
  EXPECT_EQ(warnings_of(network(R"({ cidr = "8.0.0.0/8", except = ["8.1.0.0/16"] })") +
                        "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"m\"\ntraffic_policy = \"Deny\"\n"
                        "networks = [{ cidr = \"8.1.2.0/24\" }]"),
            "")
      << "another network is what excepts are for";
}

TEST(Warnings, ManyOpenedExceptsAreToldAsANumber) {
  std::string networks = "{ cidr = \"9.0.0.0/8\" }";
  for (int i = 0; i < 100; ++i)
    networks +=
        ",\n{ cidr = \"9." + std::to_string(i) + ".0.0/16\", except = [\"9." + std::to_string(i) + ".1.0/24\"] }";
  const std::string told = warnings_of(
      "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"n\"\ntraffic_policy = \"Deny\"\nnetworks = [" +
      networks + "]\n");
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 21) << told;
  EXPECT_TRUE(
      told.ends_with("policy.toml:26:1: egress_network[0].networks[21].except[0]: warning: 80 more excepts from "
                     "here on are opened again\n"))
      << told;
}

TEST(Warnings, AnExceptThatAnotherEntryOfThePolicyOpensAgain) {
  const auto policy = [](std::string_view rules) {
    return "[[network_policy]]\nnamespace = \"n\"\nname = \"p\"\negress = [\n" + std::string(rules) + "]\n";
  };
  const std::string block = R"({ ip_block = { cidr = "10.0.0.0/8", except = ["10.1.0.0/16"] } })";
  const std::string host = R"({ ip_block = { cidr = "10.1.2.3/32" } })";
  const std::string expected =
      "policy.toml:5:22: network_policy[0].egress[0].to[0].ip_block.except[0]: warning: 10.1.0.0/16 is left out here "
      "only: ";
  EXPECT_EQ(warnings_of(policy("{ to = [" + block + ", " + host + "] }")),
            expected + "network_policy[0].egress[0].to[1].ip_block, line 5, opens 10.1.2.3/32 of it again\n");
  EXPECT_EQ(warnings_of(policy("{ to = [" + block + "] },\n{ to = [" + host + "] }")),
            expected + "network_policy[0].egress[1].to[0].ip_block, line 6, opens 10.1.2.3/32 of it again\n");
  EXPECT_EQ(warnings_of(policy("{ to = [" + block + "], ports = [{ port = 80 }] },\n{ to = [" + host + "] }")), "")
      << "for other ports";
}

// ---- routes ---------------------------------------------------------------------------------------------------------

TEST(Warnings, ARouteThatNeverDecides) {
  EXPECT_EQ(warnings_of(with_network("Deny", route("tcp_route", "a", "80") + route("tcp_route", "b", "80"))),
            "policy.toml:10:1: tcp_route[1]: warning: never decides: tcp_route linkerd-egress/a comes first, line 5\n");
  EXPECT_EQ(warnings_of(with_network("Deny", route("udp_route", "a", "80") +
                                                 route("udp_route", "b", "80, end_port = 90", "action = \"deny\""))),
            "policy.toml:5:1: udp_route[0]: warning: never decides: udp_route linkerd-egress/b comes first, line 10\n")
      << "deny comes first";
  EXPECT_EQ(
      warnings_of(with_network("Deny", route("icmp_route", "a", "") + route("icmp_route", "b", ""))),
      "policy.toml:10:1: icmp_route[1]: warning: never decides: icmp_route linkerd-egress/a comes first, line 5\n");
  for (const std::string& silent :
       {route("tcp_route", "a", "80") + route("tcp_route", "b", "80, end_port = 81"),
        route("tcp_route", "a", "80") + route("udp_route", "b", "80"),
        route("tcp_route", "a", "80", "action = \"audit\"") + route("tcp_route", "b", "80"),
        route("tcp_route", "a", "80") + route("tcp_route", "b", "80", "action = \"audit\""),
        route("tcp_route", "a", "80, end_port = 90") + route("tcp_route", "b", "85", "action = \"deny\"")})
    EXPECT_EQ(warnings_of(with_network("Deny", silent)), "") << silent;
}

TEST(Warnings, AHostNameThatNeverDecides) {
  const auto names = [](std::string_view first, std::string_view second, std::string_view more = "") {
    return with_network(
        "Deny", route("tls_route", "a", "443", "hostnames = [" + std::string(first) + "]") +
                    route("tls_route", "b", "443", "hostnames = [" + std::string(second) + "]\n" + std::string(more)));
  };
  EXPECT_EQ(warnings_of(names(R"("x.com")", R"("y.com", "X.com.")")),
            "policy.toml:14:23: tls_route[1].hostnames[1]: warning: never decides: tls_route linkerd-egress/a comes "
            "first, line 5\n");
  EXPECT_EQ(
      warnings_of(names(R"("x.com")", R"("x.com")", "action = \"deny\"")),
      "policy.toml:9:14: tls_route[0].hostnames[0]: warning: never decides: tls_route linkerd-egress/b comes first, "
      "line 10\n");
  EXPECT_EQ(warnings_of(names(R"("x.com", "x.com")", R"("y.com")")),
            "policy.toml:9:23: tls_route[0].hostnames[1]: warning: never decides: it stands here already\n");
  EXPECT_EQ(warnings_of(names(R"(".x.com")", R"("*.x.com")")),
            "policy.toml:14:14: tls_route[1].hostnames[0]: warning: never decides: tls_route linkerd-egress/a comes "
            "first, line 5\n");
  EXPECT_EQ(warnings_of(names(R"("*.x.com")", R"(".x.com")")), "") << "x.com itself";
  EXPECT_EQ(warnings_of(names(R"("*.com")", R"("*.x.com", "x.com")")), "") << "the more specific comes first";
  EXPECT_EQ(warnings_of(names(R"({ regex = "x.com" })", R"("x.com")")), "");
  EXPECT_EQ(warnings_of(with_network("Deny", route("tls_route", "a", "443", "hostnames = [\"x.com\"]") +
                                                 route("tls_route", "b", "8443", "hostnames = [\"x.com\"]"))),
            "")
      << "on another port";
}

TEST(Warnings, Case103NamesUnderAllowRestrictNothing) {
  const std::string names = "hostnames = [\"x.com\"]";
  EXPECT_EQ(warnings_of(with_network("Allow", route("tls_route", "a", "443", names))),
            "policy.toml:5:1: tls_route[0]: warning: restricts nothing: the traffic_policy of linkerd-egress/all is "
            "\"Allow\", so every other name passes, too, over TCP and over UDP\n");
  for (const char* action : {"deny", "audit"})
    EXPECT_EQ(
        warnings_of(with_network("Allow", route("tls_route", "a", "443", names + "\naction = \"" + action + "\""))),
        "");
  EXPECT_EQ(warnings_of(
                with_network("Allow", route("tls_route", "a", "443", names) +
                                          route("tls_route", "b", "443", "hostnames = [\".com\"]\naction = \"deny\""))),
            "")
      << "an exception to what is denied";
}

TEST(Warnings, RequestsUnderAllowRestrictNothing) {
  for (const std::string_view keys :
       {"hostnames = [\"x.com\"]", "rules = [{ matches = [{ path = { value = \"/x\" } }] }]"})
    EXPECT_EQ(warnings_of(with_network("Allow", route("http_route", "a", "80", keys))),
              "policy.toml:5:1: http_route[0]: warning: restricts nothing: the traffic_policy of linkerd-egress/all is "
              "\"Allow\", so every other request passes, too\n");
  EXPECT_EQ(warnings_of(with_network("Allow", route("http_route", "a", "80"))), "");
  EXPECT_EQ(warnings_of(with_network("Deny", route("grpc_route", "a", "80", "hostnames = [\"x.com\"]"))), "");
}

TEST(Warnings, ARequestRouteThatNeverDecides) {
  const auto two = [](std::string_view first, std::string_view second, std::string_view hosts = "") {
    const auto keys = [&](std::string_view path) {
      return std::string(hosts) + "\nrules = [{ matches = [" + std::string(path) + "] }]";
    };
    return warnings_of(with_network("Deny", route("http_route", "a", "80", keys(first)) +
                                                route("http_route", "b", "80", keys(second) + "\naction = \"deny\"")));
  };
  const std::string_view x = "{ path = { value = \"/x\" } }";
  EXPECT_EQ(
      two(x, x),
      "policy.toml:5:1: http_route[0]: warning: never decides: http_route linkerd-egress/b comes first, line 11\n")
      << "deny before allow";
  EXPECT_NE(two(x, x, "hostnames = [\"x.com\"]").find("http_route[0].hostnames[0]: warning: never decides"),
            std::string::npos);
  EXPECT_EQ(two(x, "{ path = { value = \"/y\" } }"), "");
  EXPECT_EQ(two("{ path = { value = \"/x\" } }, { method = \"GET\" }", x), "") << "the other match decides";
}

TEST(Warnings, ARouteOfAnEmptySet) {
  const auto with = [](std::string_view names, std::string_view keys) {
    return warnings_of("[[domain_set]]\nname = \"s\"\nnames = [" + std::string(names) + "]\n" +
                       with_network("Deny", route("tls_route", "a", "443", keys)));
  };
  EXPECT_EQ(with("", "hostname_sets = [\"s\"]"),
            "policy.toml:8:1: tls_route[0].hostname_sets: warning: never decides: the domain set \"s\" is empty\n");
  EXPECT_EQ(with("\"x.com\"", "hostname_sets = [\"s\"]"), "");
  EXPECT_EQ(with("", "hostname_sets = [\"s\"]\nhostnames = [\"x.com\"]"), "");
}

TEST(Warnings, KeyPathsCountWithinTheirFile) {
  auto loaded = config::load_policy({{"policy.toml", with_network("Deny", route("tcp_route", "a", "80"))},
                                     {"policy.d/b.toml", route("tcp_route", "b", "80")}});
  ASSERT_TRUE(loaded.model);
  Identities identities;
  const auto compiled = Policy::compile(std::move(*loaded.model), identities);
  ASSERT_EQ(compiled.diagnostics.all().size(), 1U);
  EXPECT_EQ(to_text(compiled.diagnostics.all()[0], loaded.files),
            "policy.d/b.toml:1:1: tcp_route[0]: warning: never decides: tcp_route linkerd-egress/a comes first, at "
            "policy.toml:5");
}

// ---- sets, pools, egresses ------------------------------------------------------------------------------------------

TEST(Warnings, SetsAndPoolsThatNobodyUses) {
  EXPECT_EQ(warnings_of("[[domain_set]]\nname = \"d\"\n"),
            "policy.toml:1:1: domain_set[0]: warning: no route uses the domain set \"d\"\n");
  EXPECT_EQ(warnings_of("[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.0/28\"]\n"),
            "policy.toml:1:1: egress_pool[0]: warning: no egress uses the pool \"p\"\n");
  const std::string set = "[[network_set]]\nname = \"s\"\nnamespace = \"n\"\nlabels = { k = \"v\" }\n";
  const auto policy = [](std::string_view name_space, std::string_view value) {
    return "[[network_policy]]\nnamespace = \"" + std::string(name_space) +
           "\"\nname = \"p\"\negress = [{ to = [{ network_set = { match_labels = { k = \"" + std::string(value) +
           "\" } } }] }]\n";
  };
  const std::string unused =
      "policy.toml:1:1: network_set[0]: warning: no network policy selects the network set \"s\"\n";
  EXPECT_EQ(warnings_of(set), unused);
  const auto unmatched = [](std::string_view name_space, std::string_view hint) {
    return "policy.toml:8:19: network_policy[0].egress[0].to[0].network_set: warning: selects no network set of "
           "namespace \"" +
           std::string(name_space) + "\" or of none, so it allows nothing: none has k = " + std::string(hint) + "\n";
  };
  EXPECT_EQ(warnings_of(set + policy("n", "w")), unused + unmatched("n", "\"w\", did you mean \"v\"?"));
  EXPECT_EQ(warnings_of(set + policy("m", "v")), unused + unmatched("m", "\"v\"")) << "of another namespace";
  EXPECT_EQ(warnings_of(set + policy("n", "v")), "");
}

TEST(Warnings, ANetworkSetThatThereIsNot) {
  const auto policy = [](std::string_view selector) {
    return "[[network_set]]\nname = \"s\"\nlabels = { to = \"partners\" }\nnets = [\"198.51.100.0/24\"]\n"
           "[[network_policy]]\nnamespace = \"n\"\nname = \"all\"\negress = [{ to = [{ network_set = {} }] }]\n"
           "[[network_policy]]\nnamespace = \"n\"\nname = \"p\"\n"
           "egress = [{ to = [{ ip_block = { cidr = \"192.0.2.0/24\" } },\n{ network_set = " +
           std::string(selector) + " }] }]\n";
  };
  EXPECT_EQ(warnings_of(policy("{ match_labels = { to = \"partenrs\" } }")),
            "policy.toml:13:1: network_policy[1].egress[0].to[1].network_set: warning: selects no network set of "
            "namespace \"n\" or of none, so it allows nothing: none has to = \"partenrs\", did you mean "
            "\"partners\"?\n");
  EXPECT_EQ(warnings_of(policy("{ match_labels = { to = \"partners\" } }")), "");
  EXPECT_EQ(warnings_of(policy("{ match_expressions = [{ key = \"to\", operator = \"DoesNotExist\" }] }")),
            "policy.toml:13:1: network_policy[1].egress[0].to[1].network_set: warning: selects no network set of "
            "namespace \"n\" or of none, so it allows nothing\n");
}

// Web may reach names, and the server that would say where they are only with `more`.
std::string by_name(std::string_view more) {
  return "[defaults]\nuncaptured = \"allow\"\n[dns]\ntrusted_servers = [\"192.0.2.53\"]\n"
         "[[workload]]\nnamespace = \"n\"\nname = \"web\"\nlabels = { app = \"web\" }\naddresses = [\"10.1.0.0/24\"]\n"
         "[[workload]]\nnamespace = \"n\"\nname = \"resolver\"\naddresses = [\"10.1.1.0/24\"]\n"
         "[[network_policy]]\nnamespace = \"n\"\nname = \"names\"\n"
         "pod_selector = { match_labels = { app = \"web\" } }\n"
         "[[network_policy.egress]]\nto = [{ domains = [\"db.example.com\"] }]\n" +
         std::string(more);
}

TEST(Warnings, NamesWhoseServerNobodyMayAsk) {
  constexpr std::string_view warning =
      "egress[0].to[0].domains: warning: nothing is ever bound: whom this policy selects";
  EXPECT_NE(warnings_of(by_name("")).find(warning), std::string::npos) << warnings_of(by_name(""));
  const auto to_server = [](std::string_view port) {
    return "[[network_policy.egress]]\nto = [{ ip_block = { cidr = \"192.0.2.53/32\" } }]\nports = [{ protocol = "
           "\"UDP\", "
           "port = " +
           std::string(port) + " }]\n";
  };
  EXPECT_EQ(warnings_of(by_name(to_server("53"))), "");
  EXPECT_NE(warnings_of(by_name(to_server("5353"))), "");
  const std::string for_all =
      "[[network_policy]]\nnamespace = \"n\"\nname = \"all\"\n"
      "pod_selector = { match_expressions = [{ key = \"app\", operator = \"DoesNotExist\" }] }\n";
  EXPECT_EQ(warnings_of(by_name(for_all + to_server("53"))), "") << "the resolver asks for others";
}

TEST(Warnings, AnEgressThatIsNeverChosen) {
  const auto egress = [](std::string_view name, std::string_view keys) {
    return "[[egress]]\nname = \"" + std::string(name) + "\"\negress_ip = \"203.0.113.1\"\n" + std::string(keys) + "\n";
  };
  const std::string wide = "sources = [\"10.0.0.0/8\"]";
  const std::string narrow = "sources = [\"10.1.0.0/16\"]";
  EXPECT_EQ(warnings_of(egress("a", wide) + egress("b", narrow)),
            "policy.toml:5:1: egress[1]: warning: \"b\" is never chosen: others come first for every source and "
            "destination of it, by priority, longer destinations or the file\n");
  EXPECT_EQ(warnings_of(egress("b", narrow) + egress("a", wide)), "");
  EXPECT_EQ(warnings_of(egress("a", wide) + egress("b", narrow + "\npriority = 1")), "");
  EXPECT_EQ(warnings_of(egress("a", wide) + egress("b", narrow + "\ndestinations = [\"192.0.2.0/24\"]")), "");
  EXPECT_NE(
      warnings_of(egress("a", wide + "\npriority = 1") + egress("b", narrow + "\ndestinations = [\"192.0.2.0/24\"]")),
      "");
}

}  // namespace
}  // namespace sallyport::classifier
