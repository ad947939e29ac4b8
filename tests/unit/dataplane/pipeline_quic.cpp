// Every QUIC connection of a flow shows its name (corner cases 99 to 103).
#include "tests/unit/classifier/names_quic_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using classifier::names::Answer;
using classifier::names::browser_hello;
using classifier::names::crypto_frame;
using classifier::names::Initial;
using classifier::names::quic_v1;
using classifier::names::quic_v2;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 443};

// Everything may pass but one name.
constexpr const char* all_but_evil = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[[tls_route]]
namespace = "linkerd-egress"
name = "no-evil"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["evil.org"]
action = "deny"
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
)";

Frame initial(std::string_view name, std::uint8_t connection = 1, std::uint32_t version = quic_v1) {
  Initial packet;
  packet.version = version;
  packet.dcid[0] = connection;
  packet.frames = crypto_frame(0, browser_hello(name, 32).message());
  return packet.protect();
}
// A hello too long for one datagram: its parts.
std::vector<Frame> two_initials(std::string_view name, std::uint8_t connection = 1) {
  const Frame message = browser_hello(name, 1216, true).message();
  const std::span<const std::uint8_t> all(message);
  std::vector<Frame> parts;
  for (std::size_t at = 0; at < all.size(); at += 800) {
    Initial packet;
    packet.dcid[0] = connection;
    packet.number = static_cast<std::uint32_t>(at / 800);
    packet.frames = crypto_frame(at, all.subspan(at, std::min<std::size_t>(800, all.size() - at)));
    parts.push_back(packet.protect());
  }
  return parts;
}

class Talk {
 public:
  explicit Talk(const char* policy) : g(policy) {}
  // How many datagrams went on.
  std::size_t say(const Frame& datagram) {
    const auto out = g.from_inside(udp(client, server, datagram));
    if (!out.outside.empty()) egress_ = look_at(out.outside[0]);
    return out.outside.size();
  }
  void answer(const Frame& datagram) {
    const End to(egress_.from(), egress_.from_port());
    EXPECT_EQ(g.from_outside(udp(server, to, datagram)).inside.size(), 1U);
  }
  // The server answers the hello of that connection.
  void handshake(std::uint8_t connection = 1, Answer with = Answer::server_hello) {
    Initial packet;
    packet.from_server = true;
    packet.dcid[0] = connection;
    packet.key_dcid = packet.dcid;
    packet.dcid = {};
    packet.frames = crypto_frame(0, classifier::names::server_message(with));
    answer(packet.protect());
  }
  void expect_denied(Reason reason) {
    ASSERT_EQ(g.world.records.size(), 1U);
    EXPECT_EQ(g.world.records[0].reason, reason);
    EXPECT_EQ(g.dropped(Drop::hello_denied), 1U);
    EXPECT_EQ(say(Frame(50, 0x40)), 0U) << "and all of the flow";
  }
  Gateway g;

 private:
  Seen egress_;
};

TEST(PipelineQuic, Case99TheSameVerdictAsOverTcp) {
  for (const std::uint32_t version : {quic_v1, quic_v2}) {
    Talk allowed(httpbin_only);
    EXPECT_EQ(allowed.say(initial("httpbin.org", 1, version)), 1U);
    Talk denied(httpbin_only);
    EXPECT_EQ(denied.say(initial("evil.org", 1, version)), 0U);
    denied.expect_denied(Reason::name_not_allowed);
  }
}

TEST(PipelineQuic, Case100InitialsAreHeldUntilTheHelloIsWhole) {
  for (const bool reversed : {false, true}) {
    Talk t(httpbin_only);
    auto parts = two_initials("httpbin.org");
    ASSERT_EQ(parts.size(), 2U);
    if (reversed) std::swap(parts[0], parts[1]);
    EXPECT_EQ(t.say(parts[0]), 0U);
    EXPECT_EQ(t.say(parts[1]), 2U);
    EXPECT_EQ(t.say(parts[1]), 1U) << "said again";
    t.handshake();
    EXPECT_EQ(t.say(parts[1]), 1U) << "and late";
  }
}

TEST(PipelineQuic, Case102AShortHeaderWithoutAFlowShowsNoName) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(Frame(100, 0x40)), 0U);
  EXPECT_EQ(t.g.world.records.at(0).reason, Reason::no_name);
}

TEST(PipelineQuic, Case101AnUnknownVersionShowsNoName) {
  Talk t(httpbin_only);
  Frame datagram = initial("httpbin.org");
  datagram[1] = 0xba;
  EXPECT_EQ(t.say(datagram), 0U);
  EXPECT_EQ(t.g.world.records.at(0).reason, Reason::no_name);
}

// The first datagram decides nothing about the connections that begin behind it.
TEST(PipelineQuic, Case103SomethingElseFirst) {
  Talk t(all_but_evil);
  EXPECT_EQ(t.say({1, 2, 3}), 1U);
  EXPECT_EQ(t.say(Frame(1300, 0x55)), 1U);
  EXPECT_EQ(t.say(initial("good.org")), 1U);
  t.handshake();
  EXPECT_EQ(t.say(Frame(1250, 0x40)), 1U);
  EXPECT_EQ(t.say(initial("evil.org", 2)), 0U);
  t.expect_denied(Reason::route);
}

TEST(PipelineQuic, Case103SomethingElseFirstThenAHelloInPieces) {
  Talk t(all_but_evil);
  EXPECT_EQ(t.say({1, 2, 3}), 1U);
  const auto parts = two_initials("evil.org");
  EXPECT_EQ(t.say(parts[1]), 0U) << "held";
  EXPECT_EQ(t.say({1, 2, 3}), 1U);
  t.answer({4, 5});
  EXPECT_EQ(t.say(parts[0]), 0U);
  EXPECT_EQ(t.g.world.records.at(0).reason, Reason::route);
}

TEST(PipelineQuic, ASecondConnectionOfAFlowIsJudged) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  t.handshake();
  EXPECT_EQ(t.say(initial("www.example.com", 2)), 1U);
  t.handshake(2);
  EXPECT_EQ(t.say(initial("evil.org", 3)), 0U);
  t.expect_denied(Reason::name_not_allowed);
}

TEST(PipelineQuic, ASecondConnectionWaitsForTheFirst) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  EXPECT_EQ(t.say(initial("www.example.com", 2)), 0U);
  EXPECT_EQ(t.g.dropped(Drop::hello_unordered), 1U);
  t.handshake();
  EXPECT_EQ(t.say(initial("www.example.com", 2)), 1U);
}

// T9: the allowed Initial may have been lost on purpose.
TEST(PipelineQuic, AnotherHelloInTheSameConnection) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  EXPECT_EQ(t.say(initial("evil.org")), 0U);
  t.expect_denied(Reason::hello_conflict);
}

// The server may have some of its bytes and not others: which is known here no longer.
TEST(PipelineQuic, AfterSilenceNoInitialPasses) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  (void)t.g.wait_ms(9'000);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  (void)t.g.wait_ms(2'000);
  EXPECT_EQ(t.say(initial("httpbin.org")), 0U);
  EXPECT_EQ(t.say(initial("evil.org", 2)), 0U);
  EXPECT_EQ(t.g.dropped(Drop::hello_duplicate), 2U);
  EXPECT_EQ(t.say(Frame(50, 0x40)), 1U) << "where the server had it after all";
}

TEST(PipelineQuic, Case95TwoHellosInOneStream) {
  for (const bool at_once : {true, false}) {
    Talk t(httpbin_only);
    const Frame good = browser_hello("httpbin.org", 32).message();
    Initial packet;
    packet.dcid[0] = 1;
    packet.frames = crypto_frame(good.size(), browser_hello("evil.org", 32).message());
    if (at_once) {
      packet.frames = classifier::names::joined({crypto_frame(0, good), packet.frames});
    } else {
      EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
    }
    EXPECT_EQ(t.say(packet.protect()), 0U);
    t.expect_denied(Reason::hello_conflict);
  }
}

TEST(PipelineQuic, Case95TheHelloThatAServerAskedForNamesTheSameServer) {
  for (const std::string_view name : {"httpbin.org", "www.example.com"}) {
    Talk t(httpbin_only);
    EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
    t.handshake(1, Answer::retry_request);
    const std::size_t begin = browser_hello("httpbin.org", 32).message().size();
    const Frame second = browser_hello(name, 1216, true).message();
    Initial packet;
    packet.dcid[0] = 1;
    packet.number = 1;
    packet.frames = crypto_frame(begin, std::span(second).first(800));
    EXPECT_EQ(t.say(packet.protect()), 0U) << "held";
    packet.number = 2;
    packet.frames = crypto_frame(begin + 800, std::span(second).subspan(800));
    if (name == "httpbin.org") {
      EXPECT_EQ(t.say(packet.protect()), 2U);
    } else {
      EXPECT_EQ(t.say(packet.protect()), 0U);
      ASSERT_EQ(t.g.world.records.size(), 1U);
      EXPECT_EQ(t.g.world.records[0].reason, Reason::hello_conflict);
    }
  }
}

// A server that has forgotten the connection would begin another by it.
TEST(PipelineQuic, TheSameConnectionAgainShowsNoOtherName) {
  for (const bool client_knows : {false, true}) {
    Talk t(httpbin_only);
    EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
    t.handshake();
    EXPECT_EQ(t.say(initial("httpbin.org")), 1U) << "its client may not have the answer";
    if (client_knows) {
      EXPECT_EQ(t.say(Frame(60, 0x40)), 1U);
      EXPECT_EQ(t.say(initial("evil.org")), 0U);
      EXPECT_EQ(t.say(two_initials("httpbin.org")[1]), 0U) << "nor a piece of one";
      EXPECT_EQ(t.g.dropped(Drop::hello_duplicate), 2U);
      EXPECT_EQ(t.say(Frame(60, 0x40)), 1U) << "the connection goes on";
    } else {
      EXPECT_EQ(t.say(initial("evil.org")), 0U);
      t.expect_denied(Reason::hello_conflict);
    }
  }
}

// Its answer is there, so its silence afterwards is none.
TEST(PipelineQuic, AHelloThatTheServerHasTakenIsNotKeptForLong) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  t.handshake();
  (void)t.g.wait_ms(11'000);
  EXPECT_EQ(t.say(initial("evil.org")), 0U);
  EXPECT_EQ(t.g.dropped(Drop::hello_duplicate), 1U);
  EXPECT_EQ(t.say(initial("www.example.com", 2)), 1U);
}

TEST(PipelineQuic, Case101EarlyDataBehindTheAnswer) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  const auto early = [](std::uint8_t connection) {
    Initial of;
    of.dcid[0] = connection;
    return classifier::names::other_packet(quic_v1, 1, Frame(of.dcid.begin(), of.dcid.end()));
  };
  EXPECT_EQ(t.say(early(1)), 1U);
  t.handshake();
  EXPECT_EQ(t.say(early(1)), 1U);
  EXPECT_EQ(t.say(Frame(60, 0x40)), 1U);
  EXPECT_EQ(t.say(early(1)), 1U);
  EXPECT_EQ(t.say(early(2)), 0U) << "of a connection that has shown nothing";
  EXPECT_EQ(t.g.dropped(Drop::hello_unordered), 1U);
  (void)t.g.wait_ms(11'000);
  EXPECT_EQ(t.say(Frame(60, 0x40)), 1U);
}

TEST(PipelineQuic, Case101AnUnknownVersionBesideAConnection) {
  Frame foreign = initial("evil.org", 7);
  foreign[1] = 0xba;
  Talk held(httpbin_only);
  const auto parts = two_initials("httpbin.org");
  EXPECT_EQ(held.say(parts[0]), 0U);
  EXPECT_EQ(held.say(foreign), 0U);
  EXPECT_EQ(held.g.dropped(Drop::hello_denied), 1U);
  EXPECT_EQ(held.say(parts[1]), 2U);
  Talk silent(httpbin_only);
  EXPECT_EQ(silent.say(initial("httpbin.org")), 1U);
  (void)silent.g.wait_ms(11'000);
  EXPECT_EQ(silent.say(foreign), 0U);
  EXPECT_EQ(silent.g.dropped(Drop::hello_denied), 1U);
}

// A Handshake packet may be of an earlier connection, which its client lets the server repeat.
TEST(PipelineQuic, OnlyTheAnswerToAHelloEndsItsGuard) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  t.handshake();
  const auto parts = two_initials("httpbin.org", 2);
  EXPECT_EQ(t.say(parts[0]), 0U);
  EXPECT_EQ(t.say(parts[1]), 2U);
  t.answer(classifier::names::other_packet(quic_v1, 2, {}));
  t.handshake(1);
  EXPECT_EQ(t.say(two_initials("evil.org", 2)[1]), 0U);
  t.expect_denied(Reason::hello_conflict);
}

TEST(PipelineQuic, ASmallDatagramChangesNothing) {
  const Frame evil = browser_hello("evil.org", 1216, true).message();
  Initial small;
  small.dcid[0] = 1;
  small.datagram_bytes = 0;
  small.frames = crypto_frame(800, std::span(evil).subspan(800));
  Talk allowed(httpbin_only);
  const auto parts = two_initials("httpbin.org");
  EXPECT_EQ(allowed.say(parts[0]), 0U);
  EXPECT_EQ(allowed.say(parts[1]), 2U);
  EXPECT_EQ(allowed.say(small.protect()), 0U);
  allowed.expect_denied(Reason::hello_conflict);
  Talk waiting(httpbin_only);
  EXPECT_EQ(waiting.say(parts[0]), 0U);
  EXPECT_EQ(waiting.say(small.protect()), 0U);
  EXPECT_EQ(waiting.say(parts[1]), 0U);
  EXPECT_EQ(waiting.g.world.records.at(0).reason, Reason::hello_conflict);
  Talk first(all_but_evil);
  EXPECT_EQ(first.say(small.protect()), 0U);
  first.expect_denied(Reason::hello_malformed);
}

TEST(PipelineQuic, Case101AfterRetryTheHelloComesAgain) {
  Talk t(httpbin_only);
  EXPECT_EQ(t.say(initial("httpbin.org")), 1U);
  t.answer(classifier::names::other_packet(quic_v1, 3, Frame(8, 7)));
  EXPECT_EQ(t.say(initial("httpbin.org", 2)), 1U);
  t.answer(classifier::names::other_packet(quic_v1, 3, Frame(8, 7)));
  EXPECT_EQ(t.say(initial("evil.org", 3)), 0U);
  t.expect_denied(Reason::name_not_allowed);
}

}  // namespace
}  // namespace sallyport::dataplane::test
