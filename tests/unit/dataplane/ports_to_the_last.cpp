// One egress address, 20 servers, as many connections to each of them at once as the address has ports. Here 3,000;
// SALLYPORT_CONNECTIONS=60000, as `make fuzz` has it, opens 1.2 million flows: 20 seconds of a processor, 600 MB.
#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.h"
#include "dataplane/flow/port_load.h"
#include "dataplane/pipeline.h"
#include "tests/unit/dataplane/packet_maker.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using wire::Tcp;

constexpr std::uint32_t servers = 20;
constexpr std::uint16_t first_port = 1024;
constexpr PortIndex inside = 0, outside = 1;

std::uint32_t connections_each() {
  const char* text = std::getenv("SALLYPORT_CONNECTIONS");
  return text != nullptr ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : 3'000;
}

// One frame goes in at a time, and what came of it last at each port is kept.
class OneFrame final : public World {
 public:
  std::size_t transmit(PortIndex port, std::span<Packet> packets) noexcept override {
    for (const Packet& packet : packets) sent[port].assign(packet.data, packet.data + packet.length);
    return 0;
  }
  void release(std::span<Packet>) noexcept override {}
  bool allocate(std::uint32_t length, Packet& packet) noexcept override {
    if (length + 128 > made_.size()) return false;
    packet = Packet{};
    packet.data = made_.data() + 128;
    packet.headroom = 128;
    packet.length = length;
    return true;
  }
  void to_kernel(PortIndex, Packet) noexcept override {}
  void record(const FlowRecord& record) noexcept override {
    if (record.kind == RecordKind::ports_running_out) announced.push_back(record);
  }
  void resolve(PortIndex, const IpAddress&) noexcept override {}

  Packet take_in(const Frame& frame) {
    std::copy(frame.begin(), frame.end(), received_.begin() + 128);
    Packet packet;
    packet.data = received_.data() + 128;
    packet.headroom = 128;
    packet.length = static_cast<std::uint32_t>(frame.size());
    return packet;
  }

  std::array<Frame, 2> sent;
  std::vector<FlowRecord> announced;

 private:
  std::array<std::uint8_t, 1024> received_{}, made_{};
};

class PortsToTheLast : public ::testing::Test {
 protected:
  PortsToTheLast() : pipeline_(settings(), world_) {
    auto loaded = config::load_policy({{"policy.toml", allow_all}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities_);
    snapshot_ = make_snapshot(std::move(compiled.policy), Routing::two_wires(inside, outside), 1, 1);
  }

  static PipelineSettings settings() {
    PipelineSettings settings;
    settings.ports.resize(2);
    settings.ports[outside].role = config::PortRole::outside;
    settings.limits.flows = servers * connections_each() + 1'000;
    settings.limits.held_bytes = 4U << 20U;
    settings.nat.source_check = false;
    settings.nat.port_range = {first_port, static_cast<std::uint16_t>(first_port + connections_each() - 1)};
    return settings;
  }
  static End server(std::uint32_t number) { return {"198.51.100." + std::to_string(number + 1), 443}; }
  // A host has one connection to each server, all of them from the same port.
  static End client(std::uint32_t number) {
    return {"10.1." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1), 40000};
  }

  // What leaves by a port because of the frame; empty: nothing.
  const Frame& pass(PortIndex from, const Frame& frame, PortIndex to) {
    for (Frame& sent : world_.sent) sent.clear();
    Packet packet = world_.take_in(frame);
    pipeline_.process(from, {&packet, 1}, now_, snapshot_);
    return world_.sent[to];
  }
  // The port that the server sees, after three packets; 0: the first one was refused.
  std::uint16_t connect(const End& from, const End& to) {
    const Frame& syn = pass(inside, tcp(from, to, Tcp::syn, {.seq = 1000}), outside);
    if (syn.empty()) return 0;
    const Seen seen = look_at(syn);
    EXPECT_EQ(seen.from(), "203.0.113.1");
    const std::uint16_t port = seen.from_port();
    EXPECT_TRUE(answers(to, port, Tcp::syn | Tcp::ack, 5000));
    EXPECT_FALSE(pass(inside, tcp(from, to, Tcp::ack, {.seq = 1001, .ack = 5001}), outside).empty());
    return port;
  }
  bool answers(const End& from, std::uint16_t port, std::uint8_t flags, std::uint32_t seq) {
    return !pass(outside, tcp(from, {"203.0.113.1", port}, flags, {.seq = seq, .ack = 1001}), inside).empty();
  }
  [[nodiscard]] std::uint64_t exhausted() const {
    return pipeline_.counters().drops[static_cast<std::size_t>(Drop::nat_ports_exhausted)].get();
  }
  void wait_ms(std::uint32_t ms) {
    for (std::uint32_t i = 0; i < ms; i += 100) pipeline_.advance(now_ += 100'000'000, snapshot_);
  }

  // So many servers in turn, so that they are full at the same time. Every port to every server once.
  void fill(std::uint32_t server_count) {
    for (std::uint32_t number = 0; number < each_; ++number) {
      for (std::uint32_t to = 0; to < server_count; ++to) {
        const std::uint16_t port = connect(client(number), server(to));
        ASSERT_NE(port, 0U) << number << " to " << to;
        ASSERT_FALSE(used_.at(to)[port]) << port << " is given twice";
        used_.at(to)[port] = true;
        last_port_.at(to) = port;
      }
      if (number + 1 == each_ / 2) expect_gauge(each_ / 2);
    }
  }
  void expect_gauge(std::uint32_t used) const {
    const PortLoad& load = pipeline_.fullest_server();
    EXPECT_EQ(load.used, used);
    EXPECT_EQ(load.of, each_);
    EXPECT_EQ(to_string(load.address), "203.0.113.1");
  }
  void expect_refusal(const End& from, const End& to) {
    const std::uint64_t before = exhausted();
    const Frame answer = pass(inside, tcp(from, to, Tcp::syn), inside);
    EXPECT_TRUE(world_.sent[outside].empty());
    EXPECT_EQ(exhausted(), before + 1);
    ASSERT_FALSE(answer.empty()) << "RFC 6888 REQ-11";
    EXPECT_EQ(look_at(answer).icmp().type, wire::icmp_unreachable);
    EXPECT_EQ(look_at(answer).icmp().code, wire::icmp_code_host_unreachable);
  }

  const std::uint32_t each_ = connections_each();
  OneFrame world_;
  classifier::Identities identities_;
  Snapshot snapshot_;
  Pipeline pipeline_;
  Instant now_ = 1'700'000'000'000'000'000;
  std::array<std::bitset<65536>, servers> used_;
  std::array<std::uint16_t, servers> last_port_{};
};

TEST_F(PortsToTheLast, OneAddressServesEachServerWithAllOfThem) {
  fill(servers);
  expect_gauge(each_);
  ASSERT_EQ(world_.announced.size(), servers) << "once for each server";
  for (const FlowRecord& record : world_.announced) {
    EXPECT_EQ(record.ports, each_ / 5 * 4);
    EXPECT_EQ(record.ports_of, each_);
  }
  EXPECT_EQ(exhausted(), 0U);

  const End late = client(each_);
  for (std::uint32_t to = 0; to < servers; ++to) expect_refusal(late, server(to));
  EXPECT_NE(connect(late, server(servers)), 0U) << "there is room towards another server";
  for (std::uint32_t to = 0; to < servers; ++to) {
    const Frame data = tcp(client(each_ - 1), server(to), Tcp::ack, {.seq = 1001, .ack = 5001, .payload = {1, 2, 3}});
    EXPECT_FALSE(pass(inside, data, outside).empty()) << "who is connected goes on";
    EXPECT_TRUE(answers(server(to), last_port_.at(to), Tcp::ack, 5001));
  }
}

TEST_F(PortsToTheLast, ThatIsFreedIsFoundAgain) {
  fill(1);
  const End from = client(each_ - 1), to = server(0);
  const Frame fin = tcp(from, to, Tcp::fin | Tcp::ack, {.seq = 1001, .ack = 5001});
  EXPECT_FALSE(pass(inside, fin, outside).empty());
  EXPECT_TRUE(answers(to, last_port_[0], Tcp::fin | Tcp::ack, 5001));
  EXPECT_FALSE(pass(inside, tcp(from, to, Tcp::ack, {.seq = 1002, .ack = 5002}), outside).empty());
  expect_refusal(client(each_), to);
  wait_ms(241'000);
  EXPECT_EQ(connect(client(each_), to), last_port_[0]);
  expect_refusal(client(each_ + 1), to);
}

// A port is one endpoint's of UDP. Who comes when none is left costs no search of all of them, whoever comes.
TEST_F(PortsToTheLast, AFullAddressIsNotSearchedForEachPacket) {
  const auto send = [&](std::uint32_t first, std::uint32_t count) {
    std::vector<Frame> frames;
    for (std::uint32_t i = first; i < first + count; ++i) frames.push_back(udp(client(i), server(0), {1, 2, 3}));
    const auto begin = std::chrono::steady_clock::now();
    for (const Frame& frame : frames) (void)pass(inside, frame, outside);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / count;
  };
  const double opened = send(0, each_);
  EXPECT_EQ(exhausted(), 0U);
  double refused = 1;
  for (std::uint32_t round = 0; round < 5; ++round) refused = std::min(refused, send(each_ + round * 500, 500));
  EXPECT_EQ(exhausted(), 2500U);
  EXPECT_LT(refused, 2 * opened);

  wait_ms(301'000);
  EXPECT_FALSE(pass(inside, udp(client(each_), server(0), {1, 2, 3}), outside).empty()) << "its port is free again";
}

}  // namespace
}  // namespace sallyport::dataplane::test
