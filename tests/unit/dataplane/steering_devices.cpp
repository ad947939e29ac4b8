// Devices that can be taught whose packets are whose, that say so, and that only say so: from the wire to the worker,
// with real workers on threads of their own. One DPDK a process, so one environment for all of these tests.
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.h"
#include "dataplane/flow/port_choice.h"
#include "dataplane/io/buffer.h"
#include "dataplane/io/device_world.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/processors.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/fake_nic.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane {
namespace {

using config::PortRole;
using test::Frame;
using test::NicTraits;

constexpr std::uint32_t workers = 4;
constexpr PortIndex inside = 0, outside = 1;

struct Machine {
  PacketBuffers buffers;
  std::unique_ptr<Eal> eal;
  int devices = 0;

  Machine() {
    buffers.demand(data_room(DeviceText::Kind::other_virtual, 1500), 16383);
    EalPlan plan;
    plan.allowed = allowed_processors();
    plan.memory_bytes = buffers.memory_bytes() + (128U << 20U);
    eal = std::make_unique<Eal>(plan, [](Severity, const std::string&) {});
    buffers.create();
  }
  ~Machine() { buffers.destroy(); }
};
Machine* machine = nullptr;

class Environment final : public ::testing::Environment {
 public:
  void SetUp() override { machine = new Machine; }
  void TearDown() override { delete machine; }
};
const auto* const environment = ::testing::AddGlobalTestEnvironment(new Environment);

// What a Gateway is without twins, routes and the kernel: two ports, and workers that take what their queues bring.
class Crew {
 public:
  explicit Crew(const NicTraits& nic, PortRole role = PortRole::outside, std::uint32_t piece = 64) : piece_(piece) {
    test::set_next_nic(nic);
    open(PortRole::inside);
    open(role);
    publish();
    for (std::uint32_t worker = 0; worker < workers; ++worker) seat(worker);
  }
  ~Crew() { stop(); }

  // Waits until everybody has what is his.
  void send(PortIndex port, const std::vector<Frame>& frames) {
    for (Frame frame : frames) {
      if (sent_ % 128 == 0) await();
      std::copy_n(ports[port]->mac().begin(), 6, frame.begin());
      const std::uint16_t id = ports[port]->id();
      rte_mbuf* buffer = take_buffer(machine->buffers.pool(ports[port]->plan().data_room));
      ASSERT_NE(buffer, nullptr);
      std::ranges::copy(frame, rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(frame.size())));
      const std::lock_guard lock(lock_);  // workers send errors into the same ring
      buffers_leave({&buffer, 1});
      ASSERT_EQ(rte_eth_tx_burst(id, test::queue_of(id, frame), &buffer, 1), 1);
      ++sent_;
    }
    await();
  }

  [[nodiscard]] std::uint64_t handed_over() const {
    std::uint64_t sum = 0;
    for (const Seat& one : seats_) sum += one.world->counters().handed_over.get();
    return sum;
  }
  [[nodiscard]] SteeringSums seen(PortIndex port) const {
    SteeringSums sums;
    for (const Seat& one : seats_) one.worker->counters().steering[port].add_to(sums);
    return sums;
  }
  [[nodiscard]] std::vector<std::uint64_t> received() const {
    std::vector<std::uint64_t> of_workers;
    for (const Seat& one : seats_) of_workers.push_back(one.pipeline->counters().received.get());
    return of_workers;
  }

  std::vector<std::unique_ptr<Port>> ports;

 private:
  struct Seat {
    std::unique_ptr<PointerRing> arrivals = std::make_unique<PointerRing>(2048);
    std::unique_ptr<Wake> wake = std::make_unique<Wake>();
    std::unique_ptr<Mailbox> mailbox;
    std::unique_ptr<DeviceWorld> world;
    std::unique_ptr<Pipeline> pipeline;
    std::unique_ptr<Worker> worker;
    std::thread thread;
  };

  void open(PortRole role) {
    config::PortConfig& config = *configs_.emplace_back(std::make_unique<config::PortConfig>());
    config.name = "port" + std::to_string(++machine->devices);
    config.device = "net_ring";
    config.role = role;
    PortPlan plan = plan_port(config, workers, [](Severity, const std::string&) {});
    plan.piece_ports = piece_;
    const auto index = static_cast<PortIndex>(ports.size());
    ports.push_back(std::make_unique<Port>(index, config, std::move(plan), workers, machine->buffers));
    ports.back()->start();
    lanes_.push_back(std::make_unique<TwinLane>(*ports.back(), machine->buffers.pool_for_frame(1500), nullptr, wake_));
  }

  void publish() {
    auto loaded = config::load_policy({{"policy.toml", test::deny_all}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities_);
    quiescence_ =
        std::make_unique<Quiescence>(workers, std::make_unique<const Snapshot>(make_snapshot(
                                                  std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                                                  Routing::two_wires(inside, outside), 1, workers)));
    for (Seat& one : seats_) one.mailbox = std::make_unique<Mailbox>(*one.wake);
  }

  [[nodiscard]] WorldSettings world_settings(std::uint32_t worker) {
    WorldSettings settings;
    settings.worker = worker;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      std::vector<std::uint16_t> queues;
      if (worker < ports[i]->receive_queues()) queues.push_back(static_cast<std::uint16_t>(worker));
      settings.lanes.push_back({ports[i].get(), queues, 0, &lock_, lanes_[i].get(), false});
    }
    for (const Seat& one : seats_) {
      settings.arrivals.push_back(one.arrivals.get());
      settings.wakes.push_back(one.wake.get());
    }
    settings.buffers = &machine->buffers;
    settings.records = &records_[worker];
    settings.requests = &requests_[worker];
    settings.twin_wake = &wake_;
    settings.routes_wake = &wake_;
    return settings;
  }

  void seat(std::uint32_t worker) {
    Seat& one = seats_[worker];
    PipelineSettings pipeline = test::two_ports();
    WorkerSettings settings;
    settings.number = pipeline.worker = worker;
    settings.workers = pipeline.workers = workers;
    settings.piece_ports = piece_;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      settings.roles.push_back(pipeline.ports[i].role = ports[i]->config().role);
      settings.steered.push_back(ports[i]->steering().by_device());
    }
    one.world = std::make_unique<DeviceWorld>(world_settings(worker));
    one.pipeline = std::make_unique<Pipeline>(pipeline, *one.world);
    one.worker = std::make_unique<Worker>(settings, *one.world, *one.pipeline, *quiescence_, *one.mailbox);
    one.thread = std::thread([&one] { one.worker->run(); });
  }

  void await() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::uint64_t all = 0;
    while (std::chrono::steady_clock::now() < until) {
      all = 0;
      for (const std::uint64_t one : received()) all += one;
      if (all >= sent_) break;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    ASSERT_EQ(all, sent_);
  }

  void stop() {
    for (Seat& one : seats_) {
      if (one.worker) one.worker->end(Worker::End::at_once);
    }
    for (Seat& one : seats_) {
      if (one.thread.joinable()) one.thread.join();
    }
  }

  std::uint32_t piece_;
  std::uint64_t sent_ = 0;
  std::vector<std::unique_ptr<config::PortConfig>> configs_;
  Wake wake_;
  SpinLock lock_;
  std::vector<std::unique_ptr<TwinLane>> lanes_;
  classifier::Identities identities_;
  std::unique_ptr<Quiescence> quiescence_;
  std::array<FlowRecords, workers> records_{FlowRecords(1024), FlowRecords(1024), FlowRecords(1024), FlowRecords(1024)};
  std::array<NeighbourRequests, workers> requests_{NeighbourRequests(64), NeighbourRequests(64), NeighbourRequests(64),
                                                   NeighbourRequests(64)};
  std::array<Seat, workers> seats_;
};

// Answers of many servers to as many ports of an egress address, which nobody asked for: each ends at its owner.
std::vector<Frame> answers(bool v6, unsigned count = 2000) {
  std::vector<Frame> frames;
  for (unsigned i = 0; i < count; ++i) {
    const auto server = std::to_string(1 + i % 250);
    const auto port = static_cast<std::uint16_t>(1024 + i * 31);
    const auto from_port = static_cast<std::uint16_t>(i * 7 + 53);
    frames.push_back(v6 ? test::udp({"2001:db8:7::" + server + "7:0:" + server, from_port}, {"2001:db8:ffff::1", port})
                        : test::udp({"198.51.100." + server, from_port}, {"203.0.113.1", port}));
  }
  return frames;
}

// What senders send, to many servers; denied.
std::vector<Frame> questions(bool v6, unsigned count = 2000) {
  std::vector<Frame> frames;
  for (unsigned i = 0; i < count; ++i) {
    const auto server = std::to_string(1 + i * 13 % 250);
    const auto sender = std::to_string(1 + i % 200);
    const auto from_port = static_cast<std::uint16_t>(i * 7 + 1024);
    frames.push_back(
        v6 ? test::udp({"fd00:10:" + sender + "::" + sender, from_port}, {"2001:db8:7::" + server, 53})
           : test::udp({"10.0." + std::to_string(i % 3) + "." + sender, from_port}, {"198.51.100." + server, 53}));
  }
  return frames;
}

Steering by(const Crew& crew, PortIndex port) { return crew.ports[port]->steering().status().by; }

std::string why_not(const Crew& crew, PortIndex port) { return crew.ports[port]->steering().status().why_not; }

TEST(DeviceSteering, ACardThatLeavesOutTheRestSteersBothFamilies) {
  Crew crew(test::masking_nic());
  for (const PortIndex port : {inside, outside}) EXPECT_EQ(by(crew, port), Steering::device) << why_not(crew, port);
  for (const bool v6 : {false, true}) {
    crew.send(outside, answers(v6));
    crew.send(inside, questions(v6));
  }
  EXPECT_EQ(crew.handed_over(), 0U);
  for (const PortIndex port : {inside, outside}) {
    EXPECT_EQ(crew.seen(port).v4.as_told, 2000U);
    EXPECT_EQ(crew.seen(port).v6.as_told, 2000U);
    for (const char* family : {"IPv4", "IPv6"}) {
      const auto verdict = crew.ports[port]->judge_steering(crew.seen(port));
      ASSERT_TRUE(verdict);
      EXPECT_EQ(verdict->severity, Severity::info);
      EXPECT_NE(verdict->text.find(family), std::string::npos) << verdict->text;
    }
    EXPECT_FALSE(crew.ports[port]->judge_steering(crew.seen(port))) << "said once";
  }
  for (const std::uint64_t one : crew.received()) EXPECT_GT(one, 8000U / workers / 2) << "all workers have their share";
}

// Any card that hashes the whole tuple, by the key alone; tables of any size from 128 on, and keys of 52 bytes.
TEST(DeviceSteering, ACardThatHashesAllSteersIpv4) {
  for (const std::uint16_t entries : {std::uint16_t{128}, std::uint16_t{512}, std::uint16_t{2048}}) {
    NicTraits nic = test::usual_nic();
    nic.table_entries = entries;
    nic.key_bytes = entries == 512 ? 52 : 40;
    Crew crew(nic);
    for (const PortIndex port : {inside, outside}) {
      EXPECT_EQ(by(crew, port), Steering::device_ipv4) << why_not(crew, port);
    }
    crew.send(outside, answers(false));
    crew.send(inside, questions(false));
    EXPECT_EQ(crew.handed_over(), 0U);
    crew.send(outside, answers(true));
    crew.send(inside, questions(true));
    EXPECT_GT(crew.handed_over(), 1000U) << "IPv6 changes workers";
    EXPECT_EQ(crew.ports[outside]->judge_steering(crew.seen(outside))->severity, Severity::info);
    EXPECT_FALSE(crew.ports[outside]->judge_steering(crew.seen(outside))) << "IPv6 was not promised";
  }
}

TEST(DeviceSteering, BlocksOfPortsAreSteeredAsWell) {
  Crew crew(test::usual_nic(), PortRole::outside, 512);
  EXPECT_EQ(by(crew, outside), Steering::device_ipv4) << why_not(crew, outside);
  crew.send(outside, answers(false));
  EXPECT_EQ(crew.handed_over(), 0U);
}

// The destination port alone, or besides the address: drivers do not agree on what they are asked for.
TEST(DeviceSteering, ACardThatHashesThePortAloneSteersBothFamilies) {
  NicTraits nic = test::masking_nic();
  nic.port_alone = true;
  Crew crew(nic);
  for (const bool v6 : {false, true}) crew.send(outside, answers(v6));
  EXPECT_EQ(crew.handed_over(), 0U);
}

TEST(DeviceSteering, ACardThatKeepsTheSourceLosesIpv6) {
  NicTraits nic = test::masking_nic();
  nic.keeps_source = true;
  Crew crew(nic);
  EXPECT_EQ(by(crew, outside), Steering::device);
  crew.send(outside, answers(false));
  EXPECT_EQ(crew.handed_over(), 0U);
  crew.send(outside, answers(true));
  EXPECT_EQ(crew.ports[outside]->judge_steering(crew.seen(outside))->severity, Severity::info);
  const auto verdict = crew.ports[outside]->judge_steering(crew.seen(outside));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->severity, Severity::warning);
  EXPECT_NE(verdict->text.find("of the first 2000 of IPv6 came to another"), std::string::npos) << verdict->text;
  EXPECT_EQ(by(crew, outside), Steering::device_ipv4);
}

// Everything arrives at its owner nevertheless, and the device gets its ordinary hash back.
TEST(DeviceSteering, ACardThatLiesIsFoundOut) {
  NicTraits nic = test::masking_nic();
  nic.lies = true;
  Crew crew(nic);
  EXPECT_EQ(by(crew, outside), Steering::device);
  crew.send(outside, answers(false, 500));
  EXPECT_FALSE(crew.ports[outside]->judge_steering(crew.seen(outside))) << "too few to say";
  crew.send(outside, answers(false));
  EXPECT_GT(crew.handed_over(), 1000U);
  const auto verdict = crew.ports[outside]->judge_steering(crew.seen(outside));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->severity, Severity::warning);
  EXPECT_NE(verdict->text.find("of the first 2500 of IPv4 came to another"), std::string::npos) << verdict->text;
  EXPECT_EQ(by(crew, outside), Steering::rings);
  EXPECT_EQ(why_not(crew, outside), verdict->text);
  EXPECT_FALSE(crew.ports[outside]->judge_steering(crew.seen(outside)));
  std::vector<std::uint8_t> key(40);
  rte_eth_rss_conf now{};
  now.rss_key = key.data();
  ASSERT_EQ(rte_eth_dev_rss_hash_conf_get(crew.ports[outside]->id(), &now), 0);
  EXPECT_TRUE(std::ranges::equal(key, usual_key));
  EXPECT_EQ(now.rss_hf & (RTE_ETH_RSS_L4_DST_ONLY | RTE_ETH_RSS_IPV4), RTE_ETH_RSS_IPV4);
}

// Whoever refuses gets what it always got, and its packets change workers: the reason is said.
TEST(DeviceSteering, ACardThatCannotFallsToRings) {
  struct Case {
    const char* why;
    void (*change)(NicTraits&);
  };
  for (const Case& one : {
           Case{"the device cannot be configured to steer",
                [](NicTraits& nic) { nic.refuses_to_be_configured = true; }},
           Case{"the device takes no hash key", [](NicTraits& nic) { nic.key_bytes = 0; }},
           Case{"redirection table has 16 entries", [](NicTraits& nic) { nic.table_entries = 16; }},
           Case{"redirection table has 64 entries", [](NicTraits& nic) { nic.table_entries = 64; }},
           Case{"redirection table has 192 entries", [](NicTraits& nic) { nic.table_entries = 192; }},
           Case{"does not spread TCP and UDP", [](NicTraits& nic) { nic.types = RTE_ETH_RSS_IPV6; }},
           Case{"has another hash key", [](NicTraits& nic) { nic.forgets_its_key = true; }},
           Case{"takes no redirection table", [](NicTraits& nic) { nic.refuses_a_table = true; }},
           Case{"has another redirection table", [](NicTraits& nic) { nic.has_its_own_table = true; }},
       }) {
    NicTraits nic = test::masking_nic();
    one.change(nic);
    Crew crew(nic);
    for (const PortIndex port : {inside, outside}) {
      EXPECT_EQ(by(crew, port), Steering::rings) << one.why;
      EXPECT_NE(why_not(crew, port).find(one.why), std::string::npos) << why_not(crew, port);
    }
    crew.send(inside, questions(false, 200));
    crew.send(outside, answers(false, 200));
    EXPECT_GT(crew.handed_over(), 100U) << one.why;
  }
}

// However much of the other family came first.
TEST(SteeringCheck, EachFamilyIsCounted) {
  SteeringCheck check;
  const auto look = [&](const test::End& from, const test::End& to) {
    Frame frame = test::udp(from, to);
    Packet packet;
    packet.data = frame.data();
    packet.length = static_cast<std::uint32_t>(frame.size());
    check.look(packet, PortRole::outside, 0, workers, piece_ports_by_default);
  };
  const auto sums = [&] {
    SteeringSums said;
    check.add_to(said);
    return said;
  };
  const auto own = [] {
    std::uint16_t port = 1024;
    while (port_owner(port, workers) != 0) ++port;
    return port;
  }();
  for (int i = 0; i < 10'000; ++i) look({"2001:db8::7", 53}, {"2001:db8::1", own});
  EXPECT_EQ(sums().v6.as_told, SteeringCheck::counted_max);
  EXPECT_FALSE(check.has_seen_enough());
  for (int i = 0; i < 2'000; ++i) look({"198.51.100.7", 53}, {"203.0.113.1", own});
  EXPECT_EQ(sums().v4.as_told, 2'000U);
  EXPECT_FALSE(check.has_seen_enough());
  for (int i = 0; i < 2'096; ++i) look({"198.51.100.7", 53}, {"203.0.113.1", own});
  EXPECT_TRUE(check.has_seen_enough());
  EXPECT_EQ(sums().v4.elsewhere + sums().v6.elsewhere, 0U);
}

TEST(SteeringCheck, WhatNeverComesIsNotWaitedFor) {
  SteeringCheck check;
  Frame frame = test::udp(test::End("198.51.100.7", 53), test::End("203.0.113.1", 2000));
  Packet packet;
  packet.data = frame.data();
  packet.length = static_cast<std::uint32_t>(frame.size());
  std::uint64_t looked = 0;
  for (; !check.has_seen_enough() && looked <= SteeringCheck::seen_max; ++looked)
    check.look(packet, PortRole::outside, 0, workers, piece_ports_by_default);
  EXPECT_EQ(looked, SteeringCheck::seen_max);
}

TEST(DeviceSteering, WhatIsNoDevicesBusiness) {
  const Crew stick(test::masking_nic(), PortRole::both);
  EXPECT_EQ(by(stick, inside), Steering::device);
  EXPECT_EQ(why_not(stick, outside), "it is inside and outside at once");
  const Crew blocks(test::masking_nic(), PortRole::outside, 1000);
  EXPECT_EQ(why_not(blocks, outside), "nat.port_block = 1000 is no power of two, or over 512");
  rte_eth_dev_info device{};
  const auto asked = [&](const SteeringWish& wish) { return DeviceSteering::of(device, wish).status(); };
  EXPECT_EQ(asked({PortRole::inside, false, 1, 1, 64}).by, Steering::nobody);
  EXPECT_EQ(asked({PortRole::inside, false, 4, 2, 64}).why_not, "it has 2 queues for 4 workers");
  EXPECT_EQ(asked({PortRole::inside, true, 4, 4, 64}).why_not, "the kernel spreads its frames");
}

}  // namespace
}  // namespace sallyport::dataplane
