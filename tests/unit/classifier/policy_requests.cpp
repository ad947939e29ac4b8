// http_route and grpc_route: corner cases D and E on matching (64, 70, 76 to 80), and host names of requests (55).
#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

constexpr std::string_view from = "10.1.2.3";
constexpr std::string_view to = "198.51.100.7";

std::string network(std::string_view traffic_policy, std::string_view rest) {
  return R"(
    [[namespace]]
    name = "linkerd-egress"
    [[egress_network]]
    namespace = "linkerd-egress"
    name = "all"
    traffic_policy = ")" +
         std::string(traffic_policy) + "\"\n" + std::string(rest);
}

std::string route(std::string_view kind, std::string_view name, std::string_view hosts, std::string_view matches,
                  std::string_view action = "allow") {
  std::string text =
      "[[" + std::string(kind) + "]]\nnamespace = \"linkerd-egress\"\nname = \"" + std::string(name) +
      "\"\nparent_refs = [ { name = \"all\", namespace = \"linkerd-egress\", port = 80 } ]\naction = \"" +
      std::string(action) + "\"\n";
  if (!hosts.empty()) text += "hostnames = [" + std::string(hosts) + "]\n";
  if (!matches.empty()) text += "[[" + std::string(kind) + ".rules]]\nmatches = [" + std::string(matches) + "]\n";
  return text;
}

using Fields = std::vector<HttpField>;

std::string http(const PolicyWorld& world, std::string_view method, std::string_view target,
                 std::string_view host = "example.com", const Fields& fields = {},
                 Shown::Protocol protocol = Shown::Protocol::http) {
  Shown shown;
  shown.protocol = protocol;
  shown.name = host;
  shown.request = {method, target, fields};
  return world.show(tcp_query(from, to, 80), shown);
}
std::string get(const PolicyWorld& world, std::string_view target, std::string_view host = "example.com") {
  return http(world, "GET", target, host);
}

TEST(Requests, Case64ExplicitAllowHttpRoute) {
  const PolicyWorld world(
      network("Deny", route("http_route", "get", "\"httpbin.org\"", "{ path = { value = \"/get\" } }")));
  EXPECT_EQ(get(world, "/get", "httpbin.org"), "allow route linkerd-egress/get");
  EXPECT_EQ(get(world, "/ip", "httpbin.org"), "deny name_not_allowed");
  EXPECT_EQ(get(world, "/get", "evil.org"), "deny name_not_allowed");
  EXPECT_EQ(get(world, "/get", ""), "deny no_name");
  EXPECT_EQ(get(world, "/get", "192.0.2.1"), "deny no_name");
  EXPECT_EQ(world.show(tcp_query(from, to, 80), Shown{}), "deny no_name");
}

TEST(Requests, Case55PortOfTheHostIsIgnored) {
  const PolicyWorld world(network("Deny", route("http_route", "r", "\"*.wildcard.io\"", "")));
  EXPECT_EQ(get(world, "/", "foo.bar.wildcard.io:443"), "allow route linkerd-egress/r");
  EXPECT_EQ(get(world, "/", "FOO.wildcard.io.:80"), "allow route linkerd-egress/r");
  EXPECT_EQ(get(world, "/", "wildcard.io"), "deny name_not_allowed");
  EXPECT_EQ(get(world, "/", "foo.wildcard.io:8x"), "deny no_name");
}

TEST(Requests, Case76PrefixIsOfWholeSegments) {
  const PolicyWorld world(network("Deny", route("http_route", "r", "", "{ path = { value = \"/v2\" } }")));
  for (const std::string_view path : {"/v2", "/v2/", "/v2/x", "/v2?q"})
    EXPECT_EQ(get(world, path), "allow route linkerd-egress/r") << path;
  for (const std::string_view path : {"/v2example", "/v", "/", "/V2", "/x/v2"})
    EXPECT_EQ(get(world, path), "deny name_not_allowed") << path;
}

TEST(Requests, Case77RegexMatchesAllOfIt) {
  const PolicyWorld world(network(
      "Deny", route("http_route", "r", "", "{ path = { type = \"RegularExpression\", value = \"/a|/v[0-9]+\" } }")));
  EXPECT_EQ(get(world, "/v12"), "allow route linkerd-egress/r");
  EXPECT_EQ(get(world, "/v12/x"), "deny name_not_allowed");
  EXPECT_EQ(get(world, "/a/b"), "deny name_not_allowed");
  EXPECT_EQ(get(world, "/x/v12"), "deny name_not_allowed");
}

TEST(Requests, Case78AnyOfRepeatedHeaderValues) {
  const PolicyWorld world(
      network("Deny", route("http_route", "r", "",
                            "{ headers = [{ name = \"version\", value = \"two\" }, { name = \"x\", type = "
                            "\"RegularExpression\", value = \"[0-9]+\" }] }")));
  EXPECT_EQ(http(world, "GET", "/", "a.com", Fields{{"Version", "one"}, {"VERSION", "two"}, {"X", "7"}}),
            "allow route linkerd-egress/r");
  EXPECT_EQ(http(world, "GET", "/", "a.com", Fields{{"version", "Two"}, {"x", "7"}}), "deny name_not_allowed");
  EXPECT_EQ(http(world, "GET", "/", "a.com", Fields{{"version", "two"}, {"x", "7a"}}), "deny name_not_allowed");
  EXPECT_EQ(http(world, "GET", "/", "a.com", Fields{{"version", "two"}}), "deny name_not_allowed");
}

// Gateway API: the closer match decides, wherever it stands.
TEST(Requests, Case79Precedence) {
  const std::vector<std::string> closest_first{
      "{ path = { type = \"Exact\", value = \"/a/b\" } }",
      "{ path = { value = \"/a/b\" } }",
      "{ path = { value = \"/a\" }, method = \"GET\" }",
      "{ path = { value = \"/a\" } }",
      "{ path = { type = \"RegularExpression\", value = \"/a.*\" } }",
      "{ method = \"GET\" }",
      "{ headers = [{ name = \"x\", value = \"1\" }, { name = \"y\", value = \"1\" }] }",
      "{ headers = [{ name = \"x\", value = \"1\" }], query_params = [{ name = \"q\", value = \"1\" }] }",
      "{ headers = [{ name = \"x\", value = \"1\" }] }",
      "{ query_params = [{ name = \"q\", value = \"1\" }] }",
      "",
  };
  for (std::size_t i = 0; i + 1 < closest_first.size(); ++i) {
    const PolicyWorld world(network("Deny", route("http_route", "far", "", closest_first[i + 1], "deny") +
                                                route("http_route", "close", "", closest_first[i], "allow")));
    EXPECT_EQ(http(world, "GET", "/a/b?q=1", "a.com", Fields{{"x", "1"}, {"y", "1"}}),
              "allow route linkerd-egress/close")
        << closest_first[i] << " before " << closest_first[i + 1];
    const std::string twice = route("http_route", "first", "", closest_first[i]);
    EXPECT_EQ(http(PolicyWorld(network("Deny", twice + route("http_route", "second", "", closest_first[i]))), "GET",
                   "/a/b?q=1", "a.com", Fields{{"x", "1"}, {"y", "1"}}),
              "allow route linkerd-egress/first")
        << "equally close: the first in the file, " << closest_first[i];
  }
}

TEST(Requests, HostNamesBeforeMatches) {
  const PolicyWorld world(network("Deny", route("http_route", "wide", "\"*.example.com\"",
                                                "{ path = { type = \"Exact\", value = \"/a\" } }", "deny") +
                                              route("http_route", "narrow", "\"a.example.com\"", "")));
  EXPECT_EQ(get(world, "/a", "a.example.com"), "allow route linkerd-egress/narrow");
  EXPECT_EQ(get(world, "/a", "b.example.com"), "deny route linkerd-egress/wide");
}

TEST(Requests, DenyBeatsAllowAtEqualDistance) {
  const PolicyWorld world(network("Deny", route("http_route", "a", "", "{ path = { value = \"/x\" } }") +
                                              route("http_route", "d", "", "{ path = { value = \"/x/\" } }", "deny")));
  EXPECT_EQ(get(world, "/x/y"), "deny route linkerd-egress/d");
}

TEST(Requests, QueryParameters) {
  const PolicyWorld world(
      network("Deny", route("http_route", "r", "", "{ query_params = [{ name = \"a b\", value = \"c d\" }] }")));
  EXPECT_EQ(get(world, "/?x=1&a+b=c%20d"), "allow route linkerd-egress/r");
  EXPECT_EQ(get(world, "/?a%20b=c+d&a+b=other"), "allow route linkerd-egress/r");
  EXPECT_EQ(get(world, "/?a%20b=C+d"), "deny name_not_allowed");
  EXPECT_EQ(get(world, "/a+b=c+d"), "deny name_not_allowed");
}

// Case 70: one kind a port, the lower left out with a warning.
TEST(Requests, Case70KindsOnOnePort) {
  const std::string three = route("tcp_route", "tcp", "", "") + route("tls_route", "tls", "\"a.com\"", "") +
                            route("http_route", "http", "\"a.com\"", "");
  const PolicyWorld world(network("Deny", three));
  for (const std::string_view lower : {"tcp_route linkerd-egress/tcp", "tls_route linkerd-egress/tls"})
    EXPECT_TRUE(world.warns("http_route linkerd-egress/http stands there, and an http_route takes precedence over " +
                            std::string(lower)))
        << lower << "\n"
        << world.warnings();
  EXPECT_EQ(get(world, "/", "a.com"), "allow route linkerd-egress/http");
  Shown hello;
  hello.protocol = Shown::Protocol::tls;
  hello.name = "a.com";
  EXPECT_EQ(world.show(tcp_query(from, to, 80), hello), "deny no_name") << "the tls_route is left out";
}

// The whole order, wherever the routes stand: grpc_route > http_route > tls_route > tcp_route.
TEST(Requests, Case70GrpcBeforeHttpBeforeTlsBeforeTcp) {
  const std::vector<std::string> highest_first{
      route("grpc_route", "grpc", "\"a.com\"", "{ method = { service = \"pkg.S\" } }"),
      route("http_route", "http", "\"a.com\"", ""), route("tls_route", "tls", "\"a.com\"", ""),
      route("tcp_route", "tcp", "", "")};
  Shown hello;
  hello.protocol = Shown::Protocol::tls;
  hello.name = "a.com";
  const auto answers = [&](const PolicyWorld& world) {
    return std::vector<std::string>{http(world, "POST", "/pkg.S/Get", "a.com", {}, Shown::Protocol::http2),
                                    get(world, "/", "a.com"), world.show(tcp_query(from, to, 80), hello),
                                    world.show(tcp_query(from, to, 80), Shown{})};
  };
  const std::string no = "deny no_name";
  const auto by = [](const char* name) { return "allow route linkerd-egress/" + std::string(name); };
  const std::vector<std::vector<std::string>> expected{{by("grpc"), no, no, no},
                                                       {by("http"), by("http"), no, no},
                                                       {no, no, by("tls"), no},
                                                       {by("tcp"), by("tcp"), by("tcp"), by("tcp")}};
  for (std::size_t highest = 0; highest < highest_first.size(); ++highest) {
    std::string ascending;
    std::string descending;
    for (std::size_t i = highest; i < highest_first.size(); ++i) {
      descending += highest_first[i];
      ascending.insert(0, highest_first[i]);
    }
    EXPECT_EQ(answers(PolicyWorld(network("Deny", descending))), expected[highest]) << highest;
    EXPECT_EQ(answers(PolicyWorld(network("Deny", ascending))), expected[highest]) << highest;
  }
}

TEST(Requests, GrpcServicesAndMethods) {
  const PolicyWorld world(network(
      "Deny",
      route("grpc_route", "service", "", "{ method = { service = \"pkg.S\" } }") +
          route("grpc_route", "method", "", "{ method = { service = \"pkg.S\", method = \"Drop\" } }", "deny")));
  const auto grpc = [&](std::string_view path) {
    return http(world, "POST", path, "example.com", {}, Shown::Protocol::http2);
  };
  EXPECT_EQ(grpc("/pkg.S/Get"), "allow route linkerd-egress/service");
  EXPECT_EQ(grpc("/pkg.S/Drop"), "deny route linkerd-egress/method");
  EXPECT_EQ(grpc("/pkg.S/%44rop"), "deny route linkerd-egress/method");
  EXPECT_EQ(grpc("/pkg.T/Get"), "deny name_not_allowed");
  EXPECT_EQ(grpc("/pkg.S"), "deny no_name") << "not of gRPC's form";
}

// Case 80: a deny is not talked around, and what is allowed is allowed under both readings.
TEST(Requests, Case80BothReadings) {
  const PolicyWorld deny(network("Allow", route("http_route", "d", "", "{ path = { value = \"/admin\" } }", "deny")));
  for (const std::string_view path :
       {"/%61dmin", "//admin", "/x/../admin", "/admin;x", "/x/..%2fadmin", "/x\\..\\admin"})
    EXPECT_EQ(get(deny, path), "deny route linkerd-egress/d") << path;
  EXPECT_EQ(get(deny, "/administrator"), "allow network_default");
  const PolicyWorld allow(network("Deny", route("http_route", "a", "", "{ path = { value = \"/public\" } }")));
  EXPECT_EQ(get(allow, "/public/a%20b"), "allow route linkerd-egress/a");
  EXPECT_EQ(get(allow, "/public/..;/admin"), "deny name_not_allowed");
  EXPECT_EQ(get(allow, "/public/%2e%2e/admin"), "deny name_not_allowed");
  EXPECT_EQ(get(allow, "/public/a%2Fb"), "allow route linkerd-egress/a") << "inside, however it is read";
}

TEST(Requests, AuditRoutesLeaveNothingOut) {
  const PolicyWorld world(
      network("Deny", route("tcp_route", "tcp", "", "") + route("http_route", "seen", "\"a.com\"", "", "audit")));
  EXPECT_EQ(get(world, "/", "a.com"), "allow route linkerd-egress/tcp audited");
  EXPECT_EQ(get(world, "/", "b.com"), "allow route linkerd-egress/tcp");
}

TEST(Requests, RegexThatCannotBeCompiled) {
  const std::string errors = errors_of(
      network("Deny", route("http_route", "r", "", "{ path = { type = \"RegularExpression\", value = \"/(\" } }")));
  EXPECT_NE(errors.find("http_route[0].rules[0].matches[0].path.value: \"/(\": "), std::string::npos) << errors;
  EXPECT_NE(errors.find("expected a regular expression"), std::string::npos) << errors;
  const std::string all = errors_of(network(
      "Deny",
      route(
          "http_route", "r", "",
          R"({}, { headers = [{ name = "x", type = "RegularExpression", value = "(" }, )"
          R"({ name = "y", type = "RegularExpression", value = "[z" }], )"
          R"(query_params = [{ name = "q", value = "(" }, { name = "r", type = "RegularExpression", value = "*" }] })") +
          route("grpc_route", "g", "", R"({ method = { type = "RegularExpression", service = "(", method = "[" } })")));
  for (const char* key : {"http_route[0].rules[0].matches[1].headers[0].value: \"(\"",
                          "http_route[0].rules[0].matches[1].headers[1].value: \"[z\"",
                          "http_route[0].rules[0].matches[1].query_params[1].value: \"*\"",
                          "grpc_route[0].rules[0].matches[0].method.service: \"(\"",
                          "grpc_route[0].rules[0].matches[0].method.method: \"[\""})
    EXPECT_NE(all.find(key), std::string::npos) << key << " in\n" << all;
}

// One scratch, asked again and again about long paths that differ in one thing.
TEST(Requests, LongPathsAreRememberedByAllThatDecides) {
  const PolicyWorld world(network(
      "Deny", route("http_route", "get", "\"a.example\"", "{ path = { value = \"/public\" }, method = \"GET\" }") +
                  route("http_route", "put", "\"b.example\"", "{ path = { value = \"/public\" }, method = \"PUT\" }")));
  const Policy& policy = world.policy();
  const FlowQuery query = tcp_query(from, to, 80);
  const auto scratch = policy.make_scratch(7);
  const auto ask = [&](std::string_view method, const std::string& target, std::string_view host) {
    Shown shown;
    shown.protocol = Shown::Protocol::http;
    shown.name = host;
    shown.request = {method, target, {}};
    const Decision pending = policy.decide(policy.find_source(query.source), query);
    return world.describe(policy.decide_shown(pending, shown, *scratch));
  };
  std::string escapes;
  for (int i = 0; i < 200; ++i) escapes += "%41";
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(ask("GET", "/public/" + escapes, "a.example"), "allow route linkerd-egress/get");
    EXPECT_EQ(ask("PUT", "/public/" + escapes, "a.example"), "deny name_not_allowed");
    EXPECT_EQ(ask("PUT", "/public/" + escapes, "b.example"), "allow route linkerd-egress/put");
    EXPECT_EQ(ask("GET", "/public/" + escapes, "b.example"), "deny name_not_allowed");
    EXPECT_EQ(ask("GET", "/public/" + escapes, "192.0.2.1"), "deny no_name");
    EXPECT_EQ(ask("GET", "/publi%63/" + escapes, "a.example"), "allow route linkerd-egress/get");
    EXPECT_EQ(ask("GET", "/private/" + escapes, "a.example"), "deny name_not_allowed");
    EXPECT_EQ(ask("GET", "/public/%3f/..%2f..%2fadmin/" + escapes, "a.example"), "deny hello_malformed");
  }
}

// RFC 3875 section 4.1.18: what a server of CGI makes of both is one.
TEST(Requests, HeaderNamesAreComparedAsCgiHandsThemOn) {
  const PolicyWorld world(
      network("Deny", route("http_route", "r", "", "{ headers = [ { name = \"X-Token\", value = \"1\" } ] }")));
  for (const std::string_view name : {"x-token", "X_Token", "x_TOKEN"})
    EXPECT_EQ(http(world, "GET", "/", "example.com", {{name, "1"}}), "allow route linkerd-egress/r") << name;
  for (const std::string_view name : {"xtoken", "x--token", "x-token-"})
    EXPECT_EQ(http(world, "GET", "/", "example.com", {{name, "1"}}), "deny name_not_allowed") << name;
}

}  // namespace
}  // namespace sallyport::classifier
