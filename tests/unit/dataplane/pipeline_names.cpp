// Names held until the verdict: nothing of a denied hello reaches the server (corner cases F and D).
#include <algorithm>
#include <random>

#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using classifier::names::browser_hello;
using wire::Tcp;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 443};

Frame hello(std::string_view name) { return classifier::names::records(browser_hello(name).message(), 16384); }
Frame part(const Frame& whole, std::size_t from, std::size_t count) {
  const std::size_t end = std::min(from + count, whole.size());
  return {whole.begin() + static_cast<std::ptrdiff_t>(from), whole.begin() + static_cast<std::ptrdiff_t>(end)};
}

TEST(PipelineNames, AllowedHelloPassesWhole) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  const auto out = c.send(0, h);
  ASSERT_EQ(out.outside.size(), 1U);
  const Seen seen = look_at(out.outside[0]);
  EXPECT_EQ(Frame(seen.payload().begin(), seen.payload().end()), h);
  EXPECT_EQ(seen.from(), "203.0.113.1");
  EXPECT_TRUE(seen.l4_checksum_right());
  EXPECT_EQ(look_at(c.server_sends(0, {1, 2, 3}).inside.at(0)).to(), "10.0.10.5");
}

// Case 69: resets with valid sequence numbers in both directions, translation undone.
TEST(PipelineNames, Case69DeniedHelloIsResetBothWays) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("evil.org");
  const auto out = c.send(0, h);
  ASSERT_EQ(out.inside.size(), 1U);
  ASSERT_EQ(out.outside.size(), 1U);
  const Seen to_client = look_at(out.inside[0]);
  EXPECT_EQ(to_client.tcp().flags, Tcp::rst | Tcp::ack);
  EXPECT_EQ(to_client.tcp().sequence.get(), 5001U);
  EXPECT_EQ(to_client.tcp().acknowledgment.get(), 1001U + h.size());
  EXPECT_EQ(to_client.from(), "198.51.100.7");
  EXPECT_EQ(to_client.to_port(), 41000);
  EXPECT_TRUE(to_client.l4_checksum_right());
  const Seen to_server = look_at(out.outside[0]);
  EXPECT_EQ(to_server.tcp().flags, Tcp::rst | Tcp::ack);
  EXPECT_EQ(to_server.tcp().sequence.get(), 1001U) << "the server has seen nothing behind the SYN";
  EXPECT_EQ(to_server.from(), "203.0.113.1");
  EXPECT_EQ(to_server.parsed.payload_bytes, 0U);
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].reason, Reason::name_not_allowed);
  EXPECT_EQ(g.world.records[0].server_name(), "evil.org");
  EXPECT_FALSE(g.world.records[0].allowed);
}

// What it was refused for nobody asked it: there is nothing to say of it before it ends, and never `uncaptured`.
TEST(PipelineNames, AConnectionThatTheServerRefusedWhileItsNameWasAwaitedHasShownNone) {
  Gateway g(httpbin_only);
  const auto syn = g.from(Gateway::inside, tcp(client, server, Tcp::syn, {.seq = 1000}));
  const Seen out = look_at(syn.outside.at(0));
  (void)g.from(Gateway::outside,
               tcp(server, End(out.from(), out.from_port()), Tcp::rst | Tcp::ack, {.seq = 0, .ack = 1001}));
  (void)g.wait_ms(3000);
  EXPECT_TRUE(g.world.records.empty());
  (void)g.wait_ms(300'000);
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].reason, Reason::no_name);
  EXPECT_FALSE(g.world.records[0].waiting);
  EXPECT_EQ(g.pipeline.counters().flows_denied.get(), 1U);
}

TEST(PipelineNames, Case84EveryCutInTwoInBothOrders) {
  const Frame h = hello("a.example.com");
  for (std::size_t cut = 1; cut < h.size(); cut += 7) {
    for (const bool reversed : {false, true}) {
      Gateway g(httpbin_only);
      Client c(g, client, server);
      c.connect();
      const Frame first = part(h, 0, cut), second = part(h, cut, h.size());
      const auto one = reversed ? c.send(static_cast<std::uint32_t>(cut), second) : c.send(0, first);
      // A name may be whole before the hello is, never allowed before.
      ASSERT_TRUE(one.silent()) << "cut at " << cut;
      const auto two = reversed ? c.send(0, first) : c.send(static_cast<std::uint32_t>(cut), second);
      ASSERT_EQ(two.outside.size(), 2U) << "cut at " << cut;
      Frame together;
      std::vector<Seen> seen{look_at(two.outside[0]), look_at(two.outside[1])};
      std::ranges::sort(seen, {}, [](const Seen& s) { return s.tcp().sequence.get(); });
      for (const Seen& s : seen) together.insert(together.end(), s.payload().begin(), s.payload().end());
      EXPECT_EQ(together, h);
    }
  }
}

TEST(PipelineNames, Case84OneByteSegments) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = classifier::names::records(browser_hello("httpbin.org", 32).message(), 5);
  std::size_t sent = 0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const auto out = c.send(static_cast<std::uint32_t>(i), part(h, i, 1));
    ASSERT_TRUE(out.silent() || i + 1 == h.size());
    sent += out.outside.size();
  }
  EXPECT_EQ(sent, h.size());
}

TEST(PipelineNames, Case84ConflictingOverlapIsDenied) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  Frame other = part(h, 50, 100);
  other[20] ^= 1;
  EXPECT_TRUE(c.send(0, part(h, 0, 200)).silent());
  const auto out = c.send(50, other);
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).tcp().flags & Tcp::rst, Tcp::rst);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::hello_conflict);
}

// The one distance whose negative is itself: neither ahead of the hello nor a part of it.
TEST(PipelineNames, BytesHalfTheSequenceSpaceAwayAreNoPartOfTheHello) {
  constexpr std::uint32_t half = 1U << 31U;
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  EXPECT_TRUE(c.send(half, part(h, 0, 200)).outside.empty());
  EXPECT_TRUE(c.send(0, part(h, 0, 300)).silent());
  EXPECT_TRUE(c.send(half, part(h, 0, 200)).outside.empty());
  EXPECT_EQ(c.send(300, part(h, 300, h.size())).outside.size(), 2U);
  (void)c.send(half, part(h, 0, 200));  // while what was allowed is guarded
  EXPECT_EQ(c.send(0, part(h, 0, 300)).outside.size(), 1U);
}

TEST(PipelineNames, Case84DuplicateIsDroppedOnceHeld) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  EXPECT_TRUE(c.send(0, part(h, 0, 300)).silent());
  EXPECT_TRUE(c.send(0, part(h, 0, 300)).silent());
  EXPECT_EQ(g.dropped(Drop::hello_duplicate), 1U);
  EXPECT_EQ(c.send(300, part(h, 300, h.size())).outside.size(), 2U);
}

TEST(PipelineNames, Case87TooLarge) {
  PipelineSettings settings = two_ports();
  settings.limits.hello_bytes = 1000;
  Gateway g(httpbin_only, settings);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  (void)c.send(0, part(h, 0, 600));
  (void)c.send(600, part(h, 600, 600));
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].reason, Reason::hello_too_large);
}

TEST(PipelineNames, Case90NoSniUnderDeny) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  classifier::names::Hello plain;
  plain.extensions = {classifier::names::grease()};
  (void)c.send(0, classifier::names::record(plain.message()));
  EXPECT_EQ(g.world.records.at(0).reason, Reason::no_name);
  EXPECT_EQ(g.world.records.at(0).app, AppProtocol::tls);
}

TEST(PipelineNames, NotTlsIsNoName) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const auto out = c.send(0, {'S', 'S', 'H', '-', '2', '.', '0', '\r', '\n'});
  EXPECT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::no_name);
}

TEST(PipelineNames, Case82ServerSpeaksFirst) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const auto out = c.server_sends(0, {'S', 'S', 'H', '-'});
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_at(out.inside[0]).tcp().flags & Tcp::rst, Tcp::rst);
  EXPECT_EQ(look_at(out.inside[0]).parsed.payload_bytes, 0U);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::no_name);
}

TEST(PipelineNames, Case81UnfinishedHelloTimesOut) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  EXPECT_TRUE(c.send(0, part(h, 0, 100)).silent());
  EXPECT_TRUE(g.wait_ms(9'900).silent());
  const auto out = g.wait_ms(700);
  EXPECT_EQ(out.inside.size(), 1U);
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).tcp().flags & Tcp::rst, Tcp::rst);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::hello_timeout);
}

// A whole hello in the SYN decides there and then; part of one is cut off.
TEST(PipelineNames, Case94FastOpen) {
  const Frame h = hello("httpbin.org");
  {
    Gateway g(httpbin_only);
    const auto out = g.from_inside(tcp(client, server, Tcp::syn, {.payload = h}));
    ASSERT_EQ(out.outside.size(), 1U);
    EXPECT_EQ(look_at(out.outside[0]).parsed.payload_bytes, h.size());
  }
  {
    Gateway g(httpbin_only);
    const auto out = g.from_inside(tcp(client, server, Tcp::syn, {.payload = part(h, 0, 333)}));
    ASSERT_EQ(out.outside.size(), 1U);
    const Seen seen = look_at(out.outside[0]);
    EXPECT_EQ(seen.parsed.payload_bytes, 0U);
    EXPECT_TRUE(seen.l4_checksum_right());
  }
  {
    Gateway g(httpbin_only);
    const auto out = g.from_inside(tcp(client, server, Tcp::syn, {.payload = hello("evil.org")}));
    EXPECT_TRUE(out.outside.empty()) << "the server never hears of it";
    ASSERT_EQ(out.inside.size(), 1U);
  }
}

TEST(PipelineNames, FinWhileHeldWaits) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  EXPECT_TRUE(c.send(0, part(h, 0, 100)).silent());
  EXPECT_TRUE(c.send(static_cast<std::uint32_t>(h.size()), {}, Tcp::fin | Tcp::ack).silent());
  EXPECT_EQ(c.send(100, part(h, 100, h.size())).outside.size(), 3U);
}

TEST(PipelineNames, ResetWhileHeldFreesTheHeld) {
  Gateway g(httpbin_only);
  Client c(g, client, server);
  c.connect();
  EXPECT_TRUE(c.send(0, part(hello("httpbin.org"), 0, 100)).silent());
  const auto out = c.send(0, {}, Tcp::rst);
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(g.dropped(Drop::hello_abandoned), 1U);
}

TEST(PipelineNames, NamesAreReportedThoughNoRuleAsks) {
  Gateway g(allow_all);
  {
    Client c(g, client, server);
    c.connect();
    const Frame h = hello("blog.example.net");
    EXPECT_EQ(c.send(0, part(h, 0, 700)).outside.size(), 1U) << "observed, not held";
    EXPECT_EQ(c.send(700, part(h, 700, h.size())).outside.size(), 1U);
  }
  g.pipeline.finish(g.now, g.snapshot);
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].server_name(), "blog.example.net");
  EXPECT_TRUE(g.world.records[0].allowed);
}

// Any cut, any order, with repetitions: the same verdict, and of a denied hello nothing.
TEST(PipelineNames, RandomCutsGiveTheSameVerdict) {
  std::mt19937 random(20240501);
  for (int round = 0; round < 300; ++round) {
    const bool allowed = round % 2 == 0;
    const Frame h = hello(allowed ? "httpbin.org" : "exfiltrate.example.org");
    std::vector<std::pair<std::size_t, std::size_t>> cuts;
    for (std::size_t at = 0; at < h.size();) {
      const std::size_t count = 1 + random() % 400;
      cuts.emplace_back(at, count);
      if (random() % 4 == 0) cuts.emplace_back(at, count / 2 + 1);
      at += count;
    }
    std::ranges::shuffle(cuts, random);
    Gateway g(httpbin_only);
    Client c(g, client, server);
    c.connect();
    Frame got(h.size(), 0);
    std::size_t resets = 0;
    for (const auto& [at, count] : cuts) {
      for (const Frame& frame : c.send(static_cast<std::uint32_t>(at), part(h, at, count)).outside) {
        const Seen seen = look_at(frame);
        resets += (seen.tcp().flags & Tcp::rst) != 0 ? 1 : 0;
        ASSERT_TRUE(allowed || seen.parsed.payload_bytes == 0);
        std::ranges::copy(seen.payload(), got.begin() + (seen.tcp().sequence.get() - 1001));
      }
    }
    EXPECT_EQ(got, allowed ? h : Frame(h.size(), 0)) << "round " << round;
    EXPECT_EQ(resets, allowed ? 0U : 1U) << "round " << round;
  }
}

}  // namespace
}  // namespace sallyport::dataplane::test
