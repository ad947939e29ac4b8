// Several workers on one port that is inside and outside at once: whichever worker a packet comes to first, it finds
// its flow.

#include <gtest/gtest.h>

#include "dataplane/flow/port_choice.h"
#include "dataplane/stages/fragment.h"
#include "tests/unit/dataplane/crew_world.h"
#include "tests/unit/dataplane/pipeline_harness.h"

namespace sallyport::dataplane::test {
namespace {

constexpr std::uint32_t workers = 4;
constexpr PortIndex stick = 0;

// Nothing between private addresses is translated, and nobody says who is inside.
constexpr const char* nobody_known = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
networks = [ { cidr = "0.0.0.0/0" }, { cidr = "::/0" } ]
[snat]
addresses = ["203.0.113.1"]
except = ["10.0.0.0/8"]
)";
// The servers are workloads, their clients are not: the guess from addresses is wrong in both directions.
constexpr const char* servers_known = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
networks = [ { cidr = "0.0.0.0/0" } ]
[[workload]]
namespace = "prod"
name = "database"
addresses = ["10.9.0.0/16"]
[snat]
addresses = ["203.0.113.1"]
except = ["10.0.0.0/8"]
)";

class Stick {
 public:
  explicit Stick(const char* policy, std::uint32_t flows_per_source = 0) {
    auto loaded = config::load_policy({{"policy.toml", policy}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
    snapshot = make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                             Routing::two_wires(stick, stick), 1, workers);
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      PipelineSettings settings;
      settings.ports.resize(1);
      settings.ports[0].role = config::PortRole::both;
      settings.limits.flows = 4096;
      settings.limits.held_bytes = 4U << 20U;
      settings.limits.flows_per_source = flows_per_source;
      settings.nat.source_check = false;
      settings.worker = worker;
      settings.workers = workers;
      settings.seed = worker;
      worlds.push_back(std::make_unique<CrewWorld>(arrivals));
      pipelines.push_back(std::make_unique<Pipeline>(settings, *worlds.back()));
    }
  }
  ~Stick() {
    std::uint64_t received = 0;
    std::uint64_t ends = 0;
    int buffers = 0;
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      pipelines[worker]->finish(now, snapshot);
      const Counters& c = pipelines[worker]->counters();
      received += c.received.get();
      ends += c.transmitted.get() + c.held.get();
      for (const Counter& drop : c.drops) ends += drop.get();
      buffers += worlds[worker]->buffers;
    }
    EXPECT_EQ(received, offered) << "each packet is received once";
    EXPECT_EQ(received, ends);
    EXPECT_EQ(buffers, 0);
  }

  // As a worker does with what its queue brings; what left the port for it.
  std::vector<Frame> in(const Frame& frame) {
    ++offered;
    Packet packet;
    EXPECT_TRUE(worlds[0]->allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::copy(frame.begin(), frame.end(), packet.data);
    packet.port = stick;
    const std::uint32_t first =
        Pipeline::owner(packet, config::PortRole::both, workers, 0, snapshot, piece_ports_by_default);
    --worlds[0]->buffers;
    arrivals.emplace_back(first, packet);
    steps = 0;
    while (!arrivals.empty()) {
      EXPECT_LE(++steps, 8U) << "goes round";
      auto [worker, next] = arrivals.front();
      arrivals.pop_front();
      ++worlds[worker]->buffers;
      pipelines[worker]->process(stick, {&next, 1}, now, snapshot);
    }
    std::vector<Frame> out;
    for (const auto& world : worlds) {
      out.insert(out.end(), world->sent[stick].begin(), world->sent[stick].end());
      world->sent[stick].clear();
    }
    return out;
  }
  // Both ends' packets of a flow that exists go on, as they are.
  void expect_passes(const Frame& frame) {
    const std::vector<Frame> out = in(frame);
    ASSERT_EQ(out.size(), 1U);
    const Seen before = look_at(frame), after = look_at(out[0]);
    EXPECT_EQ(after.from(), before.from());
    EXPECT_EQ(after.to(), before.to());
    EXPECT_EQ(after.from_port(), before.from_port());
    EXPECT_EQ(after.to_port(), before.to_port());
  }
  [[nodiscard]] std::uint64_t flows_opened() const {
    std::uint64_t opened = 0;
    for (const auto& pipeline : pipelines) opened += pipeline->counters().flows_opened.get();
    return opened;
  }
  [[nodiscard]] std::uint64_t dropped(Drop why) const {
    std::uint64_t dropped = 0;
    for (const auto& pipeline : pipelines) dropped += pipeline->counters().drops[static_cast<std::size_t>(why)].get();
    return dropped;
  }

  classifier::Identities identities;
  Snapshot snapshot;
  CrewWorld::Arrivals arrivals;
  std::vector<std::unique_ptr<CrewWorld>> worlds;
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  Instant now = 1'700'000'000'000'000'000;
  std::uint64_t offered = 0;
  unsigned steps = 0;
};

End client(int i) { return {"10.1.0." + std::to_string(i), static_cast<std::uint16_t>(40000 + i)}; }
End server(int i) { return {"10.9." + std::to_string(i) + ".7", 7000}; }

class PipelineWorkers : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Guesses, PipelineWorkers, testing::Values(nobody_known, servers_known));

TEST_P(PipelineWorkers, UntranslatedDatagramsAndTheirAnswersAreOneFlow) {
  Stick g(GetParam());
  for (int i = 1; i < 100; ++i) {
    g.expect_passes(udp(client(i), server(i)));
    g.expect_passes(udp(server(i), client(i)));
    g.expect_passes(udp(client(i), server(i)));
  }
  EXPECT_EQ(g.flows_opened(), 99U);
}

TEST_P(PipelineWorkers, UntranslatedConnectionsAndTheirAnswersAreOneFlow) {
  Stick g(GetParam());
  using wire::Tcp;
  for (int i = 1; i < 100; ++i) {
    g.expect_passes(tcp(client(i), server(i), Tcp::syn, {.seq = 1000}));
    g.expect_passes(tcp(server(i), client(i), Tcp::syn | Tcp::ack, {.seq = 5000, .ack = 1001}));
    g.expect_passes(tcp(client(i), server(i), Tcp::ack, {.seq = 1001, .ack = 5001}));
    g.expect_passes(tcp(server(i), client(i), Tcp::ack, {.seq = 5001, .ack = 1001, .payload = {1, 2, 3}}));
  }
  EXPECT_EQ(g.flows_opened(), 99U);
  EXPECT_EQ(g.dropped(Drop::no_flow_midstream), 0U);
}

TEST_P(PipelineWorkers, EchoAndItsReplyAreOneFlow) {
  Stick g(GetParam());
  for (int i = 1; i < 100; ++i) {
    const auto id = static_cast<std::uint16_t>(i);
    g.expect_passes(echo(client(i).ip, server(i).ip, id));
    g.expect_passes(echo(server(i).ip, client(i).ip, id, true));
  }
  EXPECT_EQ(g.flows_opened(), 99U);
}

TEST_P(PipelineWorkers, ErrorsOfRoutersOnEitherSideFindTheFlow) {
  Stick g(GetParam());
  const End outside_router("10.200.0.1"), inside_router("10.100.0.1");
  for (int i = 1; i < 100; ++i) {
    const Frame asked = udp(client(i), server(i));
    const Frame answered = udp(server(i), client(i));
    g.expect_passes(asked);
    g.expect_passes(answered);
    EXPECT_EQ(g.in(icmp(outside_router.ip, client(i).ip, 3, 1, 0, l3(asked))).size(), 1U);
    EXPECT_EQ(g.in(icmp(inside_router.ip, server(i).ip, 3, 3, 0, l3(answered))).size(), 1U);
  }
  EXPECT_EQ(g.dropped(Drop::icmp_error_no_flow), 0U);
  EXPECT_TRUE(g.in(icmp(outside_router.ip, client(1).ip, 3, 1, 0, l3(udp(client(2), server(3))))).empty());
  EXPECT_EQ(g.dropped(Drop::icmp_error_no_flow), 1U);
}

TEST_P(PipelineWorkers, FragmentedAnswersFindTheFlow) {
  Stick g(GetParam());
  for (int i = 1; i < 30; ++i) {
    g.expect_passes(udp(client(i), server(i)));
    const Frame answer = udp(server(i), client(i), Frame(2000, 7));
    Seen whole = look_at(answer);
    Packet packet;
    packet.data = whole.frame.data();
    packet.length = static_cast<std::uint32_t>(answer.size());
    Fragmenter cut(packet, whole.parsed, 1400, static_cast<std::uint16_t>(i));
    std::vector<Frame> out;
    while (!cut.done()) {
      Frame piece(cut.next_bytes());
      Packet into;
      into.data = piece.data();
      cut.make(into);
      const std::vector<Frame> left = g.in(piece);
      out.insert(out.end(), left.begin(), left.end());
    }
    EXPECT_EQ(out.size(), 2U);
  }
  EXPECT_EQ(g.flows_opened(), 29U);
}

TEST_P(PipelineWorkers, TranslatedFlowsNeverAskTwice) {
  Stick g(GetParam());
  const End far("198.51.100.7", 53);
  for (int i = 1; i < 100; ++i) {
    const std::vector<Frame> out = g.in(udp(client(i), far));
    ASSERT_EQ(out.size(), 1U);
    const Seen seen = look_at(out[0]);
    EXPECT_EQ(seen.from(), "203.0.113.1");
    EXPECT_EQ(g.in(udp(far, End(seen.from(), seen.from_port()))).size(), 1U);
    EXPECT_EQ(g.steps, 1U);
    EXPECT_EQ(g.in(udp(client(i), far)).size(), 1U);
    EXPECT_EQ(g.steps, 1U);
  }
  EXPECT_EQ(g.flows_opened(), 99U);
}

// A sender is one worker's, so its limit is one number, not one a worker.
TEST_P(PipelineWorkers, Case136ASendersFlowsAreCountedOnceWhateverTheirServers) {
  Stick g(GetParam(), 3);
  for (int i = 1; i < 20; ++i) {
    std::size_t passed = 0;
    for (int k = 1; k < 20; ++k) {
      for (const Frame& left : g.in(udp(client(i), server(k)))) passed += look_at(left).to() == to_string(server(k).ip);
    }
    EXPECT_EQ(passed, 3U) << i;
  }
  EXPECT_EQ(g.dropped(Drop::source_limit), 19U * 16U);
}

// On plain ports: an error of a router inside speaks of a packet to a sender behind it.
TEST(PipelineOwner, InsideErrorsBelongToTheWorkerOfTheQuotedReceiver) {
  Stick g(nobody_known);
  const auto owner = [&](Frame frame) {
    Packet packet;
    packet.data = frame.data();
    packet.length = static_cast<std::uint32_t>(frame.size());
    return Pipeline::owner(packet, config::PortRole::inside, workers, 0, g.snapshot, piece_ports_by_default);
  };
  for (int i = 1; i < 100; ++i) {
    const Frame error = icmp(End("10.100.0.1").ip, server(i).ip, 3, 3, 0, l3(udp(server(i), client(i))));
    EXPECT_EQ(owner(error), owner(udp(client(i), server(i))));
  }
}

}  // namespace
}  // namespace sallyport::dataplane::test
