// A verdict holds for what it was given for: other bytes in its place, another hello behind it, too many at once.
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using wire::Tcp;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 443};

Frame hello(std::string_view name) {
  return classifier::names::records(classifier::names::browser_hello(name, 200).message(), 16384);
}
Frame part(const Frame& whole, std::size_t from, std::size_t count) {
  const std::size_t end = std::min(from + count, whole.size());
  return {whole.begin() + static_cast<std::ptrdiff_t>(from), whole.begin() + static_cast<std::ptrdiff_t>(end)};
}
Frame operator+(Frame a, const Frame& b) {
  classifier::names::append(a, b);
  return a;
}

const Frame change_cipher_spec = {20, 3, 3, 0, 1, 1};
Frame application_data(std::size_t bytes) { return classifier::names::record(Frame(bytes, 0xad), 23, 0x0303); }

// A ServerHello; with the random of RFC 8446 section 4.1.3 it is a HelloRetryRequest.
Frame server_hello(bool retry) {
  const Frame random{0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                     0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
  Frame message{2, 0, 0, 46, 3, 3};
  message = message + (retry ? random : Frame(32, 0x44)) + Frame(12, 0);
  return classifier::names::record(message, 22, 0x0303);
}

struct Guarded {
  explicit Guarded(std::string_view name = "httpbin.org", const PipelineSettings& settings = two_ports())
      : g(httpbin_only, settings), c(g, client, server), h(hello(name)), size(static_cast<std::uint32_t>(h.size())) {
    c.connect();
  }
  void expect_refused(const Gateway::Out& out) {
    ASSERT_EQ(out.outside.size(), 1U);
    EXPECT_EQ(look_at(out.outside[0]).tcp().flags & Tcp::rst, Tcp::rst);
    EXPECT_EQ(look_at(out.outside[0]).parsed.payload_bytes, 0U);
    ASSERT_EQ(g.world.records.size(), 1U);
    EXPECT_EQ(g.world.records[0].reason, Reason::hello_conflict);
  }
  Gateway g;
  Client c;
  Frame h;
  std::uint32_t size;
};

// Case 84, T4: the allowed hello may have been lost on purpose.
TEST(PipelineGuard, Case84AnotherHelloInPlaceOfTheAllowedOne) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  t.expect_refused(t.c.send(0, hello("evil-name.org")));
}

TEST(PipelineGuard, Case84AnotherHelloInPlaceOfOneInPieces) {
  Guarded t;
  EXPECT_TRUE(t.c.send(0, part(t.h, 0, 100)).silent());
  EXPECT_EQ(t.c.send(100, part(t.h, 100, t.size)).outside.size(), 2U);
  t.expect_refused(t.c.send(60, part(hello("evil-name.org"), 60, 400)));
}

TEST(PipelineGuard, Case84ARepetitionPassesInAnyCut) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_EQ(t.c.send(0, part(t.h, 0, 100)).outside.size(), 1U);
  EXPECT_EQ(t.c.send(100, part(t.h, 100, 50)).outside.size(), 1U);
}

TEST(PipelineGuard, OnceTheServerHasItNothingIsCompared) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_EQ(t.c.server_sends(0, server_hello(false), Tcp::ack, t.size).inside.size(), 1U);
  EXPECT_EQ(t.c.send(0, hello("evil-name.org")).outside.size(), 1U) << "the server throws it away";
  EXPECT_EQ(t.c.send(t.size, {1, 2, 3}).outside.size(), 1U);
}

// No memory is kept for ever: after that, nothing of the hello is said again.
TEST(PipelineGuard, AServerThatSaysNothingSealsTheHello) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_TRUE(t.g.wait_ms(11'000).silent());
  EXPECT_TRUE(t.c.send(0, hello("evil-name.org")).silent());
  EXPECT_EQ(t.g.dropped(Drop::hello_duplicate), 1U);
  EXPECT_EQ(t.c.server_sends(0, server_hello(false), Tcp::ack, t.size).inside.size(), 1U);
  EXPECT_EQ(t.c.send(t.size, {1, 2, 3}).outside.size(), 1U);
}

TEST(PipelineGuard, BehindAHelloThatTheServerDoesNotAnswerNothingPasses) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_EQ(t.c.server_sends(0, {}, Tcp::ack, t.size).inside.size(), 1U);
  EXPECT_TRUE(t.g.wait_ms(11'000).silent());
  EXPECT_TRUE(t.c.send(t.size, hello("evil-name.org")).silent());
  EXPECT_EQ(t.g.dropped(Drop::hello_unordered), 1U);
  EXPECT_EQ(t.c.server_sends(0, server_hello(true), Tcp::ack, t.size).inside.size(), 1U) << "it wants another hello";
  EXPECT_EQ(t.c.send(t.size, hello("httpbin.org")).outside.size(), 1U);
}

TEST(PipelineGuard, Case95TheSecondHelloNamesTheSameServer) {
  for (const bool same : {true, false}) {
    Guarded t;
    EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
    EXPECT_EQ(t.c.server_sends(0, server_hello(true), Tcp::ack, t.size).inside.size(), 1U);
    EXPECT_EQ(t.c.send(t.size, change_cipher_spec).outside.size(), 1U);
    const Frame second = hello(same ? "httpbin.org" : "www.example.com");  // which is allowed, too
    const std::uint32_t at = t.size + 6;
    EXPECT_TRUE(t.c.send(at, part(second, 0, 50)).silent()) << "held like the first";
    const auto out = t.c.send(at + 50, part(second, 50, second.size()));
    if (!same) {
      t.expect_refused(out);
      continue;
    }
    EXPECT_EQ(out.outside.size(), 2U);
    EXPECT_EQ(t.c.server_sends(60, server_hello(false), Tcp::ack, at + 900).inside.size(), 1U);
    t.g.pipeline.finish(t.g.now, t.g.snapshot);
    EXPECT_TRUE(t.g.world.records.at(0).allowed);
    EXPECT_EQ(t.g.pipeline.counters().flows_allowed.get(), 1U);
  }
}

// Also where there was no room to remember the name, and after the server has taken its time.
TEST(PipelineGuard, Case95WhateverIsRememberedOfTheName) {
  for (const bool late : {false, true}) {
    for (const bool same : {true, false}) {
      Guarded t;
      for (std::uint16_t i = 0; i < 600; ++i) {
        Client other(t.g, End(std::string("10.0.10.5"), static_cast<std::uint16_t>(1024 + i)), server);
        other.connect();
        (void)other.send(0, hello("h" + std::to_string(i)));
      }
      const std::uint64_t before = t.g.pipeline.counters().names_not_stored.get();
      EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
      EXPECT_EQ(t.g.pipeline.counters().names_not_stored.get(), before + 1);
      if (late) (void)t.g.wait_ms(11'000);
      EXPECT_EQ(t.c.server_sends(0, server_hello(true), Tcp::ack, t.size).inside.size(), 1U);
      const auto out = t.c.send(t.size, hello(same ? "httpbin.org" : "www.example.com"));
      ASSERT_EQ(out.outside.size(), 1U);
      EXPECT_EQ((look_at(out.outside[0]).tcp().flags & Tcp::rst) == 0, same);
    }
  }
}

TEST(PipelineGuard, Case95AFlowThatEndsBeforeTheSecondHelloWasAllowed) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_EQ(t.c.server_sends(0, server_hello(true), Tcp::ack, t.size).inside.size(), 1U);
  t.g.pipeline.finish(t.g.now, t.g.snapshot);
  EXPECT_TRUE(t.g.world.records.at(0).allowed);
}

// The server would read it after a HelloRetryRequest that is still on its way.
TEST(PipelineGuard, Case95ASecondHelloBeforeTheAnswer) {
  Guarded behind;
  EXPECT_EQ(behind.c.send(0, behind.h).outside.size(), 1U);
  behind.expect_refused(behind.c.send(behind.size, hello("evil.org")));
  Guarded together;
  together.expect_refused(together.c.send(0, together.h + hello("evil.org")));
  Guarded early;
  EXPECT_TRUE(early.c.send(early.size, hello("evil.org")).silent());
  EXPECT_TRUE(early.c.send(0, part(early.h, 0, 100)).silent());
  early.expect_refused(early.c.send(100, part(early.h, 100, early.size)));
}

TEST(PipelineGuard, EarlyDataPasses) {
  Guarded t;
  const Frame early = change_cipher_spec + application_data(2600);
  EXPECT_EQ(t.c.send(0, t.h + part(early, 0, 8)).outside.size(), 1U);
  EXPECT_EQ(t.c.send(t.size + 8, part(early, 8, 1400)).outside.size(), 1U);
  EXPECT_TRUE(t.c.send(t.size + 2000, part(early, 2000, 500)).silent()) << "behind a gap: comes again";
  EXPECT_EQ(t.g.dropped(Drop::hello_unordered), 1U);
  EXPECT_EQ(t.c.send(t.size + 1408, part(early, 1408, early.size())).outside.size(), 1U);
  t.expect_refused(t.c.send(t.size + static_cast<std::uint32_t>(early.size()), hello("evil.org")));
}

// Of two SYNs the server has answered one. Bytes at the other's sequence numbers are not what it reads.
TEST(PipelineGuard, TheServerSaysWhereTheStreamBegins) {
  Gateway g(httpbin_only);
  (void)g.from_inside(tcp(client, server, Tcp::syn, {.seq = 1000}));
  const auto syn = g.from_inside(tcp(client, server, Tcp::syn, {.seq = 9000}));
  const End egress{look_at(syn.outside.at(0)).from(), look_at(syn.outside.at(0)).from_port()};
  (void)g.from_outside(tcp(server, egress, Tcp::syn | Tcp::ack, {.seq = 5000, .ack = 1001}));
  const auto allowed =
      g.from_inside(tcp(client, server, Tcp::ack, {.seq = 9001, .ack = 5001, .payload = hello("httpbin.org")}));
  EXPECT_TRUE(allowed.outside.empty() || look_at(allowed.outside[0]).parsed.payload_bytes == 0);
  const auto denied =
      g.from_inside(tcp(client, server, Tcp::ack, {.seq = 1001, .ack = 5001, .payload = hello("evil.org")}));
  for (const Frame& frame : denied.outside) EXPECT_EQ(look_at(frame).parsed.payload_bytes, 0U);
}

// Whole hellos are decided whatever is kept of others; what there was no room for cannot be said again.
TEST(PipelineGuard, WithoutRoomTheHelloIsSaidOnce) {
  PipelineSettings settings = two_ports();
  settings.limits.held_bytes = 100'000;
  settings.held_packets = 64;
  Gateway g(httpbin_only, settings);
  for (std::uint16_t port = 1024; port < 1024 + 40; ++port) {
    Client c(g, End("10.0.11." + std::to_string(port % 20), port), server);
    c.connect();
    EXPECT_EQ(c.send(0, hello("httpbin.org")).outside.size(), 1U);
  }
  Client c(g, client, server);
  c.connect();
  const Frame h = hello("httpbin.org");
  EXPECT_EQ(c.send(0, h).outside.size(), 1U);
  EXPECT_TRUE(c.send(0, hello("evil-name.org")).silent());
  EXPECT_EQ(c.server_sends(0, server_hello(true), Tcp::ack, static_cast<std::uint32_t>(h.size())).inside.size(), 1U);
  const auto second = c.send(static_cast<std::uint32_t>(h.size()), hello("evil.org"));
  for (const Frame& frame : second.outside) EXPECT_EQ(look_at(frame).parsed.payload_bytes, 0U);
}

// ---- while it is held ----------------------------------------------------------------------------------------------

TEST(PipelineGuard, Case98AKeepAliveOfEitherSidePasses) {
  Guarded t;
  EXPECT_TRUE(t.c.send(0, part(t.h, 0, 100)).silent());
  EXPECT_EQ(t.c.send(static_cast<std::uint32_t>(-1), {0}).outside.size(), 1U);
  EXPECT_EQ(t.c.server_sends(static_cast<std::uint32_t>(-1), {0}).inside.size(), 1U);
  EXPECT_EQ(t.c.send(100, part(t.h, 100, t.size)).outside.size(), 2U);
}

// RFC 9293 section 3.8.4: with or without a garbage octet.
TEST(PipelineGuard, Case98AKeepAliveBehindWhatTheServerHasButNotAnswered) {
  Guarded t;
  EXPECT_EQ(t.c.send(0, t.h).outside.size(), 1U);
  EXPECT_EQ(t.c.server_sends(0, {}, Tcp::ack, t.size).inside.size(), 1U);
  EXPECT_EQ(t.c.send(t.size - 1, {0xda}).outside.size(), 1U);
  EXPECT_EQ(t.c.server_sends(0, server_hello(false), Tcp::ack, t.size).inside.size(), 1U);
  EXPECT_EQ(t.c.send(t.size, {1, 2, 3}).outside.size(), 1U);
}

TEST(PipelineGuard, Case98AResetOfTheServerFreesTheHeld) {
  Guarded t;
  EXPECT_TRUE(t.c.send(0, part(t.h, 0, 100)).silent());
  EXPECT_EQ(t.c.server_sends(0, {}, Tcp::rst | Tcp::ack).inside.size(), 1U);
  EXPECT_EQ(t.g.dropped(Drop::hello_abandoned), 1U);
}

// What found no room was not seen: its repetition is no duplicate.
TEST(PipelineGuard, Case98WithoutRoomItComesAgain) {
  PipelineSettings settings = two_ports();
  settings.held_packets = 1;
  Guarded t("httpbin.org", settings);
  EXPECT_TRUE(t.c.send(0, part(t.h, 0, 100)).silent());
  EXPECT_TRUE(t.c.send(100, part(t.h, 100, 100)).silent());
  EXPECT_EQ(t.g.dropped(Drop::held_full), 1U);
  EXPECT_TRUE(t.c.send(100, part(t.h, 100, 100)).silent());
  EXPECT_EQ(t.g.dropped(Drop::held_full), 2U);
}

// Half-open hellos fill what there is for them, and no more; a whole hello is still decided.
TEST(PipelineGuard, Case98AFloodOfHalfOpenHellos) {
  PipelineSettings settings = two_ports();
  settings.limits.flows = 8192;
  settings.limits.held_bytes = 1U << 20U;
  Gateway g(httpbin_only, settings);
  const std::size_t memory = g.pipeline.memory().sum();
  const Frame half = part(hello("httpbin.org"), 0, 100);
  for (std::uint16_t port = 1024; port < 1024 + 4000; ++port) {
    Client c(g, End("10.0.11." + std::to_string(port % 50), port), server);
    c.connect();
    (void)c.send(0, half);
  }
  const std::uint64_t held = g.pipeline.counters().held.get();
  EXPECT_GT(held, 20U);
  EXPECT_EQ(held + g.dropped(Drop::held_full), 4000U);
  EXPECT_EQ(g.pipeline.memory().sum(), memory);
  Client c(g, client, server);
  c.connect();
  EXPECT_EQ(c.send(0, hello("httpbin.org")).outside.size(), 1U);
  (void)g.wait_ms(11'000);
  EXPECT_EQ(g.pipeline.counters().held.get(), 0U) << "hello_timeout";
  EXPECT_EQ(g.dropped(Drop::hello_denied), held);
}

}  // namespace
}  // namespace sallyport::dataplane::test
