#include "src/flow_comparison.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/load.h"

namespace sallyport {
namespace {

using Json = nlohmann::json;

const std::string head = R"(
[[workload]]
namespace = "prod"
name = "web"
addresses = ["10.1.2.0/24"]
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"
)";
const std::string names = R"(
[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org"]
)";
const std::string plain = R"(
[[tcp_route]]
namespace = "linkerd-egress"
name = "plain"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
)";
std::string snat(const std::string& addresses) { return "[snat]\naddresses = [" + addresses + "]\n"; }

class FlowComparisonTest : public testing::Test {
 protected:
  std::unique_ptr<const classifier::Policy> compile(const std::string& name, const std::string& text) {
    auto loaded = config::load_policy({{name, text}});
    EXPECT_TRUE(loaded.model);
    return classifier::Policy::compile(std::move(*loaded.model), identities_).policy;
  }
  void policies(const std::string& before, const std::string& after) {
    before_ = compile("old.toml", before);
    after_ = compile("new.toml", after);
    comparison_.emplace(*before_, *after_, identities_, appliance_);
  }
  static RecordedFlow flow(const std::string& more, const std::string& to = "198.51.100.7", int port = 443) {
    const std::string line = R"({"event_type":"flow","flow_id":7,"src_ip":"10.1.2.3","src_port":41000,"dest_ip":")" +
                             to + R"(","dest_port":)" + std::to_string(port) + R"(,"proto":"TCP")" + more + "}";
    RecordedLine parsed = parse_recorded_flow(line);
    EXPECT_TRUE(parsed.flow) << parsed.problem;
    return parsed.flow.value_or(RecordedFlow{});
  }
  static std::string tls(const std::string& name) { return R"(,"app_proto":"tls","tls":{"sni":")" + name + "\"}"; }

  classifier::Identities identities_;
  ApplianceView appliance_;
  std::unique_ptr<const classifier::Policy> before_, after_;
  std::optional<FlowComparison> comparison_;
};

TEST_F(FlowComparisonTest, AnotherVerdictIsTheNewPolicysOwn) {
  policies(head + plain + snat("\"203.0.113.1\""), head + names + snat("\"203.0.113.1\""));
  const RecordedFlow other = flow(tls("evil.example"));
  const auto difference = comparison_->compare(other);
  EXPECT_EQ(difference.change, Change::verdict);
  const Json told = Json::parse(comparison_->json(3, other, difference));
  EXPECT_EQ(told["line"], 3);
  EXPECT_EQ(told["old"]["verdict"]["rule"], "linkerd-egress/plain");
  EXPECT_EQ(told["old"]["file"], "old.toml");
  EXPECT_EQ(told["old"]["line"], 11);
  EXPECT_EQ(told["old"]["nat"]["src_ip"], "203.0.113.1");
  EXPECT_EQ(told["new"]["verdict"]["reason"], "name_not_allowed");
  EXPECT_EQ(told["new"]["file"], "new.toml");
  EXPECT_EQ(told["new"]["line"], 6) << "the network whose traffic_policy decided";
  EXPECT_FALSE(told["new"].contains("nat"));

  EXPECT_EQ(comparison_->compare(flow(tls("httpbin.org"))).change, Change::none) << "another rule, the same verdict";
  const auto nameless = comparison_->compare(flow(R"(,"verdict":{"action":"allow"})"));
  EXPECT_EQ(nameless.change, Change::verdict);
  EXPECT_EQ(reason_of(nameless.after), "no_name");
  EXPECT_EQ(comparison_->sums().flows, 3U);
  EXPECT_EQ(comparison_->sums().verdict, 2U);
}

TEST_F(FlowComparisonTest, WhoWasRefusedAtOnceMayNowHaveToShowAName) {
  policies(head, head + names);
  const auto difference = comparison_->compare(flow(R"(,"verdict":{"action":"deny","reason":"network_default"})"));
  EXPECT_EQ(difference.change, Change::verdict);
  EXPECT_EQ(action_of(difference.after), "needs_name");
}

TEST_F(FlowComparisonTest, AnotherAddressIsADifferenceAPoolThatGrewIsNone) {
  policies(head + plain + snat("\"203.0.113.1\""), head + plain + snat("\"203.0.113.1\", \"203.0.113.2\""));
  EXPECT_EQ(comparison_->compare(flow("")).change, Change::none);
  policies(head + plain + snat("\"203.0.113.1\""), head + plain + snat("\"203.0.113.9\""));
  EXPECT_EQ(comparison_->compare(flow("")).change, Change::address);
  policies(head + plain + snat("\"203.0.113.1\""), head + plain);
  EXPECT_EQ(comparison_->compare(flow("")).change, Change::address) << "leaves untranslated";
  policies(head + plain + snat("\"203.0.113.1\""), head + plain + snat("\"2001:db8::1\""));
  const auto none = comparison_->compare(flow(""));
  EXPECT_EQ(none.change, Change::verdict);
  EXPECT_EQ(reason_of(none.after), "no_egress_address");
}

TEST_F(FlowComparisonTest, WithoutAnAddressAFlowComesToShowNoName) {
  policies(head + names + snat("\"203.0.113.1\""), head + names + snat("\"2001:db8::1\""));
  const auto difference = comparison_->compare(flow(tls("evil.example")));
  EXPECT_EQ(difference.change, Change::none) << "denied by both";
  EXPECT_EQ(reason_of(difference.before), "name_not_allowed");
  EXPECT_EQ(reason_of(difference.after), "no_egress_address");
}

TEST_F(FlowComparisonTest, WhatEndsBeforeAnyPolicyEndsByBoth) {
  policies(head + plain, head);
  EXPECT_EQ(comparison_->compare(flow("", "127.0.0.1")).change, Change::none);
}

TEST_F(FlowComparisonTest, TheSummaryCountsByRules) {
  policies(head + plain, head + names);
  for (int i = 0; i < 3; ++i) (void)comparison_->compare(flow(tls("evil.example")));
  const std::string text = comparison_->summary_text(Style(-1));
  EXPECT_NE(text.find("linkerd-egress/plain"), std::string::npos) << text;
  EXPECT_NE(text.find("3 with another verdict"), std::string::npos) << text;
  EXPECT_EQ(Json::parse(comparison_->summary_json())["same"], 0);
}

TEST_F(FlowComparisonTest, NamesThatSteerATerminalAreNotShown) {
  policies(head + plain, head + names);
  const RecordedFlow hostile = flow(tls("a\\u001b[2Jb"));
  const std::string text = comparison_->text(1, hostile, comparison_->compare(hostile), Style(-1));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(RecordedFlow, WhatALineSays) {
  const RecordedLine line = parse_recorded_flow(
      R"({"event_type":"flow","src_ip":"fd00::1","src_port":1,"dest_ip":"2001:db8::7","dest_port":443,"proto":"UDP",)"
      R"("app_proto":"quic","quic":{"sni":"a.example","version":"1","ech":true}})");
  ASSERT_TRUE(line.flow) << line.problem;
  EXPECT_EQ(line.flow->query.protocol, config::Protocol::udp);
  EXPECT_EQ(line.flow->query.destination_port, 443);
  const auto shown = line.flow->shown();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->protocol, classifier::Shown::Protocol::quic);
  EXPECT_EQ(shown->name, "a.example");
  EXPECT_TRUE(shown->ech);
}

TEST(RecordedFlow, ARequestIsReadBack) {
  const RecordedLine line = parse_recorded_flow(
      R"({"event_type":"flow","src_ip":"10.0.0.1","src_port":1,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP",)"
      R"("app_proto":"http","http":{"hostname":"a.example","http_method":"GET","url":"/v2?x=1"}})");
  ASSERT_TRUE(line.flow) << line.problem;
  const auto shown = line.flow->shown();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->protocol, classifier::Shown::Protocol::http);
  EXPECT_EQ(shown->name, "a.example");
  EXPECT_EQ(shown->request.method, "GET");
  EXPECT_EQ(shown->request.target, "/v2?x=1");
}

TEST(RecordedFlow, BrokenLinesSayWhatIsWrong) {
  const auto problem = [](std::string_view line) { return parse_recorded_flow(line).problem; };
  EXPECT_NE(problem(R"({"event_type":"flow","src_ip":"10.)").find("cut off"), std::string::npos);
  EXPECT_NE(problem("[]").find("no JSON object"), std::string::npos);
  EXPECT_NE(problem(R"({"a":1})").find("event_type"), std::string::npos);
  EXPECT_NE(problem(R"({"event_type":"flow"})").find("src_ip is missing"), std::string::npos);
  EXPECT_NE(problem(R"({"event_type":"flow","src_ip":"x"})").find("src_ip"), std::string::npos);
  EXPECT_NE(problem(R"({"event_type":"flow","src_ip":"10.0.0.1","dest_ip":"::1"})").find("families"),
            std::string::npos);
  const std::string addresses = R"({"event_type":"flow","src_ip":"10.0.0.1","dest_ip":"10.0.0.2",)";
  EXPECT_NE(problem(addresses + R"("proto":"NONE"})").find("NONE"), std::string::npos);
  EXPECT_NE(problem(addresses + R"("proto":"TCP","src_port":1,"dest_port":65536})").find("dest_port"),
            std::string::npos);
  const RecordedLine other = parse_recorded_flow(R"({"event_type":"dns"})");
  EXPECT_FALSE(other.flow);
  EXPECT_EQ(other.problem, "");
}

}  // namespace
}  // namespace sallyport
