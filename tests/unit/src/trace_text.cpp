#include "src/trace_text.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

const Style plain(-1);  // no terminal

const Json denied = Json::parse(R"({
  "timestamp":"2026-01-02T08:12:03.123456+0000","event_type":"trace","worker":0,"direction":"to_server",
  "received":{"port":"inside","proto":"TCP","src_ip":"10.1.2.3","src_port":41000,"dest_ip":"198.51.100.7",
              "dest_port":443,"tcp_flags":"S","ttl":64,"length":74},
  "flow":{"before":"none","after":"denied"},
  "record":{"flow_id":7,"verdict":{"action":"deny","reason":"network_default","layer":"egress_network",
            "network":"linkerd-egress/all"}},
  "decided_at":{"file":"policy.toml","line":12},
  "steps":[{"what":"source","result":"10.1.2.3 is nobody's","file":"","line":0},
           {"what":"route","result":"no route stands on this network and port","file":"policy.toml","line":12}],
  "sent":[{"port":"inside","proto":"TCP","src_ip":"198.51.100.7","src_port":443,"dest_ip":"10.1.2.3",
           "dest_port":41000,"tcp_flags":"R.","ttl":64,"length":54,"by_gateway":true}],
  "outcome":"ended","reasons":{"policy_denied":1}})");

TEST(TraceText, ADenialTellsEveryStage) {
  EXPECT_EQ(trace_text(denied, plain),
            "08:12:03.123456 TCP 10.1.2.3:41000 > 198.51.100.7:443 [S] 74 bytes, in by inside\n"
            "    flow         new, 7\n"
            "    source       10.1.2.3 is nobody's\n"
            "    route        no route stands on this network and port  (policy.toml:12)\n"
            "    policy       deny (network_default) in linkerd-egress/all, policy.toml:12\n"
            "    answer       TCP 198.51.100.7:443 > 10.1.2.3:41000 [R.] 54 bytes, by inside\n"
            "    outcome      ended: policy_denied\n"
            "                 the policy says no: a new flow\n");
  EXPECT_EQ(trace_comment(denied),
            "ended: policy_denied; deny (network_default) in linkerd-egress/all, policy.toml:12");
}

TEST(TraceText, AForwardedPacketTellsNameAndTranslation) {
  const Json forwarded = Json::parse(R"({
    "timestamp":"2026-01-02T08:12:03.123456+0000","received":{"port":"inside","proto":"UDP","src_ip":"fd00::1",
    "src_port":5000,"dest_ip":"2001:db8::7","dest_port":443,"length":1300},
    "flow":{"before":"allowed","after":"allowed"},
    "record":{"flow_id":8,"app_proto":"quic","quic":{"sni":"httpbin.org"},"source":{"namespace":"prod","workload":"web"},
              "verdict":{"action":"allow","reason":"route","rule":"a/b"},
              "nat":{"egress":"e","src_ip":"2001:db8:113::8","src_port":6000}},
    "sent":[{"port":"outside","proto":"UDP","src_ip":"2001:db8:113::8","src_port":6000,"dest_ip":"2001:db8::7",
             "dest_port":443,"length":1300}],"sent_besides":2,"outcome":"forwarded","reasons":{}})");
  const std::string text = trace_text(forwarded, plain);
  for (const char* line :
       {"UDP [fd00::1]:5000 > [2001:db8::7]:443 1300 bytes, in by inside\n", "    source       prod/web\n",
        "    name         httpbin.org (quic)\n", "    policy       allow (route) by a/b\n",
        "    translation  [2001:db8:113::8]:6000 (egress e)\n", ", by outside\n", "    out          2 more\n",
        "    outcome      forwarded\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  }
  EXPECT_EQ(trace_comment(forwarded),
            "forwarded; allow (route) by a/b; httpbin.org (quic); as [2001:db8:113::8]:6000 (egress e)");
}

TEST(TraceText, WhatWaitsSaysSoAndNobodyClaimsAVerdict) {
  Json waiting = denied;
  waiting["flow"] = {{"before", "waiting"}, {"after", "waiting"}};
  waiting["outcome"] = "held";
  waiting["reasons"] = Json::object();
  const std::string text = trace_text(waiting, plain);
  EXPECT_NE(text.find("known and waiting"), std::string::npos);
  EXPECT_NE(text.find("waits for the name"), std::string::npos);
  EXPECT_EQ(text.find("deny"), std::string::npos) << text;
}

TEST(TraceText, WhatAPeerSentSteersNoTerminal) {
  Json evil = denied;
  evil["record"]["app_proto"] = "tls";
  evil["record"]["tls"]["sni"] =
      "a\x1b[2J\xc2\x9b"
      "b\n";
  const std::string text = trace_text(evil, plain);
  EXPECT_NE(text.find("a?[2J??b? (tls)"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(TraceText, AnswersOfAnotherVersionAreNoHarm) {
  for (const char* line :
       {"{}", "null", "[]", "5", R"({"received":5,"record":[],"sent":{"a":1},"steps":7,"reasons":[]})"}) {
    const Json sighting = Json::parse(line);
    EXPECT_FALSE(trace_text(sighting, plain).empty());
    (void)trace_comment(sighting);
  }
}

}  // namespace
}  // namespace sallyport
