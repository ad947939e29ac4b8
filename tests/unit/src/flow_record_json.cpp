#include "src/flow_record_json.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "src/port_record_json.h"

namespace sallyport {
namespace {

using classifier::Layer;
using classifier::Reason;
using dataplane::AppProtocol;
using dataplane::FlowEnd;
using dataplane::FlowPhase;
using dataplane::FlowRecord;
using dataplane::IpProtocol;

constexpr std::uint16_t network_order(std::uint16_t port) {
  return static_cast<std::uint16_t>((port << 8U) | (port >> 8U));
}

void set_name(FlowRecord& record, std::string_view name) {
  std::copy(name.begin(), name.end(), record.name.begin());
  record.name_length = static_cast<std::uint16_t>(name.size());
}

std::string text_of(const FlowRecord& record, const classifier::Identities& identities) {
  JsonBuffer out;
  append_json(out, record, identities);
  return fmt::to_string(out);
}

std::string quoted(std::string_view bytes) {
  JsonBuffer out;
  append_json_string(out, bytes);
  return fmt::to_string(out);
}

// The record of the example in the documentation.
FlowRecord example(classifier::Identities& identities) {
  FlowRecord record;
  record.id = 123;
  record.written_ns = 1767323045'678901'234;  // 2026-01-02T03:04:05.678901234
  record.start_ns = 1767323040'000000'000;
  record.end_ns = 1767323045'000001'999;
  record.inside.source = parse_address("10.1.2.3")->bytes;
  record.inside.destination = parse_address("198.51.100.7")->bytes;
  record.inside.source_port = network_order(41000);
  record.inside.destination_port = network_order(443);
  record.translated = true;
  record.nat_address = *parse_address("203.0.113.8");
  record.nat_port = network_order(41000);
  record.phase = FlowPhase::closed;
  record.end = FlowEnd::fin;
  record.allowed = true;
  record.reason = Reason::route;
  record.layer = Layer::egress_network;
  record.app = AppProtocol::tls;
  record.rule = identities.intern("linkerd-egress/tls-egress");
  record.network = identities.intern("linkerd-egress/all-egress-traffic");
  record.namespace_name = identities.intern("prod");
  record.workload = identities.intern("web");
  record.egress = identities.intern("egress-web");
  record.packets = {9, 8};
  record.bytes = {1200, 5400};
  set_name(record, "httpbin.org");
  return record;
}

TEST(FlowRecordJson, IsTheDocumentedExample) {
  classifier::Identities identities;
  EXPECT_EQ(
      text_of(example(identities), identities),
      R"({"timestamp":"2026-01-02T03:04:05.678901+0000","flow_id":123,"event_type":"flow",)"
      R"("src_ip":"10.1.2.3","src_port":41000,"dest_ip":"198.51.100.7","dest_port":443,"proto":"TCP","app_proto":"tls",)"
      R"("tls":{"sni":"httpbin.org"},)"
      R"("flow":{"pkts_toserver":9,"pkts_toclient":8,"bytes_toserver":1200,"bytes_toclient":5400,)"
      R"("start":"2026-01-02T03:04:00.000000+0000","end":"2026-01-02T03:04:05.000001+0000","state":"closed","reason":"fin"},)"
      R"("verdict":{"action":"allow","reason":"route","layer":"egress_network","rule":"linkerd-egress/tls-egress","network":"linkerd-egress/all-egress-traffic"},)"
      R"("source":{"namespace":"prod","workload":"web"},)"
      R"("nat":{"egress":"egress-web","src_ip":"203.0.113.8","src_port":41000}})");
}

TEST(FlowRecordJson, LeavesOutWhatIsNotKnown) {
  const classifier::Identities identities;
  const auto json = nlohmann::json::parse(text_of(FlowRecord{}, identities));
  for (const char* key : {"app_proto", "tls", "quic", "http", "source", "nat"}) EXPECT_FALSE(json.contains(key)) << key;
  EXPECT_EQ(json["verdict"].size(), 2U);
  EXPECT_EQ(json["verdict"]["action"], "deny");
  EXPECT_EQ(json["verdict"]["reason"], "uncaptured");
  EXPECT_EQ(json["flow"]["state"], "new");
  EXPECT_FALSE(json["flow"].contains("reason"));
  EXPECT_EQ(json["timestamp"], "1970-01-01T00:00:00.000000+0000");
}

TEST(FlowRecordJson, WhatWaitsForItsNameIsNotDenied) {
  classifier::Identities identities;
  FlowRecord record;
  record.waiting = true;
  record.layer = Layer::egress_network;
  record.network = identities.intern("prod/all");
  const auto json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["verdict"],
            (nlohmann::json{{"action", "waiting"}, {"layer", "egress_network"}, {"network", "prod/all"}}));
}

TEST(FlowRecordJson, SnatWithoutEgressHasNoEgressName) {
  classifier::Identities identities;
  FlowRecord record = example(identities);
  record.egress = 0;
  record.workload = 0;
  const auto json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["nat"], (nlohmann::json{{"src_ip", "203.0.113.8"}, {"src_port", 41000}}));
  EXPECT_EQ(json["source"], (nlohmann::json{{"namespace", "prod"}}));
}

TEST(FlowRecordJson, NamesTheProtocols) {
  classifier::Identities identities;
  FlowRecord record = example(identities);
  record.app = AppProtocol::unknown;
  for (const auto& [protocol, text] : {std::pair{IpProtocol::icmp, "ICMP"},
                                       {IpProtocol::tcp, "TCP"},
                                       {IpProtocol::udp, "UDP"},
                                       {IpProtocol::icmp6, "IPv6-ICMP"},
                                       {IpProtocol::sctp, "SCTP"},
                                       {dataplane::gre, "GRE"},
                                       {dataplane::esp, "ESP"},
                                       {IpProtocol{99}, "99"}}) {
    record.inside.protocol = protocol;
    EXPECT_EQ(nlohmann::json::parse(text_of(record, identities))["proto"], text);
  }
  record.inside.protocol = IpProtocol::icmp6;
  record.inside.family = Family::v6;
  record.inside.source = parse_address("fd00:1:2::7")->bytes;
  const auto json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["src_ip"], "fd00:1:2::7");
  EXPECT_EQ(json["icmp_type"], 128);
}

TEST(FlowRecordJson, RecordsOfPortsAreLinesOfTheirOwn) {
  classifier::Identities identities;
  FlowRecord record = example(identities);
  record.kind = dataplane::RecordKind::ports_given;
  record.nat_port = __builtin_bswap16(40960);
  record.ports = 512;
  auto json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["event_type"], "nat_port_block");
  EXPECT_EQ(json["port_block"], (nlohmann::json{{"action", "allocated"},
                                                {"nat_event", 16},
                                                {"src_ip", "203.0.113.8"},
                                                {"first_port", 40960},
                                                {"last_port", 41471}}));
  EXPECT_EQ(json["source"]["namespace"], "prod");
  record.kind = dataplane::RecordKind::ports_taken_back;
  EXPECT_EQ(nlohmann::json::parse(text_of(record, identities))["port_block"]["nat_event"], 17);
  record.kind = dataplane::RecordKind::ports_running_out;
  record.ports_of = 640;
  json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["event_type"], "nat_ports_high");
  EXPECT_EQ(json["port_load"]["used"], 512);
  EXPECT_EQ(json["port_load"]["of"], 640);
  EXPECT_EQ(json["port_load"]["src_ip"], "203.0.113.8");
  EXPECT_NE(ports_running_out_text(record).find("512 of 640"), std::string::npos);
}

TEST(FlowRecordJson, PutsTheNameWhereItsProtocolHasIt) {
  classifier::Identities identities;
  FlowRecord record = example(identities);
  record.app = AppProtocol::quic;
  record.ech = true;
  record.quic_version = 1;
  auto json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["quic"], (nlohmann::json{{"sni", "httpbin.org"}, {"version", "1"}, {"ech", true}}));
  record.quic_version = 0x51303436;
  EXPECT_EQ(nlohmann::json::parse(text_of(record, identities))["quic"]["version"], "Q046");
  record.quic_version = 0x6b3343cf;
  EXPECT_EQ(nlohmann::json::parse(text_of(record, identities))["quic"]["version"], "6b3343cf");
  record.app = AppProtocol::http2;
  record.ech = false;
  json = nlohmann::json::parse(text_of(record, identities));
  EXPECT_EQ(json["app_proto"], "http2");
  EXPECT_EQ(json["http"], (nlohmann::json{{"hostname", "httpbin.org"}}));
}

TEST(FlowRecordJson, EchStandsOnlyWhereItIs) {
  classifier::Identities identities;
  FlowRecord record = example(identities);
  EXPECT_FALSE(nlohmann::json::parse(text_of(record, identities))["tls"].contains("ech"));
  record.ech = true;
  EXPECT_EQ(nlohmann::json::parse(text_of(record, identities))["tls"]["ech"], true);
  record.name_length = 0;
  EXPECT_EQ(nlohmann::json::parse(text_of(record, identities))["tls"], (nlohmann::json{{"ech", true}}));
}

// Case 58: a name may hold NUL, blanks and bytes over 0x7f.
TEST(FlowRecordJson, Case58AnyNameGivesValidJson) {
  classifier::Identities identities;
  FlowRecord record = example(identities);
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string name{'a', static_cast<char>(first), static_cast<char>(second), 'b'};
      ASSERT_TRUE(nlohmann::json::accept(quoted(std::string_view(name)))) << first << ' ' << second;
    }
    set_name(record, std::string{'a', static_cast<char>(first), 'b'});
    ASSERT_TRUE(nlohmann::json::accept(text_of(record, identities))) << first;
  }
}

TEST(FlowRecordJson, EscapesWhatIsNoText) {
  EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted(std::string_view("a\0b\x1f\x7f\n", 6)), R"("a\u0000b\u001f\u007f\u000a")");
  EXPECT_EQ(quoted("m\xc3\xbcnchen"), "\"m\xc3\xbcnchen\"");
  EXPECT_EQ(quoted("\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(quoted("a\xc2\x85\xc2\x9b\xc2\xa0"), "\"a\\u0085\\u009b\xc2\xa0\"") << "C1 controls";
  EXPECT_EQ(quoted("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"), "\"\xe2\x80\xa7\\u2028\\u2029\"") << "line separators";
  EXPECT_EQ(quoted("m\xfcnchen"), R"("m\u00fcnchen")");
  EXPECT_EQ(quoted("\xc0\xaf"), R"("\u00c0\u00af")") << "overlong";
  EXPECT_EQ(quoted("\xed\xa0\x80"), R"("\u00ed\u00a0\u0080")") << "a surrogate";
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"), R"("\u00f4\u0090\u0080\u0080")") << "past U+10FFFF";
  EXPECT_EQ(quoted("\xe2\x82"), R"("\u00e2\u0082")") << "cut off";
}

TEST(FlowRecordJson, TimesRunToTheEndOfTheirRange) {
  JsonBuffer out;
  append_json_time(out, 1709164799'999999'999);
  EXPECT_EQ(fmt::to_string(out), "\"2024-02-28T23:59:59.999999+0000\"");
  out.clear();
  append_json_time(out, 1709164800'000000'000);
  EXPECT_EQ(fmt::to_string(out), "\"2024-02-29T00:00:00.000000+0000\"");
  out.clear();
  append_json_time(out, ~std::uint64_t{0});
  EXPECT_EQ(fmt::to_string(out), "\"2554-07-21T23:34:33.709551+0000\"");
}

}  // namespace
}  // namespace sallyport
