// Ports of an egress address: how they are chosen, counted, announced and given to sources.
#include <array>
#include <map>
#include <string>

#include "dataplane/flow/port_choice.h"
#include "dataplane/flow/port_load.h"
#include "dataplane/flow/source_ports.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using wire::Tcp;

const End server{"198.51.100.7", 53};

End host(int i) { return {"10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), 40000}; }

PipelineSettings with_ports(std::uint16_t first, std::uint16_t last) {
  PipelineSettings settings = two_ports();
  settings.nat.port_range = {first, last};
  return settings;
}

std::size_t announced(const Gateway& g) {
  return static_cast<std::size_t>(
      std::count_if(g.world.records.begin(), g.world.records.end(),
                    [](const FlowRecord& record) { return record.kind == RecordKind::ports_running_out; }));
}

TEST(PipelinePorts, N7PortsThatAreNotKeptAreDrawnAtRandom) {
  PipelineSettings settings = two_ports();
  settings.limits.flows = 16384;
  Gateway g(allow_all, settings);
  constexpr int draws = 10'000;
  std::array<int, 16> bins{};
  int steps_of_one = 0;
  std::uint16_t before = 0;
  for (int i = 0; i <= draws; ++i) {
    const std::uint16_t port = look_at(g.from_inside(tcp(host(i), server, Tcp::syn)).outside.at(0)).from_port();
    if (i == 0) continue;  // keeps its own
    ++bins.at((port - 1024U) / 4032U);
    if (port == before + 1) ++steps_of_one;
    before = port;
  }
  double chi_square = 0;
  constexpr double expected = draws / 16.0;
  for (const int count : bins) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 37.7) << "15 degrees of freedom, p = 0.001";
  EXPECT_LT(steps_of_one, 5);
}

TEST(PipelinePorts, N14IsAnnouncedOnceOnTheWay) {
  Gateway g(allow_all, with_ports(20000, 20099));
  for (int i = 0; i < 79; ++i) (void)g.from_inside(tcp(host(i), server, Tcp::syn));
  EXPECT_EQ(announced(g), 0U);
  for (int i = 79; i < 90; ++i) (void)g.from_inside(tcp(host(i), server, Tcp::syn));
  ASSERT_EQ(announced(g), 1U);
  const FlowRecord& record = g.world.records.at(0);
  EXPECT_EQ(record.ports, 80U);
  EXPECT_EQ(record.ports_of, 100U);
  EXPECT_EQ(to_string(record.nat_address), "203.0.113.1");
  EXPECT_EQ(to_string(record.inside.destination_address()), to_string(server.ip));
  EXPECT_EQ(record.inside.destination_port, __builtin_bswap16(server.port));
  // Towards others there is room.
  (void)g.from_inside(tcp(host(100), End("198.51.100.8", 53), Tcp::syn));
  const PortLoad load = g.pipeline.fullest_server();
  EXPECT_EQ(load.used, 90U);
  EXPECT_EQ(load.of, 100U);
  EXPECT_EQ(to_string(load.server), to_string(server.ip));
  // All of them go, and come again.
  (void)g.wait_ms(242'000);
  EXPECT_EQ(g.pipeline.fullest_server().used, 0U);
  for (int i = 0; i < 90; ++i) (void)g.from_inside(tcp(host(i), server, Tcp::syn));
  EXPECT_EQ(announced(g), 2U);
}

std::vector<AddressLoad> address_loads(const Gateway& g) {
  std::vector<AddressLoad> loads(AddressLoads::addresses_max);
  loads.resize(g.pipeline.address_loads(loads));
  return loads;
}

TEST(PipelinePorts, OfEachAddressAreCountedOnceHoweverManyServersTheyServe) {
  Gateway g(allow_all, with_ports(20000, 20099));
  EXPECT_TRUE(address_loads(g).empty());
  for (const char* to : {"198.51.100.7", "198.51.100.8"}) {
    for (int i = 0; i < 30; ++i)
      (void)g.from_inside(tcp(End("10.1.0.1", static_cast<std::uint16_t>(20000 + i)), End(to, 443), Tcp::syn));
  }
  (void)g.from_inside(tcp(End("10.1.0.1", 20050), End("198.51.100.8", 443), Tcp::syn));
  for (int i = 0; i < 5; ++i) (void)g.from_inside(udp(host(i), server));
  const std::vector<AddressLoad> loads = address_loads(g);
  ASSERT_EQ(loads.size(), 1U);
  EXPECT_EQ(to_string(loads[0].address), "203.0.113.1");
  EXPECT_EQ(loads[0].ports, (std::array<std::uint32_t, 3>{31, 5, 0}));
  EXPECT_EQ(to_string(loads[0].fullest.server), "198.51.100.8");
  EXPECT_EQ(loads[0].fullest.used, 31U);
  EXPECT_EQ(loads[0].fullest.of, 100U);
  (void)g.wait_ms(301'000);
  EXPECT_TRUE(address_loads(g).empty());
}

TEST(PipelinePorts, OfAnAddressAreCountedOverAllServers) {
  Gateway g(allow_all, with_ports(20000, 20099));
  for (int i = 0; i < 80; ++i) {
    (void)g.from_inside(udp(host(i), End("198.51.100." + std::to_string(i), 53)));
  }
  EXPECT_EQ(announced(g), 1U);
  const PortLoad load = g.pipeline.fullest_address();
  EXPECT_FALSE(load.towards_server);
  EXPECT_EQ(load.used, 80U);
  EXPECT_EQ(load.protocol, IpProtocol::udp);
  (void)g.wait_ms(301'000);
  EXPECT_EQ(g.pipeline.fullest_address().used, 0U);
}

std::size_t recorded(const Gateway& g, RecordKind kind) {
  return static_cast<std::size_t>(std::count_if(g.world.records.begin(), g.world.records.end(),
                                                [&](const FlowRecord& record) { return record.kind == kind; }));
}

TEST(PipelinePorts, WhoLogsTranslationsIsToldWhenOneBegins) {
  PipelineSettings settings = with_ports(20000, 20001);
  settings.translation_records = true;
  Gateway g(allow_all, settings);
  (void)g.from_inside(tcp(host(0), server, Tcp::syn));
  ASSERT_EQ(recorded(g, RecordKind::translation_begun), 1U);
  const FlowRecord& record = g.world.records.at(0);
  EXPECT_EQ(to_string(record.nat_address), "203.0.113.1");
  EXPECT_TRUE(record.nat_port == __builtin_bswap16(20000) || record.nat_port == __builtin_bswap16(20001));
  EXPECT_EQ(record.inside.destination_port, __builtin_bswap16(server.port));
  (void)g.from_inside(tcp(host(0), server, Tcp::syn));
  EXPECT_EQ(recorded(g, RecordKind::translation_begun), 1U) << "once a flow";
}

TEST(PipelinePorts, WhoLogsTranslationsIsToldOfTheWantOfPortsAFewTimesASecond) {
  PipelineSettings settings = with_ports(20000, 20001);
  settings.exhaustion_records = true;
  Gateway g(allow_all, settings);
  for (int i = 0; i < 50; ++i) (void)g.from_inside(tcp(host(i), server, Tcp::syn));
  EXPECT_EQ(recorded(g, RecordKind::ports_exhausted), 10U);
  const auto first = std::find_if(g.world.records.begin(), g.world.records.end(),
                                  [](const FlowRecord& record) { return record.kind == RecordKind::ports_exhausted; });
  EXPECT_EQ(to_string(first->nat_address), "203.0.113.1");
  (void)g.wait_ms(1001);
  (void)g.from_inside(tcp(host(60), server, Tcp::syn));
  EXPECT_EQ(recorded(g, RecordKind::ports_exhausted), 11U);
}

TEST(PipelinePorts, NobodyElseIs) {
  Gateway g(allow_all, with_ports(20000, 20001));
  for (int i = 0; i < 5; ++i) (void)g.from_inside(tcp(host(i), server, Tcp::syn));
  EXPECT_EQ(recorded(g, RecordKind::translation_begun) + recorded(g, RecordKind::ports_exhausted), 0U);
}

TEST(PipelinePorts, N59ErrorsAreRateLimited) {
  Gateway g(allow_all, with_ports(20000, 20000));
  (void)g.from_inside(tcp(host(0), server, Tcp::syn));
  std::size_t told = 0;
  for (int i = 1; i <= 1500; ++i) told += g.from_inside(tcp(host(i), server, Tcp::syn)).inside.size();
  EXPECT_EQ(told, 1000U);
  EXPECT_EQ(g.dropped(Drop::nat_ports_exhausted), 1500U);
  (void)g.wait_ms(1100);
  EXPECT_EQ(g.from_inside(tcp(host(0), End("198.51.100.7", 54), Tcp::syn)).outside.size(), 1U);
}

TEST(PipelinePorts, BlocksOfWorkersShareTheRange) {
  for (const std::uint32_t piece : {16U, 512U, 1000U}) {
    std::map<std::uint16_t, std::uint32_t> owners;
    for (std::uint32_t w = 0; w < 3; ++w) {
      const PortSlice slice(1024, 65535, w, 3, piece);
      for (std::uint32_t i = 0; i < slice.size(); ++i) {
        ASSERT_TRUE(slice.contains(slice.at(i)));
        ASSERT_EQ(port_owner(slice.at(i), 3, piece), w);
        owners.emplace(slice.at(i), w);
      }
    }
    EXPECT_EQ(owners.size(), 64512U);
  }
}

// Against a map, in a random order.
TEST(SourcePorts, KnowWhoHasWhat) {
  for (const std::uint32_t block : {0U, 8U}) {
    config::NatConfig nat;
    nat.port_block = block;
    nat.ports_per_source_max = 64;
    Random random(7);
    const KeyHash hash(random);
    SourcePorts ports(512, nat, hash);
    std::vector<std::pair<std::uint32_t, int>> users;  // block, source
    std::map<int, std::map<std::uint16_t, int>> known;
    const std::uint32_t size = block == 0 ? 1 : block;
    for (int i = 0; i < 20'000; ++i) {
      if (users.size() < 300 && random.below(2) == 0) {
        const int source = static_cast<int>(random.below(8));
        const auto port = static_cast<std::uint16_t>(2048 + source * 256 + static_cast<int>(random.below(200)));
        const std::uint32_t number = ports.enter(host(source).ip, 1, port);
        ASSERT_NE(number, 0U);
        users.emplace_back(number, source);
        const int count = ++known[source][ports.first_of(port)];
        ASSERT_EQ(ports[number].users, static_cast<std::uint32_t>(count));
      } else if (!users.empty()) {
        const std::size_t which = random.below(static_cast<std::uint32_t>(users.size()));
        const auto [number, source] = users[which];
        users.erase(users.begin() + static_cast<std::ptrdiff_t>(which));
        const std::uint16_t first = ports[number].first;
        const bool last = ports.leave(number);
        ASSERT_EQ(last, --known[source][first] == 0);
        if (last) {
          known[source].erase(first);
          ports.take_back(number);
          ASSERT_EQ(ports.find(host(source).ip, 1, first), 0U);
        }
      }
      const int one = static_cast<int>(random.below(8));
      ASSERT_EQ(ports.may_grow(host(one).ip), known[one].size() < 64 / size);
      std::size_t listed = 0;
      (void)ports.any_of(host(one).ip, 1, [&](std::uint16_t first) {
        EXPECT_TRUE(known[one].contains(first));
        ++listed;
        return false;
      });
      ASSERT_EQ(listed, known[one].size());
    }
  }
}

}  // namespace
}  // namespace sallyport::dataplane::test
