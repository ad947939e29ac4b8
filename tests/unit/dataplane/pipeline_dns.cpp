// Names learned from DNS, and what they let pass (corner cases 105 and 108).
#include "dataplane/flow/dns_book.h"
#include "dataplane/flow/name_bindings.h"
#include "tests/unit/classifier/names_dns_builder.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using classifier::names::dns_a;
using classifier::names::dns_answer_flags;
using classifier::names::dns_cname;
using classifier::names::dns_query_flags;
using classifier::names::DnsMessage;
using wire::Tcp;

const End pod{"10.1.2.3", 40000};
const End resolver{"192.0.2.53", 53};
const End database{"198.51.100.7", 5432};
const Frame its_address{198, 51, 100, 7};

// The sender may ask the resolver, and connect to what "db.example.com" is.
std::string by_domain(std::string_view domains = R"(["db.example.com"])", std::string_view more = {}) {
  return std::string(allow_all) + R"([dns]
trusted_servers = ["192.0.2.53"]
[[namespace]]
name = "shop"
addresses = ["10.1.0.0/16"]
[[network_policy]]
namespace = "shop"
name = "names"
pod_selector = {}
  [[network_policy.egress]]
  ports = [ { protocol = "UDP", port = 53 }, { port = 53 } ]
  [[network_policy.egress]]
  to = [ { domains = )" +
         std::string(domains) + R"( } ]
  ports = [ { port = 5432 } ]
)" + std::string(more);
}

Frame query(std::string_view name = "db.example.com", std::uint16_t id = 7) {
  return DnsMessage(id, dns_query_flags).question(name).opt().bytes();
}
Frame answer(std::string_view name = "db.example.com", std::uint16_t id = 7, std::uint32_t ttl = 60) {
  return DnsMessage(id, dns_answer_flags).question(name).answer(dns_a, ttl, its_address).opt().bytes();
}

class PipelineDns : public testing::Test {
 protected:
  // The query goes out, and the answer comes to where it came from.
  void resolve(const Frame& asked = query(), const Frame& said = answer(), const End& from = resolver) {
    const auto out = g.from_inside(udp(pod, resolver, asked));
    ASSERT_EQ(out.outside.size(), 1U);
    seen_ = look_at(out.outside[0]);
    hear(said, from);
  }
  void hear(const Frame& said, const End& from = resolver) {
    (void)g.from_outside(udp(from, End(seen_.from(), seen_.from_port()), said));
  }
  // A new connection every time.
  [[nodiscard]] bool connects(const End& to = database) {
    return !g.from_inside(tcp(End("10.1.2.3", ++port_), to, Tcp::syn)).outside.empty();
  }
  [[nodiscard]] std::uint64_t counted(DnsEvent event) const {
    return g.pipeline.counters().dns[static_cast<std::size_t>(event)].get();
  }

  Gateway g{by_domain()};

 private:
  Seen seen_;
  std::uint16_t port_ = 41000;
};

TEST_F(PipelineDns, AnAddressIsReachedOnceItsNameIsBoundToIt) {
  EXPECT_FALSE(connects());
  resolve();
  EXPECT_TRUE(connects());
  EXPECT_FALSE(connects(End("198.51.100.8", 5432))) << "another address";
  EXPECT_FALSE(connects(End("198.51.100.7", 443))) << "another port";
  EXPECT_EQ(counted(DnsEvent::answers_learned), 1U);
  EXPECT_EQ(g.snapshot.names->names(), 1U);
}

TEST_F(PipelineDns, Case108ABindingLivesForItsTtlAndConnectionsOutliveIt) {
  resolve();
  const End old_connection{"10.1.2.3", 40999};
  ASSERT_EQ(g.from_inside(tcp(old_connection, database, Tcp::syn)).outside.size(), 1U);
  (void)g.wait_ms(59'900);
  EXPECT_TRUE(connects());
  (void)g.wait_ms(200);
  EXPECT_FALSE(connects());
  const auto more = [&] {
    return g.from_inside(tcp(old_connection, database, Tcp::ack, {.seq = 1001})).outside.size();
  };
  EXPECT_EQ(more(), 1U);
  // Asked again by the next policy it goes on, though its name is bound no longer; but not without its domain.
  g.reload(by_domain(R"(["other.example", "db.example.com"])"));
  EXPECT_EQ(more(), 1U);
  EXPECT_FALSE(connects());
  g.reload(by_domain(R"(["other.example"])"));
  EXPECT_EQ(more(), 1U) << "the reset to the server";
  EXPECT_EQ(g.dropped(Drop::policy_removed), 1U);
}

TEST_F(PipelineDns, BindingsOutliveTheirPolicy) {
  resolve();
  g.reload(by_domain(R"(["*.example.com"])"));
  EXPECT_TRUE(connects()) << "known before this policy asked for it";
  g.reload(by_domain(R"(["db.example.org"])"));
  EXPECT_FALSE(connects());
}

TEST_F(PipelineDns, Case108TtlZeroLivesForASecond) {
  resolve(query(), answer("db.example.com", 7, 0));
  EXPECT_TRUE(connects());
  (void)g.wait_ms(1'100);
  EXPECT_FALSE(connects());
}

TEST_F(PipelineDns, ExtraTtlIsAdded) {
  g.reload(by_domain(R"(["db.example.com"])") + "\n");
  std::string longer = by_domain();
  longer.replace(longer.find("[dns]\n"), 6, "[dns]\nextra_ttl = \"30s\"\n");
  g.reload(longer);
  resolve();
  (void)g.wait_ms(89'000);
  EXPECT_TRUE(connects());
  (void)g.wait_ms(2'000);
  EXPECT_FALSE(connects());
}

TEST_F(PipelineDns, Case108AnswersThatNobodyAskedForAreNotLearned) {
  resolve(query(), answer("db.example.com", 8));
  EXPECT_FALSE(connects()) << "another id";
  resolve(query("www.example.com", 9), answer("db.example.com", 9));
  EXPECT_FALSE(connects()) << "another question";
  resolve(query("DB.example.com", 10), answer("db.example.com", 10));
  EXPECT_FALSE(connects()) << "another spelling: whoever asks so wants to see it again";
  EXPECT_EQ(counted(DnsEvent::answers_unasked), 3U);
  hear(query(), resolver);
  EXPECT_EQ(counted(DnsEvent::answers_unasked), 4U) << "a query from the server";
  EXPECT_FALSE(connects());
}

TEST_F(PipelineDns, Case108OnlyTheFirstAnswerCounts) {
  resolve();
  hear(DnsMessage(7, dns_answer_flags).question("db.example.com").answer(dns_a, 60, {198, 51, 100, 66}).bytes());
  EXPECT_FALSE(connects(End("198.51.100.66", 5432)));
  EXPECT_EQ(counted(DnsEvent::answers_unasked), 1U);
}

TEST_F(PipelineDns, Case108AnAnswerThatComesLateIsNotLearned) {
  resolve(query(), {1, 2, 3});
  EXPECT_EQ(counted(DnsEvent::answers_malformed), 1U);
  (void)g.wait_ms(PendingQueries::timeout_ms);
  hear(answer());
  EXPECT_FALSE(connects());
}

TEST_F(PipelineDns, Case108AnotherServerIsNotListenedTo) {
  const End other{"192.0.2.99", 53};
  const Seen asked = look_at(g.from_inside(udp(pod, other, query())).outside.at(0));
  EXPECT_EQ(g.from_outside(udp(other, End(asked.from(), asked.from_port()), answer())).inside.size(), 1U);
  EXPECT_FALSE(connects());
  resolve(query(), answer(), other);
  EXPECT_FALSE(connects()) << "it has no flow to answer on";
  EXPECT_EQ(g.snapshot.names->names(), 0U);
}

TEST_F(PipelineDns, Case108TheCaseOfLettersDoesNotMatter) {
  resolve(query("dB.ExAmPlE.cOm"), answer("dB.ExAmPlE.cOm"));
  EXPECT_TRUE(connects());
}

TEST_F(PipelineDns, Case108AliasesCountInsideOneAnswerOnly) {
  resolve(query(), DnsMessage(7, dns_answer_flags)
                       .question("db.example.com")
                       .answer("shard.cloud.example", dns_a, 60, its_address)
                       .answer("db.example.com", dns_cname, 60, DnsMessage::name("shard.cloud.example"))
                       .bytes());
  EXPECT_TRUE(connects());
}

TEST_F(PipelineDns, Case108AliasesOfTwoAnswersAreNotPutTogether) {
  resolve(query(), DnsMessage(7, dns_answer_flags)
                       .question("db.example.com")
                       .answer("db.example.com", dns_cname, 60, DnsMessage::name("shard.cloud.example"))
                       .bytes());
  resolve(query("shard.cloud.example", 8), answer("shard.cloud.example", 8));
  EXPECT_FALSE(connects());
}

TEST_F(PipelineDns, Case108AHundredAddresses) {
  DnsMessage many = DnsMessage(7, dns_answer_flags).question("db.example.com");
  for (int i = 0; i < 100; ++i) many.answer(dns_a, 60, {198, 51, 100, static_cast<std::uint8_t>(100 + i)});
  resolve(query(), many.bytes());
  EXPECT_TRUE(connects(End("198.51.100.100", 5432)));
  EXPECT_TRUE(connects(End("198.51.100.199", 5432)));
  EXPECT_EQ(counted(DnsEvent::bindings_learned), 100U);
}

TEST_F(PipelineDns, NamesMaxIsCountedAndKeepsTheOld) {
  std::string few = by_domain();
  few.replace(few.find("[dns]\n"), 6, "[dns]\nnames_max = 1\n");
  g.reload(few);
  resolve();
  resolve(query("www.example.com", 8), answer("www.example.com", 8));
  EXPECT_EQ(counted(DnsEvent::bindings_refused), 1U);
  EXPECT_TRUE(connects());
}

TEST_F(PipelineDns, RecordsSayDns) {
  resolve();
  g.pipeline.finish(g.now, g.snapshot);
  ASSERT_FALSE(g.world.records.empty());
  for (const FlowRecord& record : g.world.records) {
    EXPECT_EQ(record.app == AppProtocol::dns, record.inside.destination_port == wire::Be16(53).raw());
  }
}

// ---- over TCP ----

TEST_F(PipelineDns, Case108OverTcpInPiecesAndOutOfOrder) {
  const Frame asked = classifier::names::with_dns_length(query());
  const Frame said = classifier::names::with_dns_length(answer());
  const auto cut = [](const Frame& whole, std::size_t from, std::size_t to) {
    return Frame(whole.begin() + static_cast<std::ptrdiff_t>(from), whole.begin() + static_cast<std::ptrdiff_t>(to));
  };
  Client client(g, pod, resolver);
  client.connect();
  EXPECT_EQ(client.send(1, cut(asked, 1, asked.size())).outside.size(), 1U);
  EXPECT_EQ(client.send(0, cut(asked, 0, 1)).outside.size(), 1U);
  EXPECT_EQ(client.server_sends(20, cut(said, 20, said.size())).inside.size(), 1U);
  EXPECT_FALSE(connects());
  EXPECT_EQ(client.server_sends(0, cut(said, 0, 20)).inside.size(), 1U);
  EXPECT_TRUE(connects()) << "at the latest when the client has the whole of it";
}

// Sequence numbers begin anywhere.
TEST_F(PipelineDns, OverTcpFromAServerThatBeginsAtZero) {
  using wire::Tcp;
  const Seen syn = look_at(g.from_inside(tcp(pod, resolver, Tcp::syn, {.seq = 1000})).outside.at(0));
  const End seen(syn.from(), syn.from_port());
  (void)g.from_outside(tcp(resolver, seen, Tcp::syn | Tcp::ack, {.seq = 0xffffffffU, .ack = 1001}));
  const Frame asked = classifier::names::with_dns_length(query()), said = classifier::names::with_dns_length(answer());
  (void)g.from_inside(tcp(pod, resolver, Tcp::ack, {.seq = 1001, .ack = 0, .payload = asked}));
  (void)g.from_outside(tcp(resolver, seen, Tcp::ack, {.seq = 0, .ack = 1001, .payload = said}));
  EXPECT_TRUE(connects());
  EXPECT_EQ(counted(DnsEvent::streams_lost), 0U);
}

TEST_F(PipelineDns, OverTcpSeveralOnOneConnection) {
  Client client(g, pod, resolver);
  client.connect();
  const Frame first = classifier::names::with_dns_length(query("www.example.com", 1));
  Frame both = first;
  const Frame second = classifier::names::with_dns_length(query("db.example.com", 2));
  both.insert(both.end(), second.begin(), second.end());
  (void)client.send(0, both);
  Frame answers = classifier::names::with_dns_length(answer("db.example.com", 2));
  const Frame other = classifier::names::with_dns_length(answer("www.example.com", 1));
  answers.insert(answers.end(), other.begin(), other.end());
  (void)client.server_sends(0, answers);
  EXPECT_TRUE(connects());
  EXPECT_EQ(counted(DnsEvent::answers_learned), 2U);
}

TEST_F(PipelineDns, OverTcpWhatNobodyAskedForIsNotLearned) {
  Client client(g, pod, resolver);
  client.connect();
  (void)client.send(0, classifier::names::with_dns_length(query("www.example.com", 1)));
  (void)client.server_sends(0, classifier::names::with_dns_length(answer("db.example.com", 1)));
  EXPECT_FALSE(connects());
  EXPECT_EQ(counted(DnsEvent::answers_unasked), 1U);
}

TEST_F(PipelineDns, OverTcpWhatIsOutOfStepIsReadNoFurther) {
  Client client(g, pod, resolver);
  client.connect();
  (void)client.send(0, classifier::names::with_dns_length(query()));
  (void)client.server_sends(0, {0, 0});
  EXPECT_EQ(counted(DnsEvent::streams_lost), 1U);
  EXPECT_EQ(client.server_sends(2, classifier::names::with_dns_length(answer())).inside.size(), 1U) << "it passes";
  EXPECT_FALSE(connects());
}

// ---- server_name_binding ----

constexpr const char* binding = R"(
[dns]
trusted_servers = ["192.0.2.53"]
[defaults]
server_name_binding = ")";

class PipelineNameBinding : public PipelineDns {
 protected:
  void demand(std::string_view manner, std::string_view policy = allow_all) {
    g.reload(std::string(policy) + binding + std::string(manner) + "\"\n");
  }
  static Frame hello(std::string_view name) {
    return classifier::names::records(classifier::names::browser_hello(name).message(), 16384);
  }
  // What of the hello reaches the server.
  Gateway::Out say_hello(std::string_view name, const End& to, std::uint16_t port, std::size_t cut = 0) {
    Client client(g, End("10.1.2.3", port), to);
    client.connect();
    const Frame whole = hello(name);
    const auto middle = whole.begin() + static_cast<std::ptrdiff_t>(cut);
    if (cut != 0) {
      EXPECT_TRUE(client.send(0, Frame(whole.begin(), middle)).silent()) << "it waits";
    }
    return client.send(static_cast<std::uint32_t>(cut), Frame(middle, whole.end()));
  }
  [[nodiscard]] bool reaches(std::string_view name, const End& to, std::uint16_t port, std::size_t cut = 0) {
    const auto out = say_hello(name, to, port, cut);
    return !out.outside.empty() && look_at(out.outside[0]).parsed.payload_bytes != 0;
  }

  const End right{"198.51.100.7", 443};
  const End wrong{"198.51.100.8", 443};
};

TEST_F(PipelineNameBinding, Case105TheRightNameAtAnotherAddressIsDenied) {
  for (const char* policy : {allow_all, httpbin_only}) {
    demand("deny", policy);
    if (policy == allow_all) resolve(query("httpbin.org"), answer("httpbin.org"));
    const std::uint16_t port = policy == allow_all ? 50000 : 51000;
    EXPECT_TRUE(reaches("httpbin.org", right, port));
    EXPECT_FALSE(reaches("httpbin.org", wrong, static_cast<std::uint16_t>(port + 1)));
    EXPECT_EQ(g.world.records.back().reason, Reason::name_not_bound);
    EXPECT_FALSE(g.world.records.back().allowed);
    EXPECT_FALSE(reaches("httpbin.org", wrong, static_cast<std::uint16_t>(port + 2), 100)) << "in pieces";
    EXPECT_TRUE(reaches("httpbin.org", right, static_cast<std::uint16_t>(port + 3), 100));
  }
  EXPECT_EQ(counted(DnsEvent::names_not_bound), 4U);
}

TEST_F(PipelineNameBinding, WhatShowsNoNamePasses) {
  demand("deny");
  EXPECT_EQ(g.from_inside(udp(pod, End("198.51.100.8", 7000))).outside.size(), 1U);
  Client client(g, pod, wrong);
  client.connect();
  const std::string banner = "SSH-2.0-client\r\n";
  EXPECT_EQ(client.send(0, Frame(banner.begin(), banner.end())).outside.size(), 1U);
}

TEST_F(PipelineNameBinding, WhatGoesThroughAProxyIsAtTheProxysAddress) {
  demand("deny");
  Client client(g, pod, End("198.51.100.8", 3128));
  client.connect();
  const std::string request = "CONNECT httpbin.org:443 HTTP/1.1\r\nHost: httpbin.org:443\r\n\r\n";
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_EQ(client.send(0, Frame(request.begin(), request.end())).outside.size(), 1U);
  EXPECT_EQ(client.server_sends(0, Frame(answer.begin(), answer.end())).inside.size(), 1U);
  const auto out = client.send(static_cast<std::uint32_t>(request.size()), hello("httpbin.org"));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_NE(look_at(out.outside[0]).parsed.payload_bytes, 0U) << "no reset";
}

TEST_F(PipelineNameBinding, HttpShowsItsHost) {
  demand("deny");
  resolve(query("www.example.com"), answer("www.example.com"));
  const std::string request = "GET / HTTP/1.1\r\nHost: www.example.com:80\r\n\r\n";
  Client honest(g, End("10.1.2.3", 50000), End("198.51.100.7", 80));
  honest.connect();
  EXPECT_EQ(look_at(honest.send(0, Frame(request.begin(), request.end())).outside.at(0)).payload_text(), request);
  Client liar(g, End("10.1.2.3", 50001), End("198.51.100.8", 80));
  liar.connect();
  const auto out = liar.send(0, Frame(request.begin(), request.end()));
  EXPECT_EQ(look_at(out.outside.at(0)).parsed.payload_bytes, 0U) << "a reset";
  EXPECT_EQ(g.world.records.back().reason, Reason::name_not_bound);
}

TEST_F(PipelineNameBinding, AuditOnlyCounts) {
  demand("audit", httpbin_only);
  EXPECT_TRUE(reaches("httpbin.org", wrong, 50000));
  demand("audit", allow_all);
  EXPECT_TRUE(reaches("httpbin.org", wrong, 50001));
  EXPECT_EQ(counted(DnsEvent::names_not_bound), 2U);
  g.pipeline.finish(g.now, g.snapshot);
  for (const FlowRecord& record : g.world.records) EXPECT_TRUE(record.audited && record.allowed);
}

TEST_F(PipelineNameBinding, EstablishedFlowsOutliveTheirBindingAndTheReload) {
  demand("deny");
  resolve(query("httpbin.org"), answer("httpbin.org"));
  ASSERT_TRUE(reaches("httpbin.org", right, 50000));
  (void)g.wait_ms(100'000);
  demand("deny", httpbin_only);
  const auto more = g.from_inside(tcp(End("10.1.2.3", 50000), right, Tcp::ack, {.seq = 9000, .ack = 5001}));
  EXPECT_EQ(more.outside.size(), 1U);
  EXPECT_FALSE(reaches("httpbin.org", right, 50001)) << "a new one";
}

// ---- two workers ----

TEST(PipelineDnsWorkers, WhatOneLearnsTheOtherKnowsAtOnce) {
  PipelineSettings settings = two_ports();
  settings.workers = 2;
  Gateway first(by_domain(), settings);
  settings.worker = 1;
  Gateway second(by_domain(), settings);
  second.snapshot.names = first.snapshot.names;
  const auto connects = [](Gateway& g, std::uint16_t port) {
    return !g.from_inside(tcp(End("10.1.9.9", port), database, Tcp::syn)).outside.empty();
  };
  EXPECT_FALSE(connects(second, 1));
  const Seen asked = look_at(first.from_inside(udp(pod, resolver, query())).outside.at(0));
  (void)first.from_outside(udp(resolver, End(asked.from(), asked.from_port()), answer()));
  EXPECT_TRUE(connects(second, 2));
}

}  // namespace
}  // namespace sallyport::dataplane::test
