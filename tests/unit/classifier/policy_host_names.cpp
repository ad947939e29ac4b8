// Host names of tls_routes: corner cases C, and what a flow must show.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

constexpr std::string_view from = "10.1.2.3";
constexpr std::string_view to = "198.51.100.7";

std::string network(std::string_view traffic_policy, std::string_view rest) {
  return std::string(R"(
    [[namespace]]
    name = "eg"
    [cluster]
    global_namespace = "eg"
    [[egress_network]]
    namespace = "eg"
    name = "all"
    networks = [ { cidr = "0.0.0.0/0" }, { cidr = "::/0" } ]
    traffic_policy = ")") +
         std::string(traffic_policy) + "\"\n" + std::string(rest);
}

// `keys`: hostnames and action.
std::string route(std::string_view name, std::string_view keys, std::string_view kind = "tls_route") {
  return "\n[[" + std::string(kind) + "]]\nnamespace = \"eg\"\nname = \"" + std::string(name) +
         "\"\nparent_refs = [ { name = \"all\", namespace = \"eg\", port = 443 } ]\n" + std::string(keys) + "\n";
}

const std::string no_match = "deny name_not_allowed";
const std::string no_name = "deny no_name";

// The verdict under a Deny network with one route "r" that allows the pattern.
std::string verdict(std::string_view pattern, std::string_view name) {
  const PolicyWorld world(network("Deny", route("r", "hostnames = [" + std::string(pattern) + "]")));
  const std::string tls = world.tls(from, to, name);
  EXPECT_EQ(tls, world.quic(from, to, name)) << "QUIC is judged like TLS: " << name;
  return tls;
}
const std::string taken = "allow route eg/r";

TEST(HostNames, Case46ExactName) {
  EXPECT_EQ(verdict(R"("example.com")", "example.com"), taken);
  EXPECT_EQ(verdict(R"("example.com")", "example.com."), taken);
  EXPECT_EQ(verdict(R"("example.com")", "www.example.com"), no_match);
  EXPECT_EQ(verdict(R"("example.com")", "example.com.."), no_name);
}

TEST(HostNames, Case47WildcardNeverMatchesApex) {
  for (const char* name : {"foo.example.com", "bar.foo.example.com", "_x.example.com"})
    EXPECT_EQ(verdict(R"("*.example.com")", name), taken) << name;
  for (const char* name : {"example.com", "fooexample.com", "example.com.evil.org", "foo.example.com.evil.org", "com"})
    EXPECT_EQ(verdict(R"("*.example.com")", name), no_match) << name;
  EXPECT_EQ(verdict(R"("*.example.com")", ".example.com"), no_name);
}

TEST(HostNames, ApexMatchesTheNameAndAllBelow) {
  for (const char* name : {"example.com", "foo.example.com", "bar.foo.example.com"})
    EXPECT_EQ(verdict(R"(".example.com")", name), taken) << name;
  for (const char* name : {"fooexample.com", "example.com.evil.org"})
    EXPECT_EQ(verdict(R"(".example.com")", name), no_match) << name;
}

TEST(HostNames, Case48MostSpecificDecides) {
  const PolicyWorld world(network("Deny", route("com", R"(hostnames = ["*.com"])") +
                                              route("any", R"(hostnames = [{ regex = ".*" }])") +
                                              route("wild",
                                                    "action = \"deny\"\n"
                                                    R"(hostnames = ["*.example.com"])") +
                                              route("exact", R"(hostnames = ["abc.example.com"])")));
  EXPECT_EQ(world.tls(from, to, "abc.example.com"), "allow route eg/exact");
  EXPECT_EQ(world.tls(from, to, "x.example.com"), "deny route eg/wild");
  EXPECT_EQ(world.tls(from, to, "example.com"), "allow route eg/com");
  EXPECT_EQ(world.tls(from, to, "example.org"), "allow route eg/any");
}

TEST(HostNames, Case49TrailingDotOnBothSides) {
  EXPECT_EQ(verdict(R"("example.com.")", "example.com"), taken);
  EXPECT_EQ(verdict(R"("*.example.com.")", "a.example.com."), taken);
}

TEST(HostNames, Case50CaseIsFoldedOnBothSides) {
  EXPECT_EQ(verdict(R"("www.example.com")", "WWW.Example.COM"), taken);
  EXPECT_EQ(verdict(R"("WWW.EXAMPLE.com")", "www.example.com"), taken);
  EXPECT_EQ(verdict(R"({ regex = "www\\.example\\.com" })", "WWW.Example.COM"), taken);
}

TEST(HostNames, Case51RouteWithoutHostnamesTakesEveryFlowOfItsProtocol) {
  const PolicyWorld world(network("Deny", route("r", "")));
  EXPECT_EQ(world.tls(from, to, "example.com"), taken);
  EXPECT_EQ(world.tls(from, to, ""), taken);
  EXPECT_EQ(world.tls(from, to, "192.0.2.1"), taken) << "no valid name, but TLS";
  EXPECT_EQ(world.quic(from, to, ""), taken);
  EXPECT_EQ(world.show(tcp_query(from, to, 443), {}), no_name) << "not TLS";
}

TEST(HostNames, Case51NamedRoutesComeBeforeUnnamedOnes) {
  const PolicyWorld world(
      network("Deny", route("rest", "action = \"deny\"") + route("named", R"(hostnames = [{ regex = "ex.*" }])")));
  EXPECT_EQ(world.tls(from, to, "example.com"), "allow route eg/named");
  EXPECT_EQ(world.tls(from, to, "other.com"), "deny route eg/rest");
  EXPECT_EQ(world.tls(from, to, ""), "deny route eg/rest");
}

TEST(HostNames, Case52DenyBeatsAllowThenTheFirstInTheFile) {
  const std::string keys = R"(hostnames = ["*.example.com"])";
  const PolicyWorld denied(network("Deny", route("a", keys) + route("b", "action = \"deny\"\n" + keys)));
  EXPECT_EQ(denied.tls(from, to, "x.example.com"), "deny route eg/b");
  const PolicyWorld first(network("Deny", route("a", keys) + route("b", keys)));
  EXPECT_EQ(first.tls(from, to, "x.example.com"), "allow route eg/a");
  const PolicyWorld unnamed(network("Deny", route("a", "") + route("b", "action = \"deny\"")));
  EXPECT_EQ(unnamed.tls(from, to, ""), "deny route eg/b");
}

TEST(HostNames, Case53AddressesAreNoNames) {
  for (const char* name : {"192.0.2.1", "2001:db8::1", "[2001:db8::1]"})
    EXPECT_EQ(verdict(R"({ regex = ".*" })", name), no_name) << name;
  EXPECT_NE(errors_of(network("Deny", route("r", R"(hostnames = ["192.0.2.1"])"))).find("hostnames"),
            std::string::npos);
}

TEST(HostNames, Case54NonMatchingNameUnderDenyAndAllow) {
  EXPECT_EQ(verdict(R"("a.com")", "non.matching.com"), no_match);
  const PolicyWorld open(network("Allow", route("r",
                                                "action = \"deny\"\n"
                                                R"(hostnames = ["a.com"])")));
  EXPECT_EQ(open.tls(from, to, "non.matching.com"), "allow network_default");
  EXPECT_EQ(open.tls(from, to, ""), "allow network_default");
  EXPECT_EQ(open.tls(from, to, "a.com"), "deny route eg/r");
}

TEST(HostNames, Case55WildcardWithSeveralLabels) {
  EXPECT_EQ(verdict(R"("*.wildcard.io")", "foo.bar.wildcard.io"), taken);
  EXPECT_EQ(verdict(R"("*.wildcard.io")", "wildcard.io"), no_match);
}

TEST(HostNames, Case56StarsElsewhereAreRefused) {
  for (const char* pattern : {"foo.*.com", "f*.com", "*", "**.x", "*.", "a*", "*.*.com", "part*ial.com", ""})
    EXPECT_NE(
        errors_of(network("Deny", route("r", "hostnames = [\"" + std::string(pattern) + "\"]"))).find("hostnames"),
        std::string::npos)
        << pattern;
}

TEST(HostNames, Case57EveryDialectHasAFormHere) {
  // One label only: OVN, GKE, Cilium's "*".
  const char* const one_label = R"({ regex = "[^.]+\\.example\\.com" })";
  EXPECT_EQ(verdict(one_label, "a.example.com"), taken);
  EXPECT_EQ(verdict(one_label, "sub2.sub1.example.com"), no_match);
  EXPECT_EQ(verdict(one_label, "example.com"), no_match);
  // Cilium's "**.example.com", Linkerd's and Istio's "*.example.com".
  EXPECT_EQ(verdict(R"("*.example.com")", "sub2.sub1.example.com"), taken);
  // AWS: the apex included.
  EXPECT_EQ(verdict(R"(".example.com")", "example.com"), taken);
  EXPECT_EQ(verdict(R"(".example.com")", "sub2.sub1.example.com"), taken);
  // Antrea: "*foobar.com".
  for (const char* name : {"foobar.com", "myfoobar.com", "a.foobar.com"})
    EXPECT_EQ(verdict(R"({ regex = ".*foobar\\.com" })", name), taken) << name;
  EXPECT_EQ(verdict(R"({ regex = ".*foobar\\.com" })", "foobar.com.evil.org"), no_match);
}

TEST(HostNames, Case58WhatIsNoName) {
  using std::string_literals::operator""s;
  const std::string label(64, 'a');
  const std::string long_name = []() {
    std::string name;
    while (name.size() < 254) name += "abcdefg.";
    return name + "com";
  }();
  for (const std::string& name :
       std::vector<std::string>{"a..b", "a.com\0.evil"s, "a.com\0"s, "a.com ", " a.com", "b\xc3\xbc.com",
                                label + ".com", long_name, ".", "..", "a.com\n"})
    EXPECT_EQ(verdict(R"({ regex = ".*" })", name), no_name) << name;
  const std::string longest_label(63, 'a');
  for (const std::string& name : {longest_label + ".com", std::string("_dmarc.a_b.com"), std::string("localhost")})
    EXPECT_EQ(verdict(R"({ regex = ".*" })", name), taken) << name;
}

TEST(HostNames, Case58UnicodeNamesBecomeALabels) {
  EXPECT_EQ(verdict("\"b\u00fccher.example\"", "xn--bcher-kva.example"), taken);
}

TEST(HostNames, Case59RegexesAreAnchored) {
  const char* const pattern = R"({ regex = "api-[0-9]+\\.example\\.com" })";
  EXPECT_EQ(verdict(pattern, "api-7.example.com"), taken);
  for (const char* name : {"evil-api-7.example.com", "api-7.example.com.evil", "api-7xexample.com", "api-.example.com"})
    EXPECT_EQ(verdict(pattern, name), no_match) << name;
  EXPECT_EQ(verdict(R"({ regex = "a|b\\.example\\.com" })", "a.example.com"), no_match) << "the whole name";
}

TEST(HostNames, BadRegexIsAnErrorWithItsPlace) {
  const std::string errors = errors_of(network("Deny", route("r", R"(hostnames = ["a.com", { regex = "(" }])")));
  EXPECT_NE(errors.find("tls_route[0].hostnames[1]"), std::string::npos) << errors;
}

TEST(HostNames, DomainSetsRankAsIfWrittenInTheRoute) {
  const PolicyWorld world(
      network("Deny", R"(
    [[domain_set]]
    name = "ads"
    names = ["doubleclick.net", "a.b.example.com"]
    [[domain_set]]
    name = "exact"
    match = "exact"
    names = ["only.example.com"]
  )" + route("bad", "action = \"deny\"\nhostname_sets = [\"ads\"]") +
                          route("good", R"(hostnames = ["*.example.com", "good.doubleclick.net"])") +
                          route("one", "action = \"deny\"\nhostname_sets = [\"exact\"]")));
  EXPECT_EQ(world.tls(from, to, "doubleclick.net"), "deny route eg/bad");
  EXPECT_EQ(world.tls(from, to, "x.doubleclick.net"), "deny route eg/bad");
  EXPECT_EQ(world.tls(from, to, "good.doubleclick.net"), "allow route eg/good") << "exact before a set's subdomains";
  EXPECT_EQ(world.tls(from, to, "y.a.b.example.com"), "deny route eg/bad") << "longer";
  EXPECT_EQ(world.tls(from, to, "b.example.com"), "allow route eg/good");
  EXPECT_EQ(world.tls(from, to, "only.example.com"), "deny route eg/one");
  EXPECT_EQ(world.tls(from, to, "x.only.example.com"), "allow route eg/good");
}

TEST(HostNames, UnusedDomainSetIsWarnedOf) {
  EXPECT_TRUE(PolicyWorld("[[domain_set]]\nname = \"ads\"\nnames = [\"a.com\"]\n").warns("\"ads\""));
}

TEST(HostNames, NameNeededEvenWhereNoNameChangesTheOutcome) {
  EXPECT_EQ(PolicyWorld(network("Allow", route("r", R"(hostnames = ["a.com"])"))).tcp(from, to, 443), "needs_name");
  EXPECT_EQ(PolicyWorld(network("Allow", route("r", "action = \"audit\""))).tcp(from, to, 443), "needs_name");
}

TEST(HostNames, AuditedNamesAreDecidedAsWithoutTheRoute) {
  const PolicyWorld world(network("Deny", route("watch",
                                                "action = \"audit\"\n"
                                                R"(hostnames = ["a.example.com"])") +
                                              route("r", R"(hostnames = ["*.example.com"])")));
  EXPECT_EQ(world.tls(from, to, "a.example.com"), "allow route eg/r audited");
  EXPECT_EQ(world.tls(from, to, "b.example.com"), "allow route eg/r");
  EXPECT_EQ(world.tls(from, to, "c.com"), no_match);
  const PolicyWorld alone(network("Deny", route("watch",
                                                "action = \"audit\"\n"
                                                R"(hostnames = ["a.com"])")));
  EXPECT_EQ(alone.tls(from, to, "a.com"), "deny network_default audited");
  EXPECT_EQ(alone.tls(from, to, "b.com"), "deny network_default");
}

TEST(HostNames, Case104EchIsJudgedByTheOuterName) {
  const std::string allow = route("r", R"(hostnames = ["*.com"])");
  const Shown real{Shown::Protocol::tls, "Cloudflare-ECH.com.", true};
  const Shown grease{Shown::Protocol::tls, "example.com", true};
  const PolicyWorld outer(network("Deny", allow));
  EXPECT_EQ(outer.show(tcp_query(from, to, 443), real), taken);
  const PolicyWorld refusing(network("Deny", "[defaults]\nech = \"deny\"\n" + allow));
  EXPECT_EQ(refusing.show(tcp_query(from, to, 443), real), "deny ech_refused");
  EXPECT_EQ(refusing.show(tcp_query(from, to, 443), grease), taken);
  EXPECT_EQ(refusing.tls(from, to, "cloudflare-ech.com"), taken) << "the name without the extension";
  const PolicyWorld open(network("Allow", "[defaults]\nech = \"deny\"\n" + allow));
  EXPECT_EQ(open.show(tcp_query(from, to, 443), real), "deny ech_refused");
}

}  // namespace
}  // namespace sallyport::classifier
