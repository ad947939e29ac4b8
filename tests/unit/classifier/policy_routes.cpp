// Route kinds on one network and port: corner cases E, as far as the kinds go.
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
    [[namespace]]
    name = "prod"
    addresses = ["10.5.0.0/16"]
    [cluster]
    global_namespace = "eg"
    [[egress_network]]
    namespace = "eg"
    name = "all"
    networks = [ { cidr = "198.51.100.0/24" } ]
    traffic_policy = ")") +
         std::string(traffic_policy) + "\"\n" + std::string(rest);
}

std::string route(std::string_view kind, std::string_view name, std::string_view ports,
                  std::string_view action = "allow") {
  return "\n[[" + std::string(kind) + "]]\nnamespace = \"eg\"\nname = \"" + std::string(name) +
         "\"\nparent_refs = [ { name = \"all\", namespace = \"eg\"" + std::string(ports.empty() ? "" : ", ") +
         std::string(ports) + " } ]\naction = \"" + std::string(action) + "\"\n";
}

const FlowQuery tcp443 = tcp_query(from, to, 443);
const FlowQuery udp443{address(from), address(to), Protocol::udp, 443};
const Shown nothing;

TEST(Routes, Case66TcpRouteOnItsPort) {
  const PolicyWorld world(network("Deny", route("tcp_route", "r", "port = 443")));
  EXPECT_EQ(world.tcp(from, to, 443), "allow route eg/r");
  EXPECT_EQ(world.tcp(from, to, 80), "deny network_default");
  EXPECT_EQ(world.udp(from, to, 443), "deny network_default") << "a tcp_route is for TCP";
}

TEST(Routes, UdpAndIcmp) {
  const PolicyWorld world(network("Deny", route("udp_route", "u", "port = 53") + route("icmp_route", "i", "")));
  EXPECT_EQ(world.udp(from, to, 53), "allow route eg/u");
  EXPECT_EQ(world.udp(from, to, 54), "deny network_default");
  EXPECT_EQ(world.tcp(from, to, 53), "deny network_default");
  EXPECT_EQ(world.ping(from, to), "allow route eg/i");
  EXPECT_EQ(world.sctp(from, to, 53), "deny network_default");
}

TEST(Routes, TrafficPolicyWhereNoneStands) {
  const PolicyWorld open(network("Allow", ""));
  EXPECT_EQ(open.tcp(from, to, 443), "allow network_default");
  EXPECT_EQ(open.udp(from, to, 443), "allow network_default");
  EXPECT_EQ(open.ping(from, to), "allow network_default");
  EXPECT_EQ(open.sctp(from, to, 9), "allow network_default");
}

TEST(Routes, PortRanges) {
  const PolicyWorld world(network("Deny", route("tcp_route", "wide", "port = 100, end_port = 200") +
                                              route("tcp_route", "hole", "port = 150", "deny") +
                                              route("tcp_route", "edge", "port = 65535")));
  for (const std::uint16_t port : Ports{100, 149, 151, 200})
    EXPECT_EQ(world.tcp(from, to, port), "allow route eg/wide");
  for (const std::uint16_t port : Ports{0, 1, 99, 201, 65534})
    EXPECT_EQ(world.tcp(from, to, port), "deny network_default");
  EXPECT_EQ(world.tcp(from, to, 150), "deny route eg/hole");
  EXPECT_EQ(world.tcp(from, to, 65535), "allow route eg/edge");
}

TEST(Routes, DenyRouteUnderAllow) {
  const PolicyWorld world(network("Allow", route("tcp_route", "r", "port = 25", "deny")));
  EXPECT_EQ(world.tcp(from, to, 25), "deny route eg/r");
  EXPECT_EQ(world.tcp(from, to, 26), "allow network_default");
}

TEST(Routes, Case70TlsLeavesTcpOut) {
  const PolicyWorld world(network("Deny", route("tcp_route", "plain", "port = 400, end_port = 500") +
                                              route("tls_route", "named", "port = 443") + "hostnames = [\"a.com\"]\n"));
  EXPECT_EQ(world.tcp(from, to, 442), "allow route eg/plain");
  EXPECT_EQ(world.tcp(from, to, 443), "needs_name");
  EXPECT_EQ(world.tls(from, to, "a.com"), "allow route eg/named");
  EXPECT_EQ(world.tls(from, to, "b.com"), "deny name_not_allowed");
  EXPECT_EQ(world.show(tcp443, nothing), "deny no_name");
  EXPECT_TRUE(world.warns("tcp_route[0]: warning: left out on port 443")) << world.warnings();
  EXPECT_TRUE(world.warns("eg/plain") && world.warns("eg/named")) << world.warnings();
}

TEST(Routes, HttpLeavesTlsOutOverTcpAlone) {
  const std::string names = "hostnames = [\"a.com\"]\n";
  const PolicyWorld world(network(
      "Deny", route("http_route", "plain", "port = 443") + names + route("tls_route", "named", "port = 443") + names));
  EXPECT_EQ(world.tls(from, to, "a.com"), "deny no_name");
  EXPECT_EQ(world.quic(from, to, "a.com"), "allow route eg/named");
  EXPECT_EQ(world.quic(from, to, "b.com"), "deny name_not_allowed");
  EXPECT_TRUE(world.warns("tls_route[0]: warning: left out on port 443")) << world.warnings();
  EXPECT_TRUE(world.warns("; over UDP it still decides QUIC")) << world.warnings();
}

TEST(Routes, Case71ParentRefWithoutPortIsRefused) {
  EXPECT_NE(errors_of(network("Deny", route("tcp_route", "r", ""))).find("tcp_route[0].parent_refs[0]"),
            std::string::npos);
}

TEST(Routes, Case73SeveralTcpRoutes) {
  const PolicyWorld first(
      network("Deny", route("tcp_route", "a", "port = 443") + route("tcp_route", "b", "port = 443")));
  EXPECT_EQ(first.tcp(from, to, 443), "allow route eg/a");
  const PolicyWorld deny(
      network("Deny", route("tcp_route", "a", "port = 443") + route("tcp_route", "b", "port = 443", "deny")));
  EXPECT_EQ(deny.tcp(from, to, 443), "deny route eg/b");
}

TEST(Routes, Case74DefaultIsAppendedToNameRoutes) {
  const PolicyWorld world(
      network("Allow", route("tls_route", "r", "port = 443", "deny") + "hostnames = [\"a.com\"]\n"));
  EXPECT_EQ(world.tls(from, to, "a.com"), "deny route eg/r");
  EXPECT_EQ(world.tls(from, to, "b.com"), "allow network_default");
  EXPECT_EQ(world.show(tcp443, nothing), "allow network_default");
}

TEST(Routes, Case72RoutesWithoutRequestsHaveNoRules) {
  for (const char* kind : {"tls_route", "tcp_route", "udp_route"})
    for (const char* rules : {"rules = []", "rules = [{}]", "rules = [{}, {}]"})
      EXPECT_NE(errors_of(network("Deny", route(kind, "r", "port = 443") + rules)).find("rules: unknown key"),
                std::string::npos)
          << kind;
}

TEST(Routes, Case67And75BackendRefsAreNotOfTheLanguage) {
  for (const char* kind : {"tls_route", "tcp_route", "http_route"})
    EXPECT_NE(errors_of(network("Deny", route(kind, "r", "port = 443") + "backend_refs = [{ name = \"s\", port = 1 }]"))
                  .find("backend_refs: unknown key"),
              std::string::npos)
        << kind;
}

TEST(Routes, Case99QuicIsJudgedByItsName) {
  const PolicyWorld world(network("Deny", route("tls_route", "r", "port = 443") + "hostnames = [\"a.com\"]\n"));
  EXPECT_EQ(world.udp(from, to, 443), "needs_name");
  EXPECT_EQ(world.quic(from, to, "a.com"), "allow route eg/r");
  EXPECT_EQ(world.quic(from, to, "b.com"), "deny name_not_allowed");
  EXPECT_EQ(world.quic(from, to, ""), "deny no_name");
  EXPECT_EQ(world.show(udp443, nothing), "deny no_name");
}

TEST(Routes, Case103UdpBesideTlsIsOpenAndWarnedOf) {
  const PolicyWorld world(network("Deny", route("udp_route", "open", "port = 443") +
                                              route("tls_route", "named", "port = 443", "deny") +
                                              "hostnames = [\"a.com\"]\n"));
  EXPECT_EQ(world.quic(from, to, "a.com"), "deny route eg/named");
  EXPECT_EQ(world.quic(from, to, "b.com"), "allow route eg/open");
  EXPECT_EQ(world.show(udp443, nothing), "allow route eg/open");
  EXPECT_EQ(world.tls(from, to, "b.com"), "deny name_not_allowed") << "TCP knows no udp_route";
  EXPECT_TRUE(world.warns("udp_route[0]: warning: UDP/443")) << world.warnings();
}

TEST(Routes, AuditDecidesNothing) {
  const PolicyWorld world(network(
      "Deny", route("tcp_route", "watch", "port = 80", "audit") + route("tcp_route", "both", "port = 81", "audit") +
                  route("tcp_route", "allow", "port = 81") + route("icmp_route", "ping", "", "audit")));
  EXPECT_EQ(world.tcp(from, to, 80), "deny network_default audited");
  EXPECT_EQ(world.tcp(from, to, 81), "allow route eg/allow audited");
  EXPECT_EQ(world.ping(from, to), "deny network_default audited");
  EXPECT_EQ(world.tcp(from, to, 82), "deny network_default");
}

TEST(Routes, AuditedTlsLeavesNothingOut) {
  const PolicyWorld world(
      network("Deny", route("tcp_route", "plain", "port = 443") + route("tls_route", "watch", "port = 443", "audit")));
  EXPECT_EQ(world.tcp(from, to, 443), "needs_name");
  EXPECT_EQ(world.tls(from, to, "a.com"), "allow route eg/plain audited");
  EXPECT_EQ(world.show(tcp443, nothing), "allow route eg/plain");
  EXPECT_EQ(world.warnings(), "");
}

TEST(Routes, RouteWithSeveralParents) {
  const PolicyWorld world(network("Deny", R"(
    [[egress_network]]
    namespace = "eg"
    name = "more"
    traffic_policy = "Deny"
    networks = [ { cidr = "203.0.113.0/24" } ]
    [[tcp_route]]
    namespace = "eg"
    name = "r"
    parent_refs = [ { name = "all", namespace = "eg", port = 80 }, { name = "more", namespace = "eg", port = 81 },
                    { name = "more", namespace = "eg", port = 80, end_port = 90 } ]
  )"));
  EXPECT_EQ(world.tcp(from, to, 80), "allow route eg/r");
  EXPECT_EQ(world.tcp(from, to, 81), "deny network_default");
  EXPECT_EQ(world.tcp(from, "203.0.113.1", 81), "allow route eg/r");
  EXPECT_EQ(world.tcp(from, "203.0.113.1", 90), "allow route eg/r");
}

TEST(Routes, RoutesOfTheCapturingNetworkOnly) {
  const PolicyWorld world(network("Deny", route("tcp_route", "r", "port = 80") + R"(
    [[egress_network]]
    namespace = "eg"
    name = "narrow"
    traffic_policy = "Deny"
    networks = [ { cidr = "198.51.100.128/25" } ]
  )"));
  EXPECT_EQ(world.tcp(from, "198.51.100.1", 80), "allow route eg/r");
  EXPECT_EQ(world.tcp(from, "198.51.100.200", 80), "deny network_default");
}

TEST(Routes, UnreachableRouteIsWarnedOf) {
  const PolicyWorld world(network("Deny", R"(
    [[egress_network]]
    namespace = "eg"
    name = "hidden"
    traffic_policy = "Deny"
    networks = [ { cidr = "198.51.100.0/24" } ]
    [[tcp_route]]
    namespace = "eg"
    name = "r"
    parent_refs = [ { name = "hidden", namespace = "eg", port = 80 } ]
  )"));
  EXPECT_TRUE(world.warns("tcp_route[0].parent_refs: warning: never asked")) << world.warnings();
}

TEST(Routes, DecisionNamesLayerAndNetwork) {
  const PolicyWorld world(network("Deny", route("tcp_route", "r", "port = 80")));
  const Decision decision = world.policy().decide(world.policy().find_source(address(from)), tcp_query(from, to, 80));
  EXPECT_EQ(decision.layer, Layer::egress_network);
  EXPECT_EQ(world.identities().name(decision.network), "eg/all");
  EXPECT_EQ(world.identities().name(decision.rule), "eg/r");
}

}  // namespace
}  // namespace sallyport::classifier
