// What belongs to several workers: hairpins, protocols without ports, prefixes. Whichever worker a packet comes to, its
// flow is found, on plain inside and outside ports.

#include <gtest/gtest.h>

#include "dataplane/flow/port_choice.h"
#include "tests/unit/dataplane/crew_world.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

constexpr std::uint32_t workers = 4;
constexpr PortIndex inside = 0;
constexpr PortIndex outside = 1;
const End server{"198.51.100.7", 53};
const End server6{"2001:db8:51::7", 53};

class Crew {
 public:
  explicit Crew(const char* policy, std::uint32_t port_block = 0) {
    auto loaded = config::load_policy({{"policy.toml", policy}});
    for (const auto& d : loaded.diagnostics.all()) {
      if (d.severity == config::Severity::error) ADD_FAILURE() << to_text(d, loaded.files);
    }
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
    snapshot = make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                             Routing::two_wires(inside, outside), 1, workers);
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      PipelineSettings settings = two_ports();
      settings.nat.filtering = config::Filtering::endpoint_independent;
      settings.nat.tcp_mapping = config::Mapping::endpoint_independent;
      settings.nat.port_block = port_block;
      settings.worker = worker;
      settings.workers = workers;
      settings.seed = worker;
      piece = piece_ports(settings.nat);
      worlds.push_back(std::make_unique<CrewWorld>(arrivals));
      pipelines.push_back(std::make_unique<Pipeline>(settings, *worlds.back()));
    }
  }
  ~Crew() {
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

  // As a worker does with what its queue brings; what left by `to` for it.
  std::vector<Frame> in(PortIndex port, const Frame& frame, PortIndex to) {
    ++offered;
    Packet packet;
    EXPECT_TRUE(worlds[0]->allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::copy(frame.begin(), frame.end(), packet.data);
    packet.port = port;
    const auto role = port == inside ? config::PortRole::inside : config::PortRole::outside;
    arrivals.emplace_back(Pipeline::owner(packet, role, workers, 0, snapshot, piece), packet);
    --worlds[0]->buffers;
    for (unsigned steps = 0; !arrivals.empty(); ++steps) {
      EXPECT_LE(steps, 8U) << "goes round";
      auto [worker, next] = arrivals.front();
      arrivals.pop_front();
      ++worlds[worker]->buffers;
      pipelines[worker]->process(next.port, {&next, 1}, now, snapshot);
    }
    std::vector<Frame> out;
    for (const auto& world : worlds) {
      out.insert(out.end(), world->sent[to].begin(), world->sent[to].end());
      world->sent[inside].clear();
      world->sent[outside].clear();
    }
    return out;
  }
  Seen out(const Frame& frame) { return only(in(inside, frame, outside)); }
  Seen back(const Frame& frame) { return only(in(outside, frame, inside)); }
  Seen round(const Frame& frame) { return only(in(inside, frame, inside)); }

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
  std::uint32_t piece = 0;

 private:
  static Seen only(const std::vector<Frame>& frames) {
    EXPECT_EQ(frames.size(), 1U);
    return frames.empty() ? Seen{} : look_at(frames[0]);
  }
};

End host(int i) { return {"10.1.0." + std::to_string(i), static_cast<std::uint16_t>(40000 + i)}; }

TEST(PipelineHairpin, FindsTheOtherSidesWorker) {
  Crew g(allow_all);
  for (int i = 1; i < 60; i += 2) {
    const Seen a = g.out(udp(host(i), server)), b = g.out(udp(host(i + 1), server));
    const End a_outside(a.from(), a.from_port()), b_outside(b.from(), b.from_port());
    const Seen hello = g.round(udp(host(i), b_outside));
    EXPECT_EQ(hello.to(), to_string(host(i + 1).ip));
    EXPECT_EQ(hello.to_port(), host(i + 1).port);
    EXPECT_EQ(hello.from(), a.from());
    EXPECT_EQ(hello.from_port(), a.from_port());
    EXPECT_TRUE(hello.l4_checksum_right());
    const Seen answer = g.round(udp(host(i + 1), a_outside));
    EXPECT_EQ(answer.to(), to_string(host(i).ip));
    EXPECT_EQ(answer.from_port(), b.from_port());
    // An error about what was delivered finds its way back.
    const Seen error = g.round(icmp(host(i + 1).ip, a_outside.ip, 3, 3, 0, l3(hello.frame)));
    EXPECT_EQ(error.to(), to_string(host(i).ip));
    EXPECT_EQ(error.from(), b.from());
  }
  EXPECT_EQ(g.dropped(Drop::hairpin_refused), 0U);
  EXPECT_TRUE(g.in(inside, udp(host(1), End("203.0.113.1", 39999)), inside).empty());
  EXPECT_EQ(g.dropped(Drop::hairpin_refused), 1U);
}

TEST(PipelineHairpin, PacketsTooLargeForTheOtherSideAreAnsweredThroughIt) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.ports[Gateway::inside].mtu = 1400;
  Gateway g(allow_all, settings);
  const Seen a = look_at(g.from_inside(udp(host(1), server)).outside.at(0));
  const Seen b = look_at(g.from_inside(udp(host(2), server)).outside.at(0));
  const End b_outside(b.from(), b.from_port());
  const Frame large = udp(host(1), b_outside, Frame(1450, 7), true, {.dont_fragment = true});
  const auto told = g.from_inside(large);
  ASSERT_EQ(told.inside.size(), 1U);
  const Seen error = look_at(told.inside[0]);
  EXPECT_EQ(error.to(), to_string(host(1).ip));
  EXPECT_EQ(error.icmp().type, 3);
  EXPECT_EQ(error.icmp().code, 4);
  EXPECT_EQ(g.dropped(Drop::too_big), 1U);
  EXPECT_EQ(a.from(), b.from());
}

Frame protocol47(const IpAddress& from, const IpAddress& to) {
  return detail::ip_frame(from, to, 47, Frame(40, 1), {});
}

TEST(PipelineProtocols, WithoutPortsBelongToTheWorkerOfTheServer) {
  Crew g(allow_all);
  for (int i = 1; i < 60; ++i) {
    const IpAddress far = address("198.51.100." + std::to_string(i));
    EXPECT_EQ(g.out(protocol47(host(i).ip, far)).from(), "203.0.113.1");
    const Seen answer = g.back(protocol47(far, address("203.0.113.1")));
    EXPECT_EQ(answer.to(), to_string(host(i).ip));
    const Frame sent = protocol47(address("203.0.113.1"), far);
    const Seen error = g.back(icmp(address("192.0.2.1"), address("203.0.113.1"), 3, 4, 1280, l3(sent)));
    EXPECT_EQ(error.to(), to_string(host(i).ip));
    const Frame delivered = protocol47(far, host(i).ip);
    EXPECT_EQ(g.out(icmp(host(i).ip, far, 3, 2, 0, l3(delivered))).from(), "203.0.113.1");
    EXPECT_TRUE(g.in(inside, protocol47(host(i + 60).ip, far), outside).empty());
  }
  EXPECT_EQ(g.dropped(Drop::nat_protocol_taken), 59U);
}

constexpr const char* to_prefix = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
networks = [ { cidr = "::/0" } ]
[[egress]]
name = "prefix"
sources = ["fd01:203:405::/48"]
egress_ip = "2001:db8:1::/48"
)";

TEST(PipelinePrefix, AnswersFindTheWorkerOfTheClient) {
  Crew g(to_prefix);
  for (int i = 1; i < 60; ++i) {
    const End client{"fd01:203:405:" + std::to_string(i) + "::1234", static_cast<std::uint16_t>(5000 + i)};
    const Seen seen = g.out(udp(client, server6));
    EXPECT_EQ(seen.from_port(), client.port);
    EXPECT_TRUE(seen.l4_checksum_right());
    const End client_outside(seen.from(), seen.from_port());
    EXPECT_EQ(g.back(udp(server6, client_outside)).to(), to_string(client.ip));
    const Seen error = g.back(icmp(address("2001:db8:2::1"), client_outside.ip, 2, 0, 1280, l3(seen.frame)));
    EXPECT_EQ(error.to(), to_string(client.ip));
    EXPECT_EQ(g.out(protocol47(client.ip, server6.ip)).from(), seen.from());
    EXPECT_EQ(g.back(protocol47(server6.ip, client_outside.ip)).to(), to_string(client.ip));
  }
}

TEST(PipelineBlocks, OfSeveralWorkersLieApart) {
  Crew g(allow_all, 512);
  std::map<std::uint16_t, std::string> owner_of_block;
  for (int i = 1; i < 60; ++i) {
    for (std::uint16_t port = 30000; port < 30003; ++port) {
      const Seen seen = g.out(udp(End(to_string(host(i).ip), port), server));
      const std::string& owner = owner_of_block.emplace(seen.from_port() / 512, to_string(host(i).ip)).first->second;
      EXPECT_EQ(owner, to_string(host(i).ip));
      EXPECT_EQ(g.back(udp(server, End(seen.from(), seen.from_port()))).to(), to_string(host(i).ip));
    }
  }
  EXPECT_EQ(owner_of_block.size(), 59U);
}

}  // namespace
}  // namespace sallyport::dataplane::test
