// A worker's surroundings on real DPDK devices that need no hardware: what a net_ring device is given it gives back.
// One DPDK a process, so one environment for all of these tests.
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/io/bpf_filter.h"
#include "dataplane/io/buffer.h"
#include "dataplane/io/device_world.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/gateway_plan.h"
#include "dataplane/io/processors.h"
#include "packet_maker.h"

namespace sallyport::dataplane {
namespace {

using test::Frame;

class Devices : public ::testing::Test {
 protected:
  static constexpr std::uint32_t workers = 2;

  struct Machine {
    config::ApplianceModel model;
    PacketBuffers buffers;
    std::unique_ptr<Eal> eal;
    std::vector<std::unique_ptr<Port>> ports;
    ~Machine() {
      ports.clear();
      buffers.destroy();
    }
  };

  static void SetUpTestSuite() {
    machine = new Machine;
    for (const char* name : {"inside", "outside"}) {
      config::PortConfig port;
      port.name = name;
      port.device = "net_ring";
      machine->model.ports.push_back(port);
    }
    const Log quiet = [](Severity, const std::string&) {};
    std::vector<PortPlan> plans;
    for (const config::PortConfig& port : machine->model.ports) plans.push_back(plan_port(port, 1, quiet));
    machine->buffers.demand(plans[0].data_room, 2047);
    EalPlan plan;
    plan.allowed = allowed_processors();
    plan.memory_bytes = machine->buffers.memory_bytes() + (64U << 20U);
    machine->eal = std::make_unique<Eal>(plan, quiet);
    machine->buffers.create();
    for (std::size_t i = 0; i < plans.size(); ++i) {
      machine->ports.push_back(std::make_unique<Port>(static_cast<PortIndex>(i), machine->model.ports[i],
                                                      std::move(plans[i]), 1, machine->buffers));
      machine->ports.back()->start();
    }
  }
  static void TearDownTestSuite() { delete machine; }

  void SetUp() override {
    for (std::uint32_t worker = 0; worker < workers; ++worker) worlds.push_back(make_world(worker));
  }

  std::unique_ptr<DeviceWorld> make_world(std::uint32_t worker) {
    WorldSettings settings;
    settings.worker = worker;
    for (std::size_t i = 0; i < machine->ports.size(); ++i) {
      settings.lanes.push_back({machine->ports[i].get(), {0}, 0, &lock, lanes[i].get(), worker == 0});
    }
    settings.arrivals = {&arrivals[0], &arrivals[1]};
    settings.wakes = {&wakes[0], &wakes[1]};
    settings.buffers = &machine->buffers;
    settings.records = &records;
    settings.requests = &requests;
    settings.twin_wake = &twin_wake;
    settings.routes_wake = &routes_wake;
    return std::make_unique<DeviceWorld>(std::move(settings));
  }

  // A buffer of the world's with these bytes, addressed to the port's station.
  Packet packet_of(Frame frame, PortIndex port) {
    std::copy_n(machine->ports[port]->mac().begin(), 6, frame.begin());
    Packet packet;
    EXPECT_TRUE(worlds[0]->allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::copy(frame.begin(), frame.end(), packet.data);
    packet.port = port;
    return packet;
  }
  static Frame bytes_of(const Packet& packet) { return {packet.data, packet.data + packet.length}; }

  // What the device has, at most one burst.
  std::vector<Packet> receive(std::uint32_t worker, PortIndex port) {
    std::vector<Packet> packets(DeviceWorld::receive_burst);
    packets.resize(worlds[worker]->receive(port, 0, packets));
    return packets;
  }

  static inline Machine* machine = nullptr;
  const Frame udp = test::udp({"10.0.0.9", 41000}, {"198.51.100.7", 53});
  SpinLock lock;
  std::array<PointerRing, workers> arrivals{PointerRing(8), PointerRing(8)};
  FlowRecords records{4};
  NeighbourRequests requests{4};
  std::array<Wake, workers> wakes;
  Wake twin_wake;
  Wake routes_wake;
  std::array<std::unique_ptr<TwinLane>, 2> lanes{
      std::make_unique<TwinLane>(*machine->ports[0], machine->buffers.pool_for_frame(1500), nullptr, wakes[0]),
      std::make_unique<TwinLane>(*machine->ports[1], machine->buffers.pool_for_frame(1500), nullptr, wakes[0])};
  std::vector<std::unique_ptr<DeviceWorld>> worlds;
};

TEST_F(Devices, WhatIsTransmittedArrivesByteForByteWhereverItBeganInItsBuffer) {
  Packet grown = packet_of(udp, 1);
  const Frame inner = bytes_of(grown);
  grown.data -= 4;  // the pipeline puts headers in front
  grown.length += 4;
  std::copy_n(inner.begin(), 12, grown.data);
  Packet cut = packet_of(udp, 1);
  cut.length -= 2;
  std::vector<Frame> sent = {bytes_of(grown), bytes_of(cut)};
  std::vector<Packet> packets = {grown, cut};
  EXPECT_EQ(worlds[0]->transmit(1, packets), 0U);

  std::vector<Packet> arrived = receive(1, 1);
  ASSERT_EQ(arrived.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(bytes_of(arrived[i]), sent[i]);
    EXPECT_EQ(arrived[i].port, 1);
    EXPECT_EQ(arrived[i].weight, 1);
  }
  worlds[1]->release(arrived);
  EXPECT_TRUE(receive(1, 1).empty());
}

TEST_F(Devices, FramesForAnotherStationEndHereThoseForManyDoNot) {
  Packet ours = packet_of(udp, 0);
  Packet other = packet_of(udp, 0);
  other.data[5] = static_cast<std::uint8_t>(other.data[5] + 1);
  Packet broadcast = packet_of(udp, 0);
  std::fill_n(broadcast.data, 6, std::uint8_t{0xff});
  std::vector<Packet> packets = {other, ours, broadcast};
  const std::vector<Frame> kept = {bytes_of(ours), bytes_of(broadcast)};
  ASSERT_EQ(worlds[0]->transmit(0, packets), 0U);
  std::vector<Packet> arrived = receive(0, 0);
  ASSERT_EQ(arrived.size(), 2U);
  EXPECT_EQ(bytes_of(arrived[0]), kept[0]);
  EXPECT_EQ(bytes_of(arrived[1]), kept[1]);
  EXPECT_EQ(worlds[0]->counters().ports[0].other_host.get(), 1U);
  worlds[0]->release(arrived);
}

TEST_F(Devices, HandedOverPacketsKeepEverythingThatIsKnownOfThem) {
  Packet packet = packet_of(udp, 1);
  packet.weight = 3;
  packet.fragment_size = 1400;
  packet.fragment_id = 77;
  EXPECT_EQ(worlds[0]->hand_over(1, {&packet, 1}), 0U);
  std::array<Packet, DeviceWorld::burst_max> arrived;
  EXPECT_EQ(worlds[0]->receive_handed_over(arrived), 0U) << "it is the other's";
  ASSERT_EQ(worlds[1]->receive_handed_over(arrived), 1U);
  EXPECT_EQ(arrived[0].data, packet.data);
  EXPECT_EQ(arrived[0].length, packet.length);
  EXPECT_EQ(arrived[0].port, 1);
  EXPECT_EQ(arrived[0].weight, 3);
  EXPECT_EQ(arrived[0].fragment_size, 1400);
  EXPECT_EQ(arrived[0].fragment_id, 77U);
  EXPECT_EQ(worlds[0]->counters().handed_over.get(), 1U);
  worlds[1]->release(std::span(arrived).first(1));
}

TEST_F(Devices, AFullQueueOfAnotherWorkerIsCountedAndNothingLeaks) {
  std::vector<Packet> packets;
  for (int i = 0; i < 11; ++i) packets.push_back(packet_of(udp, 0));
  packets.back().weight = 4;
  EXPECT_EQ(worlds[0]->hand_over(1, packets), 3U);
  EXPECT_EQ(worlds[0]->counters().handed_over.get(), 8U);
  EXPECT_EQ(worlds[0]->counters().queue_full.get(), 6U) << "in received packets";
  EXPECT_EQ(worlds[0]->counters().ports[0].unseen_packets.get(), 6U) << "likewise";
  std::array<Packet, DeviceWorld::burst_max> arrived;
  ASSERT_EQ(worlds[1]->receive_handed_over(arrived), 8U);
  worlds[1]->release(std::span(arrived).first(8));
}

TEST_F(Devices, CyclesAreCountedByTheStageThatTookThem) {
  worlds[0]->begin_stages();
  worlds[0]->has_passed(Stage::receive);
  worlds[0]->has_passed(Stage::handle);
  const auto& cycles = worlds[0]->counters().stage_cycles;
  EXPECT_GT(cycles[static_cast<std::size_t>(Stage::receive)].get(), 0U);
  EXPECT_GT(cycles[static_cast<std::size_t>(Stage::handle)].get(), 0U);
  EXPECT_EQ(cycles[static_cast<std::size_t>(Stage::parse)].get(), 0U);
}

TEST_F(Devices, BuffersRunOutAndComeBack) {
  std::vector<Packet> taken;
  Packet packet;
  while (worlds[0]->allocate(1500, packet)) taken.push_back(packet);
  EXPECT_GT(taken.size(), 1000U);
  EXPECT_GE(taken[0].headroom, 128);
  EXPECT_FALSE(worlds[0]->allocate(100'000, packet)) << "no buffer is that large";
  const std::size_t count = taken.size();
  worlds[0]->release(taken);
  taken.clear();
  while (worlds[0]->allocate(64, packet)) taken.push_back(packet);
  EXPECT_EQ(taken.size(), count);
  worlds[0]->release(taken);
}

// net_af_xdp lends the kernel as many bytes as the buffers have; one that lies behind them is lost when it comes into
// use.
TEST_F(Devices, BuffersLieSideBySide) {
  std::vector<Packet> taken;
  Packet packet;
  while (worlds[0]->allocate(64, packet)) taken.push_back(packet);
  const auto [first, last] =
      std::minmax_element(taken.begin(), taken.end(), [](const Packet& a, const Packet& b) { return a.data < b.data; });
  EXPECT_LE(static_cast<std::size_t>(last->data - first->data), machine->buffers.memory_bytes());
  worlds[0]->release(taken);
}

TEST_F(Devices, TheKernelsFramesGoBothWays) {
  const Packet packet = packet_of(udp, 0);
  const Frame sent = bytes_of(packet);
  worlds[0]->to_kernel(0, packet);
  std::array<void*, 4> waiting;
  ASSERT_EQ(lanes[0]->to_kernel.pop(waiting), 1U);
  ASSERT_EQ(lanes[1]->to_wire.push(std::span(waiting).first(1)), 1U);
  EXPECT_FALSE(worlds[1]->send_from_kernel(false)) << "not its home";
  EXPECT_TRUE(worlds[0]->send_from_kernel(false));
  EXPECT_FALSE(worlds[0]->send_from_kernel(false));
  // It carries the MAC of port 0, for which port 1 is another station.
  EXPECT_TRUE(receive(0, 1).empty());
  EXPECT_EQ(worlds[0]->counters().ports[1].other_host.get(), 1U);
}

TEST_F(Devices, AFullLogLosesRecordsAndSaysSo) {
  FlowRecord record;
  for (std::uint64_t id = 1; id <= 6; ++id) {
    record.id = id;
    worlds[0]->record(record);
  }
  EXPECT_EQ(worlds[0]->counters().records_lost.get(), 2U);
  std::vector<FlowRecord> taken(8);
  ASSERT_EQ(records.pop(taken), 4U);
  EXPECT_EQ(taken[3].id, 4U);
}

TEST_F(Devices, NeighboursAreAskedForByPortAndAddress) {
  worlds[0]->resolve(1, test::address("203.0.113.254"));
  std::vector<NeighbourRequest> asked(4);
  ASSERT_EQ(requests.pop(asked), 1U);
  EXPECT_EQ(asked[0].port, 1);
  EXPECT_EQ(asked[0].address, test::address("203.0.113.254"));
}

// net_null has a hash and a table, and takes no key when it is configured.
TEST_F(Devices, ADeviceThatCannotSteerIsFoundOutWhenItStarts) {
  const Log quiet = [](Severity, const std::string&) {};
  config::PortConfig config;
  config.name = "nowhere";
  config.device = "net_null";
  Port port(2, config, plan_port(config, workers, quiet), workers, machine->buffers);
  ASSERT_EQ(port.receive_queues(), workers);
  port.start();
  EXPECT_EQ(port.steering().status().by, Steering::rings);
  EXPECT_NE(port.steering().status().why_not.find("hash key"), std::string::npos) << port.steering().status().why_not;
}

TEST_F(Devices, WhatCannotBeOpenedSaysWhichPortAndWhy) {
  const Log quiet = [](Severity, const std::string&) {};
  const auto complaint = [&](const char* device) -> std::string {
    config::PortConfig port;
    port.name = "third";
    port.device = device;
    try {
      Port opened(2, port, plan_port(port, 1, quiet), 1, machine->buffers);
    } catch (const EnvironmentError& error) {
      return error.what();
    }
    return "";
  };
  const auto says = [&](const char* device, const char* words) {
    const std::string text = complaint(device);
    EXPECT_NE(text.find("port \"third\""), std::string::npos) << text;
    EXPECT_NE(text.find(words), std::string::npos) << text;
  };
  says("eth1", "neither a PCI address");
  says("net_nosuch", "net_nosuch");
  says("net_af_packet", "iface=");
  says("net_af_packet,iface=nosuch0", "no interface \"nosuch0\"");
  says("ffff:ff:1f.7", "no PCI device ffff:ff:1f.7");
}

// Which of five packets a filter takes, and none of them cut short where it looks.
TEST_F(Devices, FiltersDecideAsTheirExpressionSays) {
  constexpr std::size_t link_bytes = 14;
  const std::vector<Frame> frames = {
      test::udp({"10.0.0.9", 41000}, {"198.51.100.7", 53}), test::udp({"fd00::9", 41000}, {"2001:db8::7", 443}),
      test::tcp({"10.0.0.9", 41000}, {"198.51.100.7", 443}, wire::Tcp::syn),
      test::tcp({"198.51.100.7", 443}, {"203.0.113.1", 1024}, wire::Tcp::ack),
      test::tcp({"fd00::9", 80}, {"2001:db8::7", 8080}, wire::Tcp::rst, {.payload = Frame(1000, 7)})};
  const auto taken = [&](const char* expression) {
    const BpfFilter filter(expression);
    std::string numbers;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const std::span<const std::uint8_t> ip = std::span(frames[i]).subspan(link_bytes);
      if (filter.accepts(ip)) numbers += std::to_string(i);
      for (std::size_t cut = 0; cut < ip.size(); ++cut) (void)filter.accepts(ip.first(cut));
    }
    return numbers;
  };
  EXPECT_EQ(taken("ip"), "023");
  EXPECT_EQ(taken("ip6"), "14");
  EXPECT_EQ(taken("host 10.0.0.9"), "02");
  EXPECT_EQ(taken("dst host 2001:db8::7"), "14");
  EXPECT_EQ(taken("net 198.51.100.0/24 and tcp"), "23");
  EXPECT_EQ(taken("udp port 53"), "0");
  EXPECT_EQ(taken("tcp portrange 400-500"), "23");
  EXPECT_EQ(taken("not port 443"), "04");
  EXPECT_EQ(taken("tcp[tcpflags] & tcp-syn != 0"), "2");
  EXPECT_EQ(taken("greater 500"), "4");
  EXPECT_EQ(taken("icmp"), "");
}

TEST_F(Devices, AWrongFilterSaysWhatIsWrong) {
  for (const char* wrong : {"hst 10.0.0.9", "host", "port 70000", "arp", "vlan 5", "(", "host 10.0.0.9 and"}) {
    try {
      const BpfFilter filter(wrong);
      ADD_FAILURE() << wrong;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()), "") << wrong;
    }
  }
}

// Tells what it hears as "sent 3", in the order of hearing.
class Listener final : public Onlooker {
 public:
  void sent(PortIndex, std::span<const Packet> packets) noexcept override { hear("sent", packets.size()); }
  void refused(PortIndex, std::span<const Packet> packets) noexcept override { hear("refused", packets.size()); }
  void released(std::span<const Packet> packets) noexcept override { hear("released", packets.size()); }
  void went_to_kernel(PortIndex, const Packet&) noexcept override { hear("kernel", 1); }
  void handed_over(std::uint32_t, std::span<const Packet> packets) noexcept override {
    hear("handed over", packets.size());
  }
  std::vector<std::string> heard;

 private:
  void hear(const char* what, std::size_t count) { heard.push_back(std::string(what) + ' ' + std::to_string(count)); }
};

TEST_F(Devices, AnOnlookerHearsWhatBecomesOfPacketsUntilItLeaves) {
  Listener listener;
  worlds[0]->look_on(&listener);
  std::vector<Packet> packets = {packet_of(udp, 1), packet_of(udp, 1)};
  ASSERT_EQ(worlds[0]->transmit(1, packets), 0U);
  std::vector<Packet> arrived = receive(0, 1);
  worlds[0]->release(arrived);
  worlds[0]->to_kernel(0, packet_of(udp, 0));
  EXPECT_EQ(listener.heard, (std::vector<std::string>{"sent 2", "released 2", "kernel 1"}));
  listener.heard.clear();

  // More than the device takes: nothing is lost without a word, and nothing leaks.
  std::vector<Packet> many;
  for (int i = 0; i < 1500; ++i) many.push_back(packet_of(udp, 1));
  const std::size_t refused = worlds[0]->transmit(1, many);
  ASSERT_GT(refused, 0U);
  EXPECT_EQ(listener.heard,
            (std::vector<std::string>{"sent " + std::to_string(many.size()), "refused " + std::to_string(refused),
                                      "released " + std::to_string(refused)}));
  worlds[0]->look_on(nullptr);
  listener.heard.clear();
  for (std::vector<Packet> some = receive(0, 1); !some.empty(); some = receive(0, 1)) worlds[0]->release(some);
  std::array<void*, 4> waiting;
  ASSERT_EQ(lanes[0]->to_kernel.pop(waiting), 1U);
  give_buffers(std::span(waiting).first(1));
  EXPECT_TRUE(listener.heard.empty());
}

}  // namespace
}  // namespace sallyport::dataplane
