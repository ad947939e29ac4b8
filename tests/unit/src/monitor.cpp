// What the metrics page and the status page are made of, without a gateway.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/monitor/history.h"
#include "src/monitor/metrics.h"
#include "src/monitor/refusals.h"
#include "src/monitor/status_page.h"
#include "src/monitor/web_server.h"

namespace sallyport {
namespace {

using testing::HasSubstr;
using testing::Not;

Figures figures() {
  Figures figures;
  figures.name = "egress-1";
  auto live = std::make_shared<LivePolicy>();
  live->identities = std::make_shared<classifier::Identities>();
  figures.live = std::move(live);
  figures.workers.resize(2);
  figures.ports.resize(1);
  figures.ports[0].name = "inside";
  return figures;
}

dataplane::FlowRecord denied(std::string_view name) {
  dataplane::FlowRecord flow;
  flow.reason = classifier::Reason::name_not_allowed;
  flow.inside.source = parse_address("10.0.0.0")->bytes;
  flow.name_length = static_cast<std::uint16_t>(name.copy(flow.name.data(), flow.name.size()));
  return flow;
}

TEST(History, IsRatesOfWhatWasAdded) {
  History history;
  dataplane::CounterSums sums;
  history.add(sums, 100.0);
  EXPECT_TRUE(history.samples().empty());
  sums.received = 500;
  sums.ports[0].received_bytes = 1000;
  sums.flows_allowed = 4;
  sums.flows_denied = 2;
  history.add(sums, 102.0);
  ASSERT_EQ(history.samples().size(), 1U);
  const History::Sample sample = history.samples()[0];
  EXPECT_DOUBLE_EQ(sample.packets, 250);
  EXPECT_DOUBLE_EQ(sample.bits, 4000);
  EXPECT_DOUBLE_EQ(sample.allowed, 2);
  EXPECT_DOUBLE_EQ(sample.denied, 1);
}

TEST(History, KeepsTheLastMinutes) {
  History history;
  dataplane::CounterSums sums;
  for (std::size_t i = 0; i < 2 * History::seconds_max; ++i) {
    sums.received += i;
    history.add(sums, static_cast<double>(i));
  }
  const auto samples = history.samples();
  ASSERT_EQ(samples.size(), History::seconds_max);
  EXPECT_DOUBLE_EQ(samples.front().packets, History::seconds_max);
  EXPECT_DOUBLE_EQ(samples.back().packets, 2 * History::seconds_max - 1);
}

using TextCounts = TopCounts<std::string, std::hash<std::string>, std::equal_to<>>;

TEST(TopCounts, NeverMissWhatIsFrequent) {
  TextCounts counts(10);
  for (int round = 0; round < 1000; ++round) {
    counts.add(std::string("often"));
    counts.add("once " + std::to_string(round));
    if (round % 2 == 0) counts.add(std::string("half"));
  }
  constexpr std::uint64_t too_low = 2500 / 11;
  const auto top = counts.top(2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].first, "often");
  EXPECT_LE(top[0].second, 1000U);
  EXPECT_GE(top[0].second, 1000U - too_low);
  EXPECT_EQ(top[1].first, "half");
  EXPECT_LE(top[1].second, 500U);
  EXPECT_GE(top[1].second, 500U - too_low);
  EXPECT_LE(counts.top(100).size(), 10U);
}

TEST(TopCounts, AreExactWhileThereIsRoom) {
  TextCounts counts(10);
  for (int i = 0; i < 10; ++i) {
    for (int j = 0; j <= i; ++j) counts.add(std::to_string(i));
  }
  const auto top = counts.top(10);
  ASSERT_EQ(top.size(), 10U);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(top[i], std::make_pair(std::to_string(9 - i), 10 - i));
}

TEST(Refusals, AreTheLastOnesAndCounted) {
  const auto identities = std::make_shared<const classifier::Identities>();
  Refusals refusals;
  dataplane::FlowRecord allowed = denied("good.example");
  allowed.allowed = true;
  refusals.add(allowed, identities);
  EXPECT_TRUE(refusals.last().empty());
  for (std::size_t i = 0; i <= Refusals::last_max; ++i)
    refusals.add(denied(i == 0 ? "first.example" : "bad.example"), identities);
  const auto last = refusals.last();
  ASSERT_EQ(last.size(), Refusals::last_max);
  EXPECT_EQ(last.back().name, "bad.example");
  EXPECT_EQ(last[0].reason, "name_not_allowed");
  ASSERT_EQ(refusals.names(1).size(), 1U);
  EXPECT_EQ(refusals.names(1)[0].what, "bad.example");
  EXPECT_EQ(refusals.names(1)[0].flows, Refusals::last_max);
  EXPECT_EQ(refusals.sources(1)[0].what, "10.0.0.0");
}

TEST(Html, EscapesWhatWasSeenOnTheWire) {
  EXPECT_EQ(html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
  EXPECT_EQ(html("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(html("a\x01\x7f\r"), "a???");
  for (const std::string_view broken :
       {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f"}) {
    EXPECT_EQ(html(broken).find_first_not_of('?'), std::string::npos) << html(broken);
  }
}

TEST(StatusPage, ShowsARefusedNameAsText) {
  const auto identities = std::make_shared<const classifier::Identities>();
  Refusals refusals;
  refusals.add(denied("<img src=x>"), identities);
  const std::string page = status_page(figures(), {{1e9, 2, 3, 4}}, refusals);
  EXPECT_THAT(page, HasSubstr("&lt;img src=x&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("no valid policy: nothing is forwarded"));
  EXPECT_THAT(page, HasSubstr("1.00 Gbit/s"));
}

TEST(StatusPage, ExplainEchoesItsFormAsText) {
  const std::string page = explain_page({"\"><script>", "", "", "udp", ""}, "<b>");
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(page, HasSubstr("<option selected>udp"));
}

TEST(Metrics, HaveValuesAndLabels) {
  Figures all = figures();
  all.sums.received = 12345678901234;
  all.sums.denied_by_reason[static_cast<std::size_t>(classifier::Reason::no_name)] = 7;
  all.fullest.server.used = 1;
  all.fullest.server.of = 4;
  all.workers[1].status.busy_cycles = 99;
  all.rules = {{0, 5, 0}};
  const std::string text = metrics_text(all, "1.2.3");
  EXPECT_THAT(text, HasSubstr("# TYPE sallyport_received_packets_total counter\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_received_packets_total 12345678901234\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_flows_denied_total{reason=\"no_name\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_egress_ports_used_ratio{of=\"server\"} 0.25\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_worker_busy_cycles_total{worker=\"1\"} 99\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_rule_flows_total{rule=\"(others)\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_build_info{version=\"1.2.3\",name=\"egress-1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_policy_loaded 0\n"));
}

TEST(Metrics, OfEgressAddressesAreBounded) {
  Figures all = figures();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    dataplane::AddressLoad& load = all.addresses.emplace_back();
    load.address = IpAddress::from_v4(0xcb007100U + i);
    load.ports = {i + 1, 2, 0};
    load.fullest.used = 1;
    load.fullest.of = 4;
  }
  const std::string text = metrics_text(all, "1.2.3");
  EXPECT_THAT(text, HasSubstr("sallyport_egress_addresses_used 1000\n"));
  EXPECT_THAT(text,
              HasSubstr("sallyport_egress_address_ports_used{address=\"203.0.116.231\",protocol=\"tcp\"} 1000\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_egress_address_ports_used{address=\"(others)\",protocol=\"udp\"} 1872\n"));
  EXPECT_THAT(text, HasSubstr("sallyport_egress_address_fullest_server_ratio{address=\"(others)\"} 0.25\n"));
  std::size_t series = 0;
  for (std::size_t at = 0; (at = text.find("_ports_used{", at)) != std::string::npos; ++at) ++series;
  EXPECT_EQ(series, 3 * 65U);
}

TEST(Metrics, NamesThatWereMissedAreThoseThatNeverCame) {
  Figures all = figures();
  all.sums.denied_by_reason[static_cast<std::size_t>(classifier::Reason::no_name)] = 7;
  all.sums.denied_by_reason[static_cast<std::size_t>(classifier::Reason::hello_timeout)] = 2;
  all.sums.denied_by_reason[static_cast<std::size_t>(classifier::Reason::name_not_allowed)] = 100;
  EXPECT_THAT(metrics_text(all, "1.2.3"), HasSubstr("sallyport_names_missed_total 9\n"));
}

TEST(FormValue, IsDecoded) {
  EXPECT_EQ(form_value("from=10.0.0.1&host=a%2Eb+c&empty=", "host"), "a.b c");
  EXPECT_EQ(form_value("from=10.0.0.1", "fro"), "");
  EXPECT_EQ(form_value("", "from"), "");
  EXPECT_EQ(form_value("from=" + std::string(5000, 'x'), "from"), "");
}

}  // namespace
}  // namespace sallyport
