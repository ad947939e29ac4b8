// What one gateway tells another of its flows, and what that makes of it: the other one goes on with them, and nobody
// records anything twice.
#include <string>
#include <vector>

#include "dataplane/flow/change_book.h"
#include "dataplane/standing.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using wire::Tcp;

const End pod{"10.0.10.5", 40000};
const End other_pod{"10.0.10.6", 40000};
const End server{"198.51.100.7", 443};

PipelineSettings replicating(std::uint64_t seed = 1) {
  PipelineSettings settings = two_ports();
  settings.seed = seed;
  settings.replicates = true;
  return settings;
}

void pass(Gateway& g, std::uint64_t ms) {
  g.now += ms * 1'000'000;
  g.pipeline.advance(g.now, g.snapshot);
}

struct Told {
  std::vector<SavedFlow> open;
  std::vector<EndedFlow> ended;
};

Told told(Gateway& g) {
  Told all;
  std::vector<EndedFlow> ended(4);
  for (std::size_t count = ended.size(); count == ended.size();) {
    count = g.pipeline.take_ended(ended);
    all.ended.insert(all.ended.end(), ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::vector<SavedFlow> open(4);
  for (std::size_t count = open.size(); count == open.size();) {
    count = g.pipeline.take_settled(open);
    all.open.insert(all.open.end(), open.begin(), open.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

std::vector<SavedFlow> shared(Gateway& g) {
  std::vector<SavedFlow> all;
  std::vector<SavedFlow> chunk(4);
  for (std::size_t from = 0; from != SIZE_MAX;) {
    const std::size_t count = g.pipeline.share_flows(from, chunk);
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

// The one that stands by, and whose turn comes.
struct Pair {
  explicit Pair(const char* policy) : active(policy, replicating(1)), other(policy, replicating(2)) {
    other.snapshot.standing = &standing;
    pass(other, 0);
  }
  void tell() {
    const Told all = told(active);
    other.now = std::max(other.now, active.now);
    pass(other, 0);
    for (const EndedFlow& flow : all.ended) other.pipeline.follow(flow);
    for (const SavedFlow& flow : all.open) became.push_back(other.pipeline.follow(flow));
  }
  void turn_comes() {
    standing.become(Standing::State::active);
    pass(other, 0);
  }
  Standing standing{Standing::State::standby};
  Gateway active, other;
  std::vector<TakenBack> became;
};

TEST(Replication, AFlowIsToldOfOnceItIsWorthIt) {
  Gateway g(allow_all, replicating());
  Client client(g, pod, server);
  client.connect();
  EXPECT_TRUE(told(g).open.empty());
  pass(g, 49);
  EXPECT_TRUE(told(g).open.empty());
  pass(g, 1);
  const Told now = told(g);
  ASSERT_EQ(now.open.size(), 1U);
  EXPECT_EQ(now.open[0].inside.source_address(), pod.ip);
  EXPECT_TRUE(now.ended.empty());
  pass(g, 1000);
  EXPECT_TRUE(told(g).open.empty());
  EXPECT_EQ(shared(g).size(), 1U);
}

TEST(Replication, WhoDoesNotReplicateKeepsNoBook) {
  Gateway g(allow_all);
  Client client(g, pod, server);
  client.connect();
  pass(g, 100);
  EXPECT_TRUE(told(g).open.empty());
  EXPECT_EQ(g.pipeline.changes_lost(), 0U);
}

TEST(Replication, AHandshakeIsWaitedForAndNoFloodIsToldOf) {
  Gateway g(allow_all, replicating());
  (void)g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 1000}));
  pass(g, 60);
  EXPECT_TRUE(told(g).open.empty());
  Client client(g, other_pod, server);
  client.connect();
  pass(g, 60);
  EXPECT_EQ(told(g).open.size(), 1U);
  for (int i = 0; i < 100; ++i) {
    pass(g, 100);
    EXPECT_TRUE(told(g).open.empty());
  }
  EXPECT_EQ(shared(g).size(), 1U);
}

TEST(Replication, ANameDecidesBeforeTheFlowIsToldOf) {
  Gateway g(httpbin_only, replicating());
  Client client(g, pod, server);
  client.connect();
  pass(g, 60);
  EXPECT_TRUE(told(g).open.empty());
  const Frame said = classifier::names::records(classifier::names::browser_hello("httpbin.org", 200).message(), 16384);
  (void)client.send(0, said);
  (void)client.server_sends(0, Frame(60, 0x11), Tcp::ack, static_cast<std::uint32_t>(said.size()));
  pass(g, 100);
  const Told now = told(g);
  ASSERT_EQ(now.open.size(), 1U);
  EXPECT_EQ(now.open[0].shown_name(), "httpbin.org");
}

TEST(Replication, TheOtherOneGoesOnWithThem) {
  Pair pair(allow_all);
  Client client(pair.active, pod, server);
  client.connect();
  (void)client.send(0, Frame(100, 1));
  const Seen seen = client.as_seen();
  pass(pair.active, 60);
  pair.tell();
  EXPECT_EQ(pair.became, std::vector{TakenBack::taken});
  pair.turn_comes();
  const End egress(seen.from(), seen.from_port());
  const auto back =
      pair.other.from_outside(tcp(server, egress, Tcp::ack, {.seq = 5001, .ack = 1101, .payload = Frame(10, 2)}));
  ASSERT_EQ(back.inside.size(), 1U);
  const auto out =
      pair.other.from_inside(tcp(pod, server, Tcp::ack, {.seq = 1101, .ack = 5011, .payload = Frame(5, 3)}));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).from_port(), seen.from_port());
}

TEST(Replication, WhatIsHeardAgainChangesTheFlowInItsPlace) {
  Pair pair(allow_all);
  Client client(pair.active, pod, server);
  client.connect();
  pass(pair.active, 60);
  pair.tell();
  (void)client.send(0, Frame(100, 1));
  pass(pair.active, 60'000);
  pair.other.now = pair.active.now;
  pass(pair.other, 0);
  for (const SavedFlow& flow : shared(pair.active)) EXPECT_EQ(pair.other.pipeline.follow(flow), TakenBack::taken);
  const std::vector<SavedFlow> there = shared(pair.other);
  ASSERT_EQ(there.size(), 1U);
  EXPECT_EQ(there[0].packets[0], shared(pair.active)[0].packets[0]);
  EXPECT_EQ(there[0].track.sent_end[0], 1101U);
  EXPECT_EQ(pair.other.pipeline.counters().flows_live.get(), 1U);
  EXPECT_EQ(pair.other.pipeline.counters().flows_opened.get(), 1U);
}

TEST(Replication, AnEndIsHeardOfAndRecordedByOneAlone) {
  Pair pair(allow_all);
  Client client(pair.active, pod, server);
  client.connect();
  pass(pair.active, 60);
  pair.tell();
  (void)client.server_sends(0, {}, Tcp::rst | Tcp::ack, 0);
  pass(pair.active, 600'000);
  pair.tell();
  EXPECT_EQ(pair.active.pipeline.counters().flows_live.get(), 0U);
  EXPECT_EQ(pair.other.pipeline.counters().flows_live.get(), 0U);
  EXPECT_EQ(pair.active.world.records.size(), 1U);
  EXPECT_TRUE(pair.other.world.records.empty());
}

TEST(Replication, AStandbyThatHearsNothingMoreForgetsInSilence) {
  Pair pair(allow_all);
  Client client(pair.active, pod, server);
  client.connect();
  pass(pair.active, 60);
  pair.tell();
  for (int i = 0; i < 10; ++i) pass(pair.other, 3'600'000);
  EXPECT_EQ(pair.other.pipeline.counters().flows_live.get(), 0U);
  EXPECT_TRUE(pair.other.world.records.empty());
  EXPECT_TRUE(told(pair.other).ended.empty());
}

TEST(Replication, WhoseTurnHasComeTellsOfTheirEnds) {
  Pair pair(allow_all);
  Client client(pair.active, pod, server);
  client.connect();
  pass(pair.active, 60);
  pair.tell();
  pair.turn_comes();
  for (int i = 0; i < 10; ++i) pass(pair.other, 3'600'000);
  EXPECT_EQ(pair.other.world.records.size(), 1U);
  EXPECT_EQ(told(pair.other).ended.size(), 1U);
}

TEST(Replication, OnStandbyWhatIsInTheWayGivesWay) {
  Pair pair(allow_all);
  // It was its turn before: another server's flow under the port that the other one has given away since.
  pair.turn_comes();
  Client before(pair.other, other_pod, server);
  before.connect();
  pair.standing.become(Standing::State::standby);
  Client client(pair.active, pod, server);
  client.connect();
  pass(pair.active, 60);
  Told all = told(pair.active);
  ASSERT_EQ(all.open.size(), 1U);
  all.open[0].nat_port = __builtin_bswap16(before.as_seen().from_port());
  pair.other.now = pair.active.now;
  pass(pair.other, 0);
  EXPECT_EQ(pair.other.pipeline.follow(all.open[0]), TakenBack::taken);
  EXPECT_EQ(pair.other.pipeline.counters().flows_live.get(), 1U);
}

TEST(Replication, AnActiveOneKeepsItsOwn) {
  Pair pair(allow_all);
  Client client(pair.active, pod, server);
  client.connect();
  pass(pair.active, 60);
  const Told all = told(pair.active);
  pair.turn_comes();
  Client own(pair.other, pod, server);
  own.connect();
  ASSERT_EQ(all.open.size(), 1U);
  EXPECT_EQ(pair.other.pipeline.follow(all.open[0]), TakenBack::refused);
  pair.other.pipeline.follow(EndedFlow{all.open[0].inside, all.open[0].started_ns});
  EXPECT_EQ(pair.other.pipeline.counters().flows_live.get(), 1U);
}

TEST(Replication, WhatFindsAQueueFullIsCounted) {
  ChangeBook book(true);
  for (std::uint32_t i = 0; i < ChangeBook::opened_max + 10; ++i) book.opened(i + 1, i, 0);
  EXPECT_EQ(book.lost(), 10U);
  for (std::uint32_t i = 0; i < ChangeBook::ended_max + 5; ++i) book.ended({{}, i});
  EXPECT_EQ(book.lost(), 15U);
  ChangeBook::Opening opening;
  std::uint32_t taken = 0;
  while (book.take_opening(ChangeBook::settle_ms, opening)) EXPECT_EQ(opening.flow, ++taken);
  EXPECT_EQ(taken, ChangeBook::opened_max);
  EndedFlow ended;
  for (std::uint32_t i = 0; i < ChangeBook::ended_max; ++i) {
    ASSERT_TRUE(book.take_ended(ended));
    EXPECT_EQ(ended.started_ns, i);
  }
  EXPECT_FALSE(book.take_ended(ended));
}

}  // namespace
}  // namespace sallyport::dataplane::test
