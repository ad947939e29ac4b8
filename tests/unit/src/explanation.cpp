#include "src/explanation.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/load.h"

namespace sallyport {
namespace {

using Json = nlohmann::json;

constexpr const char* policy_text = R"(
[[workload]]
namespace = "prod"
name = "web"
labels = { role = "web" }
addresses = ["10.1.2.0/24", "fd00:1:2::/64"]

[[workload]]
namespace = "prod"
name = "db-client"
labels = { role = "db-client" }
addresses = ["10.1.7.0/24"]

[[network_policy]]
namespace = "prod"
name = "by-name"
pod_selector = { match_labels = { role = "db-client" } }
egress = [ { to = [ { domains = ["db.example.com"] } ] } ]

[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"

[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org"]

[[tcp_route]]
namespace = "linkerd-egress"
name = "plain"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 80 } ]

[[grpc_route]]
namespace = "linkerd-egress"
name = "calls"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 8080 } ]

[snat]
addresses = ["203.0.113.1"]

[[egress_pool]]
name = "pool"
ranges = ["203.0.113.16/28"]

[[egress]]
name = "egress-web"
applied_to = { pod_selector = { match_labels = { role = "web" } } }
egress_pool = "pool"
)";

class ExplanationTest : public testing::Test {
 protected:
  ExplanationTest() {
    auto loaded = config::load_policy({{"policy.toml", policy_text}});
    if (loaded.model) policy_ = classifier::Policy::compile(std::move(*loaded.model), identities_).policy;
  }
  void SetUp() override { ASSERT_TRUE(policy_); }

  static ExplainOptions flow(const char* from, const char* to, std::uint16_t port) {
    ExplainOptions options;
    options.from = parse_address(from).value();
    options.to = parse_address(to).value();
    options.port = port;
    return options;
  }
  FlowAnswer ask(const ExplainOptions& flow) const { return explain_flow(*policy_, identities_, appliance_, flow); }
  Json json(const ExplainOptions& flow) const { return Json::parse(to_json(ask(flow))); }

  classifier::Identities identities_;
  std::unique_ptr<const classifier::Policy> policy_;
  ApplianceView appliance_;
};

TEST_F(ExplanationTest, JsonHasTheShapeOfAFlowRecord) {
  ExplainOptions named = flow("10.1.2.3", "198.51.100.7", 443);
  named.host = "httpbin.org";
  const Json answer = json(named);
  EXPECT_EQ(answer["verdict"],
            Json::parse(R"({"action":"allow","reason":"route","layer":"egress_network","rule":"linkerd-egress/names",
                            "network":"linkerd-egress/all"})"));
  EXPECT_EQ(answer["source"], Json::parse(R"({"namespace":"prod","workload":"web"})"));
  EXPECT_EQ(answer["nat"]["egress"], "egress-web");
  EXPECT_FALSE(answer["nat"].contains("src_port"));
  ASSERT_FALSE(answer["steps"].empty());
  for (const Json& step : answer["steps"]) {
    EXPECT_EQ(step.size(), 4U);
    EXPECT_TRUE(step["what"].is_string() && step["result"].is_string() && step["file"].is_string());
    EXPECT_TRUE(step["line"].is_number_unsigned());
    EXPECT_EQ(step["file"] == "", step["line"] == 0) << "what points nowhere";
  }
}

TEST_F(ExplanationTest, TheAddressIsTheOneThatThePoolGivesForThisKey) {
  const ExplainOptions plain = flow("10.1.2.3", "198.51.100.7", 80);
  const FlowAnswer unknown = ask(plain);
  const classifier::AddressPool pool({parse_range("203.0.113.16/28").value()}, {});
  EXPECT_EQ(unknown.nat_address, pool.pick(plain.from, {}));
  bool differs = false;
  for (std::uint8_t i = 1; i < 20; ++i) {
    classifier::PoolKey key{};
    key[0] = i;
    appliance_.pool_key = key;
    EXPECT_EQ(ask(plain).nat_address, pool.pick(plain.from, key));
    differs = differs || ask(plain).nat_address != unknown.nat_address;
  }
  EXPECT_TRUE(differs);
}

TEST_F(ExplanationTest, NeedsNameHasNoReasonYetAndIsNotDenied) {
  const FlowAnswer answer = ask(flow("10.1.2.3", "198.51.100.7", 443));
  EXPECT_EQ(answer.action, "needs_name");
  EXPECT_EQ(answer.reason, "");
  EXPECT_EQ(answer.exit_code(), ExitCode::done);
  EXPECT_TRUE(answer.nat_address);
}

TEST_F(ExplanationTest, ADeniedFlowLeavesUnderNothingAndSaysWhatToDo) {
  ExplainOptions named = flow("10.1.2.3", "198.51.100.7", 443);
  named.host = "evil.example";
  const FlowAnswer answer = ask(named);
  EXPECT_EQ(answer.reason, "name_not_allowed");
  EXPECT_EQ(answer.exit_code(), ExitCode::no);
  EXPECT_FALSE(answer.nat_address);
  EXPECT_NE(advice(answer, named).find("evil.example"), std::string::npos);
  EXPECT_EQ(advice(answer, named).find('\n'), std::string::npos);
}

TEST_F(ExplanationTest, NoAddressOfTheFamilyIsADenialEvenOfAnAllowedFlow) {
  const FlowAnswer answer = ask(flow("fd00:1:2::3", "2001:db8::7", 80));
  EXPECT_EQ(answer.action, "deny");
  EXPECT_EQ(answer.reason, "no_egress_address");
  EXPECT_EQ(answer.layer, "egress_network") << "as in the record: of the rule that has allowed it";
  EXPECT_EQ(answer.rule, "linkerd-egress/plain");
  EXPECT_EQ(answer.network, "linkerd-egress/all");
}

TEST_F(ExplanationTest, WithoutAnAddressNoNameIsEverAskedFor) {
  for (const char* name : {"httpbin.org", "evil.example"}) {
    ExplainOptions named = flow("fd00:1:2::3", "2001:db8::7", 443);
    named.host = name;
    const FlowAnswer answer = ask(named);
    EXPECT_EQ(answer.reason, "no_egress_address") << name;
    EXPECT_EQ(answer.rule, "") << name;
    EXPECT_EQ(answer.network, "linkerd-egress/all");
  }
}

TEST_F(ExplanationTest, Case21MartiansAreToldByTheNameOfTheirCounter) {
  EXPECT_EQ(ask(flow("10.1.2.3", "255.255.255.255", 80)).reason, "martian_destination");
  EXPECT_EQ(ask(flow("169.254.1.1", "198.51.100.7", 80)).reason, "martian_source");
  EXPECT_EQ(ask(flow("10.1.2.3", "10.1.2.3", 80)).reason, "martian_land");
  EXPECT_EQ(ask(flow("fd00::1", "::ffff:198.51.100.7", 80)).reason, "martian_destination");
  EXPECT_EQ(ask(flow("fd00::1", "fe80::1", 80)).reason, "martian_destination");
}

TEST_F(ExplanationTest, SourceCheckCountsOnlyWhereTheApplianceIsKnown) {
  const ExplainOptions stranger = flow("10.77.0.1", "198.51.100.7", 80);
  EXPECT_EQ(ask(stranger).action, "allow");
  config::ApplianceModel model;
  model.ports.push_back({});
  model.ports.back().addresses.push_back({parse_address("10.99.0.1").value(), 16});
  appliance_ = view_of(model);
  EXPECT_EQ(ask(stranger).reason, "source_check");
  EXPECT_EQ(ask(flow("10.99.200.1", "198.51.100.7", 80)).action, "allow");
  EXPECT_EQ(ask(flow("10.1.2.3", "198.51.100.7", 80)).action, "allow");
}

TEST_F(ExplanationTest, NobodysIsToldOfSourceCheckWhereTheApplianceIsNotKnown) {
  const auto tells = [&](const char* from) {
    const ExplainOptions asked = flow(from, "198.51.100.7", 80);
    return to_text(ask(asked), asked, Style(-1)).find("with [nat] source_check, the default, it is dropped unless") !=
           std::string::npos;
  };
  EXPECT_TRUE(tells("10.77.0.1"));
  EXPECT_FALSE(tells("10.1.2.3")) << "a workload's";
  appliance_.known = true;
  EXPECT_FALSE(tells("10.77.0.1"));
}

TEST_F(ExplanationTest, WhatShowsNoNameIsNotSentToARouteThatIsLeftOut) {
  const auto advised = [&](ExplainOptions asked, std::string_view part) {
    const FlowAnswer answer = ask(asked);
    EXPECT_EQ(answer.reason, "no_name");
    EXPECT_NE(advice(answer, asked).find(part), std::string::npos) << advice(answer, asked);
  };
  ExplainOptions asked = flow("10.1.2.3", "198.51.100.7", 443);
  asked.host = "";
  advised(asked, "beside a tls_route no tcp_route counts");
  asked.protocol = config::Protocol::udp;
  advised(asked, "a udp_route on the port takes what is none");
  asked = flow("10.1.2.3", "198.51.100.7", 8080);
  asked.host = "httpbin.org";
  asked.http.emplace();
  asked.http->method = "GET";
  asked.http->target = "/shop.Cart/Add";
  advised(asked, "takes a POST over HTTP/2 to /SERVICE/METHOD alone");
  asked.host.reset();
  advised(asked, "by its Host (--host)");
}

TEST_F(ExplanationTest, ProtocolsWithoutRoutesAreToldSo) {
  ExplainOptions asked = flow("10.1.2.3", "198.51.100.7", 0);
  asked.protocol = config::Protocol::other;
  const FlowAnswer answer = ask(asked);
  EXPECT_EQ(advice(answer, asked),
            "denied (network_default): there are no routes of this protocol: linkerd-egress/all has to have "
            "traffic_policy = \"Allow\"");
  EXPECT_TRUE(to_text(answer, asked, Style(-1)).starts_with("10.1.2.3 -> 198.51.100.7, another protocol\n"));
}

TEST_F(ExplanationTest, ARuleByDomainsIsToldToDependOnDns) {
  const FlowAnswer answer = ask(flow("10.1.7.3", "198.51.100.7", 80));
  EXPECT_EQ(answer.reason, "network_policy");
  EXPECT_EQ(advice(answer, flow("10.1.7.3", "198.51.100.7", 80)),
            "denied (network_policy): unless DNS has bound one of the rule's domains to 198.51.100.7; ask with "
            "--resolved NAME=198.51.100.7");
}

TEST_F(ExplanationTest, TextNamesThePlacesOfTheRules) {
  ExplainOptions named = flow("10.1.2.3", "198.51.100.7", 443);
  named.host = "httpbin.org";
  const std::string text = to_text(ask(named), named, Style(-1));
  for (const char* part :
       {"10.1.2.3 -> 198.51.100.7", "linkerd-egress/names", "(policy.toml:", "verdict: allow", "egress egress-web"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST_F(ExplanationTest, NamesThatAreNoUtf8StillGiveJson) {
  ExplainOptions named = flow("10.1.2.3", "198.51.100.7", 443);
  named.host = "\xff\xfe.example";
  EXPECT_EQ(json(named)["verdict"]["action"], "deny");
}

class RequestExplanationTest : public testing::Test {
 protected:
  // Routes on port 443 of a network that denies.
  FlowAnswer ask(const std::string& routes, std::optional<std::string> host, const char* request = nullptr) {
    const std::string text =
        "[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"all\"\ntraffic_policy = \"Deny\"\n"
        "networks = [{ cidr = \"0.0.0.0/0\" }]\n[[domain_set]]\nname = \"none\"\n" +
        routes;
    auto loaded = config::load_policy({{"policy.toml", text}});
    classifier::Identities identities;
    EXPECT_TRUE(loaded.model);
    const auto compiled = classifier::Policy::compile(std::move(*loaded.model), identities);
    EXPECT_TRUE(compiled.policy);
    ExplainOptions options;
    options.from = parse_address("10.1.2.3").value();
    options.to = parse_address("198.51.100.7").value();
    options.port = 443;
    options.host = std::move(host);
    if (request != nullptr) options.http = RequestLine{"GET", request, false, {}};
    return explain_flow(*compiled.policy, identities, {}, options);
  }
  static std::string route(const std::string& kind, const std::string& keys) {
    return "[[" + kind +
           "]]\nnamespace = \"linkerd-egress\"\nname = \"r\"\nparent_refs = [{ name = \"all\", port = 443 }]\n" + keys +
           "\n";
  }
  static bool says(const FlowAnswer& answer, const std::string& part) {
    return std::any_of(answer.steps.begin(), answer.steps.end(),
                       [&](const classifier::Step& step) { return step.result.find(part) != std::string::npos; });
  }
};

TEST_F(RequestExplanationTest, WhereNothingThatItShowsIsAllowedItIsDenied) {
  for (const char* keys : {"action = \"deny\"\nhostnames = [\"a.com\"]", "hostname_sets = [\"none\"]",
                           "action = \"audit\"\nhostnames = [\"a.com\"]"}) {
    const FlowAnswer answer = ask(route("tls_route", keys), std::nullopt);
    EXPECT_EQ(answer.action, "deny") << keys;
    EXPECT_NE(answer.reason, "") << keys;
    EXPECT_EQ(answer.exit_code(), ExitCode::no) << keys;
    EXPECT_TRUE(says(answer, "nothing that it can show is allowed")) << keys;
  }
  EXPECT_EQ(ask(route("tls_route", "hostnames = [\"a.com\"]"), std::nullopt).action, "needs_name");
}

TEST_F(RequestExplanationTest, AnAssumedRequestSaysWhatItLeavesOpen) {
  const FlowAnswer any = ask(route("http_route", "hostnames = [\"a.com\"]"), "a.com");
  EXPECT_EQ(any.action, "allow");
  EXPECT_TRUE(says(any, "TLS would be denied (no_name)"));
  const std::string by_path =
      route("http_route", "hostnames = [\"a.com\"]\nrules = [{ matches = [{ path = { value = \"/x\" } }] }]");
  const FlowAnswer open = ask(by_path, "a.com");
  EXPECT_EQ(open.action, "needs_name");
  EXPECT_EQ(open.reason, "");
  EXPECT_EQ(open.exit_code(), ExitCode::done);
  EXPECT_TRUE(says(open, "--http tells"));
  EXPECT_EQ(ask(by_path, "a.com", "/x").action, "allow");
  EXPECT_EQ(ask(by_path, "a.com", "/y").action, "deny");
  EXPECT_EQ(ask(by_path, "b.com").reason, "name_not_allowed") << "whatever is asked for";
}

TEST_F(RequestExplanationTest, NamesInOtherLettersAreConverted) {
  const FlowAnswer answer = ask(route("tls_route", "hostnames = [\"bücher.de\"]"), "bücher.de");
  EXPECT_EQ(answer.action, "allow");
  EXPECT_TRUE(says(answer, "is xn--bcher-kva.de on the wire"));
}

}  // namespace
}  // namespace sallyport
