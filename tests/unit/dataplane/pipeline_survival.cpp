// A gateway ends and another one goes on with its flows: under the same address and port, past no policy.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "dataplane/flow/port_choice.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using wire::Tcp;

const End pod{"10.0.10.5", 40000};
const End pod6{"fd00::5", 40000};
const End server{"198.51.100.7", 443};
const End server6{"2001:db8:1::7", 443};

Frame hello(std::string_view name) {
  return classifier::names::records(classifier::names::browser_hello(name, 200).message(), 16384);
}
// A record with a ServerHello that asks for no other hello.
Frame server_hello() {
  constexpr std::array<std::uint8_t, 11> head{22, 3, 3, 0, 55, 2, 0, 0, 51, 3, 3};
  Frame answer(60, 0x11);
  std::ranges::copy(head, answer.begin());
  return answer;
}

std::vector<SavedFlow> saved(const Gateway& g, std::size_t at_once = 7) {
  std::vector<SavedFlow> all;
  std::vector<SavedFlow> chunk(at_once);
  for (std::size_t from = 0; from != SIZE_MAX;) {
    const std::size_t count = g.pipeline.save_flows(from, chunk);
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

std::vector<SavedRest> resting(const Gateway& g) {
  std::vector<SavedRest> all;
  std::vector<SavedRest> chunk(4);
  for (std::size_t from = 0; from != SIZE_MAX;) {
    const std::size_t count = g.pipeline.save_resting(from, chunk);
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

// The next process, `later_ms` after the one before. It has no policy before the flows are back.
class Next : public Gateway {
 public:
  Next(const Gateway& before, std::uint64_t later_ms, const PipelineSettings& settings = two_ports())
      : Gateway("", settings) {
    now = before.now + later_ms * 1'000'000;
    pipeline.advance(now, snapshot);
    for (const SavedFlow& flow : saved(before)) ++became[pipeline.take_back(flow)];
    for (const SavedRest& rest : resting(before)) pipeline.take_back(rest);
  }
  std::map<TakenBack, int> became;
};

PipelineSettings seeded(std::uint64_t seed) {
  PipelineSettings settings = two_ports();
  settings.seed = seed;
  return settings;
}

TEST(Survival, EstablishedFlowsGoOnUnderTheirAddressAndPort) {
  for (const bool v6 : {false, true}) {
    Gateway before(allow_all, seeded(1));
    Client client(before, v6 ? pod6 : pod, v6 ? server6 : server);
    client.connect();
    (void)client.send(0, Frame(100, 1));
    const Seen seen = client.as_seen();

    Next after(before, 2'000, seeded(2));
    EXPECT_EQ(after.became[TakenBack::taken], 1);
    after.reload(allow_all);
    const End& from = v6 ? pod6 : pod;
    const End& to = v6 ? server6 : server;
    const End egress(seen.from(), seen.from_port());
    // The server speaks first.
    const auto back =
        after.from_outside(tcp(to, egress, Tcp::ack, {.seq = 5001, .ack = 1101, .payload = Frame(10, 2)}));
    ASSERT_EQ(back.inside.size(), 1U);
    EXPECT_EQ(look_at(back.inside[0]).to(), to_string(from.ip));
    EXPECT_TRUE(look_at(back.inside[0]).l4_checksum_right());
    const auto out = after.from_inside(tcp(from, to, Tcp::ack, {.seq = 1101, .ack = 5011, .payload = Frame(5, 3)}));
    ASSERT_EQ(out.outside.size(), 1U);
    EXPECT_EQ(look_at(out.outside[0]).from(), seen.from());
    EXPECT_EQ(look_at(out.outside[0]).from_port(), seen.from_port());
    EXPECT_TRUE(look_at(out.outside[0]).l4_checksum_right());
  }
}

TEST(Survival, WithoutAPolicyNothingIsForwarded) {
  Gateway before(allow_all);
  Client client(before, pod, server);
  client.connect();
  Next after(before, 100);
  EXPECT_TRUE(after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5001})).silent());
  EXPECT_EQ(after.dropped(Drop::no_policy), 1U);
  after.reload(allow_all);
  EXPECT_EQ(after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5001})).outside.size(), 1U);
}

TEST(Survival, ThePolicyOfThatDayIsAskedOnce) {
  Gateway before(allow_all);
  Client client(before, pod, server);
  client.connect();
  Next after(before, 100);
  after.reload(deny_all);
  (void)after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5001, .payload = Frame(5, 3)}));
  EXPECT_EQ(after.dropped(Drop::policy_removed), 1U);
}

TEST(Survival, AnEgressAddressThatIsNoLongerOursEndsItsFlows) {
  Gateway before(allow_all);
  Client client(before, pod, server);
  client.connect();
  Next after(before, 100);
  std::string moved = allow_all;
  moved.replace(moved.find("203.0.113.1"), 11, "203.0.113.2");
  after.reload(moved);
  (void)after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5001}));
  EXPECT_EQ(after.dropped(Drop::policy_removed), 1U);
}

TEST(Survival, TheNameThatWasShownIsJudgedAgain) {
  Gateway before(httpbin_only);
  Client client(before, pod, server);
  client.connect();
  const Frame said = hello("httpbin.org");
  (void)client.send(0, said);
  const auto length = static_cast<std::uint32_t>(said.size());
  (void)client.server_sends(0, server_hello(), Tcp::ack, length);
  const auto flows = saved(before);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].shown_name(), "httpbin.org");

  std::string other = httpbin_only;
  other.replace(other.find("httpbin.org"), 11, "another.org");
  for (const std::string& policy : {std::string(httpbin_only), other}) {
    Next after(before, 100);
    after.reload(policy);
    const auto out =
        after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001 + length, .ack = 5061, .payload = Frame(5, 23)}));
    EXPECT_EQ(after.dropped(Drop::policy_removed), policy == other ? 1U : 0U);
    ASSERT_EQ(out.outside.size(), 1U);
    EXPECT_EQ((look_at(out.outside[0]).tcp().flags & Tcp::rst) != 0, policy == other) << "a reset instead of its bytes";
  }
}

TEST(Survival, WhatWaitsForANameStaysBehind) {
  Gateway before(httpbin_only);
  Client client(before, pod, server);
  client.connect();
  EXPECT_TRUE(saved(before).empty()) << "nothing said yet";
  const Frame said = hello("httpbin.org");
  (void)client.send(0, Frame(said.begin(), said.begin() + 20));
  EXPECT_TRUE(saved(before).empty()) << "half a hello is held";
  (void)client.send(20, Frame(said.begin() + 20, said.end()));
  EXPECT_TRUE(saved(before).empty()) << "the server may still ask for another hello";
}

TEST(Survival, OfAHelloThatWasAnsweredNothingIsSaidAgain) {
  Gateway before(httpbin_only);
  Client client(before, pod, server);
  client.connect();
  const Frame said = hello("httpbin.org");
  (void)client.send(0, said);
  (void)client.server_sends(0, server_hello());  // and acknowledges nothing of it
  Next after(before, 100);
  EXPECT_EQ(after.became[TakenBack::taken], 1);
  after.reload(httpbin_only);
  (void)after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5061, .payload = said}));
  EXPECT_EQ(after.dropped(Drop::hello_duplicate), 1U);
}

TEST(Survival, TimeGoesOnMeanwhile) {
  PipelineSettings settings = two_ports();
  settings.timeouts.udp = std::chrono::seconds(10);
  Gateway before(allow_all, settings);
  (void)before.from_inside(udp(pod, End("198.51.100.7", 5000)));
  (void)before.wait_ms(4'000);
  EXPECT_EQ(Next(before, 6'000, settings).became[TakenBack::over], 1);
  Next after(before, 5'000, settings);
  EXPECT_EQ(after.became[TakenBack::taken], 1);
  after.reload(allow_all);
  EXPECT_EQ(after.pipeline.counters().flows_live.get(), 1U);
  (void)after.wait_ms(2'000);
  EXPECT_EQ(after.pipeline.counters().flows_live.get(), 0U);
  EXPECT_EQ(after.became.size(), 1U);
}

TEST(Survival, AClockThatWasSetBackMakesNothingOld) {
  Gateway before(allow_all);
  (void)before.from_inside(udp(pod, End("198.51.100.7", 5000)));
  Gateway after("");
  after.now = before.now - 3'600'000'000'000ULL;
  after.pipeline.advance(after.now, after.snapshot);
  for (const SavedFlow& flow : saved(before)) EXPECT_EQ(after.pipeline.take_back(flow), TakenBack::taken);
}

TEST(Survival, PortsAndMappingsAreTaken) {
  Gateway before(allow_all);
  const Seen first = look_at(before.from_inside(udp(pod, End("198.51.100.7", 5000))).outside.at(0));
  Next after(before, 100);
  after.reload(allow_all);
  const Seen same = look_at(after.from_inside(udp(pod, End("198.51.100.8", 6000))).outside.at(0));
  EXPECT_EQ(same.from_port(), first.from_port()) << "one endpoint, one mapping";
  const Seen other = look_at(after.from_inside(udp(End("10.0.10.6", 40000), End("198.51.100.9", 1))).outside.at(0));
  EXPECT_NE(other.from_port(), first.from_port());
}

TEST(Survival, FreedPortsRestOn) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.nat.port_range = {2000, 2000};
  settings.timeouts.udp = std::chrono::seconds(1);
  Gateway before(allow_all, settings);
  EXPECT_EQ(before.from_inside(udp(pod, End("198.51.100.7", 5000))).outside.size(), 1U);
  (void)before.wait_ms(2'000);
  ASSERT_EQ(resting(before).size(), 1U);
  const End other("10.0.10.6", 7);
  Next after(before, 60'000, settings);
  after.reload(allow_all);
  EXPECT_TRUE(after.from_inside(udp(other, End("198.51.100.7", 5000))).outside.empty());
  (void)after.wait_ms(65'000);
  EXPECT_EQ(after.from_inside(udp(other, End("198.51.100.7", 5000))).outside.size(), 1U);
}

// Other flows of the mapping may be behind the ones that are over.
TEST(Survival, PortsOfMappingsThatRanOutMeanwhileRest) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.nat.port_range = {2000, 2000};
  settings.timeouts.udp = std::chrono::seconds(10);
  const End other("10.0.10.6", 7);
  const End again("198.51.100.9", 5000);
  for (const int round : {0, 1, 2, 3}) {
    const bool one_lives_on = round % 2 == 1;
    settings.nat.port_block = round < 2 ? 0 : 1;
    Gateway before(allow_all, settings);
    EXPECT_EQ(before.from_inside(udp(pod, End("198.51.100.7", 5000))).outside.size(), 1U);
    (void)before.wait_ms(5'000);
    if (one_lives_on) (void)before.from_inside(udp(pod, End("198.51.100.8", 5000)));
    Next after(before, 6'000, settings);
    EXPECT_EQ(after.became[TakenBack::over], 1);
    EXPECT_EQ(after.became[TakenBack::taken], one_lives_on ? 1 : 0);
    after.reload(allow_all);
    EXPECT_TRUE(after.from_inside(udp(other, again)).outside.empty());
    EXPECT_EQ(after.from_inside(udp(pod, again)).outside.size(), 1U) << "it is the pod's";
    (void)after.wait_ms(11'000);
    EXPECT_TRUE(after.from_inside(udp(other, again)).outside.empty());
    (void)after.wait_ms(120'000);
    EXPECT_EQ(after.from_inside(udp(other, again)).outside.size(), 1U);
  }
}

TEST(Survival, WhoWasNotInvitedStaysBehind) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.nat.tcp_mapping = config::Mapping::endpoint_independent;
  Gateway before(allow_all, settings);
  const Seen seen = look_at(before.from_inside(tcp(pod, server, Tcp::syn)).outside.at(0));
  const End egress(seen.from(), seen.from_port());
  EXPECT_EQ(before.from_outside(tcp(End("198.51.100.8", 7000), egress, Tcp::syn)).inside.size(), 1U);
  EXPECT_EQ(saved(before).size(), 1U);
}

TEST(Survival, TwiceIsOnceAndTheLaterOneIsTheTrueOne) {
  Gateway before(allow_all);
  Client client(before, pod, server);
  client.connect();
  const std::vector<SavedFlow> flows = saved(before);
  ASSERT_EQ(flows.size(), 1U);
  Next after(before, 0);
  EXPECT_EQ(after.pipeline.take_back(flows[0]), TakenBack::refused);
  SavedFlow later = flows[0];
  later.inside.source_port = 0x1234;  // the port of the first was given out again while the table was read
  EXPECT_EQ(after.pipeline.take_back(later), TakenBack::refused);
  later.started_ns += 1;
  EXPECT_EQ(after.pipeline.take_back(later), TakenBack::taken);
  EXPECT_EQ(after.pipeline.counters().flows_live.get(), 1U);
  EXPECT_TRUE(after.world.records.empty());
}

TEST(Survival, CountsGoOn) {
  Gateway before(allow_all);
  Client client(before, pod, server);
  client.connect();
  Next after(before, 100);
  after.reload(allow_all);
  (void)after.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1001, .ack = 5001}));
  (void)after.from_inside(tcp(pod, server, Tcp::ack | Tcp::rst, {.seq = 1001, .ack = 5001}));
  (void)after.wait_ms(300'000);
  ASSERT_EQ(after.world.records.size(), 1U);
  EXPECT_EQ(after.world.records[0].packets[to_server], 4U);
  EXPECT_EQ(after.world.records[0].start_ns, before.now);
}

// RFC 6296: the address says whose the answers are, whatever the port.
TEST(Survival, APrefixKeepsItsWorkersAndPorts) {
  const std::string to_prefix = six_to("2001:db8:1::/48");
  for (std::uint16_t port = 5000; port < 5300; port = static_cast<std::uint16_t>(port + 64)) {
    Gateway before(to_prefix);
    const End client{"fd01:203:405:1::1234", port};
    const Seen seen = look_at(before.from_inside(udp(client, End("2001:db8:2::7", 53))).outside.at(0));
    const std::vector<SavedFlow> flows = saved(before);
    ASSERT_EQ(flows.size(), 1U);
    EXPECT_TRUE(flows[0].by_prefix);
    EXPECT_TRUE(Pipeline::owner(flows[0], 4, piece_ports_by_default));
    Next after(before, 100);
    EXPECT_EQ(after.became[TakenBack::taken], 1);
    after.reload(to_prefix);
    const auto back = after.from_outside(udp(End("2001:db8:2::7", 53), End(seen.from(), seen.from_port())));
    ASSERT_EQ(back.inside.size(), 1U);
    EXPECT_EQ(look_at(back.inside[0]).to(), to_string(client.ip));
  }
}

TEST(Survival, ABlockOfPortsStaysItsSenders) {
  PipelineSettings settings = two_ports();
  settings.nat.port_block = 512;
  Gateway before(allow_all, settings);
  const Seen first = look_at(before.from_inside(udp(pod, server)).outside.at(0));
  Next after(before, 100, settings);
  EXPECT_EQ(after.became[TakenBack::taken], 1);
  after.reload(allow_all);
  const auto block = first.from_port() / 512;
  EXPECT_EQ(look_at(after.from_inside(udp(End("10.0.10.5", 40001), server)).outside.at(0)).from_port() / 512, block);
  EXPECT_NE(look_at(after.from_inside(udp(End("10.0.10.6", 40000), server)).outside.at(0)).from_port() / 512, block);
}

// Of four workers two: everything finds its place. Of two four: what does not fit is said to belong elsewhere.
TEST(Survival, WorkersBecomeFewerOrMore) {
  std::map<std::uint32_t, std::map<bool, int>> placed;
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    PipelineSettings settings = two_ports();
    settings.worker = worker;
    settings.workers = 2;
    Gateway before(allow_all, settings);
    for (std::uint16_t i = 0; i < 200; ++i) {
      const End from("10.0." + std::to_string(i / 100) + "." + std::to_string(1 + i % 100), 40000);
      Packet packet;
      Frame frame = udp(from, server);
      packet.data = frame.data();
      packet.length = static_cast<std::uint32_t>(frame.size());
      if (Pipeline::owner(packet, config::PortRole::inside, 2, 0, before.snapshot, piece_ports_by_default) == worker)
        (void)before.from_inside(frame);
    }
    for (const SavedFlow& flow : saved(before)) {
      EXPECT_EQ(Pipeline::owner(flow, 2, piece_ports_by_default), worker);
      EXPECT_EQ(Pipeline::owner(flow, 1, piece_ports_by_default), 0U);
      const auto of_four = Pipeline::owner(flow, 4, piece_ports_by_default);
      ++placed[4][of_four.has_value()];
      if (!of_four) continue;
      EXPECT_EQ(port_owner(__builtin_bswap16(flow.nat_port), 4), *of_four);
    }
  }
  EXPECT_GT(placed[4][true], 20);
  EXPECT_GT(placed[4][false], 20);
}

}  // namespace
}  // namespace sallyport::dataplane::test
