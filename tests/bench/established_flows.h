// Established UDP flows and a source of their packets: 64-byte frames with real tuples and right checksums, flows in
// random order. What the benchmark times, what the instruction counts count and what must not allocate.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/load.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/parse.h"
#include "dataplane/wire/headers.h"
#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane::bench {

inline constexpr std::size_t burst_size = 32;
inline constexpr std::size_t frame_room = 1024;
inline constexpr const char* policy_text = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6",
             "203.0.113.7", "203.0.113.8", "203.0.113.9", "203.0.113.10", "203.0.113.11", "203.0.113.12",
             "203.0.113.13", "203.0.113.14", "203.0.113.15", "203.0.113.16", "203.0.113.17", "203.0.113.18",
             "203.0.113.19", "203.0.113.20", "203.0.113.21", "203.0.113.22", "203.0.113.23", "203.0.113.24",
             "203.0.113.25", "203.0.113.26", "203.0.113.27", "203.0.113.28", "203.0.113.29", "203.0.113.30",
             "2001:db8:ffff::1", "2001:db8:ffff::2", "2001:db8:ffff::3", "2001:db8:ffff::4", "2001:db8:ffff::5",
             "2001:db8:ffff::6", "2001:db8:ffff::7", "2001:db8:ffff::8", "2001:db8:ffff::9", "2001:db8:ffff::a",
             "2001:db8:ffff::b", "2001:db8:ffff::c", "2001:db8:ffff::d", "2001:db8:ffff::e", "2001:db8:ffff::f",
             "2001:db8:ffff::10", "2001:db8:ffff::11", "2001:db8:ffff::12", "2001:db8:ffff::13"]
)";

// Where the frames of both contestants come from and go to: here memory, no device. What the gateway itself says leaves
// as everything else does.
class Wires : public World {
 public:
  Wires() {
    for (auto& frame : frames_) frame = std::make_unique<std::array<std::uint8_t, frame_room>>();
  }

  // Frames of so many bytes, to be stamped: at most burst_size. The last ones are gone.
  virtual void take(std::span<Packet> burst, std::uint32_t bytes) noexcept {
    for (std::size_t i = 0; i < burst.size(); ++i) {
      burst[i] = Packet{};
      burst[i].data = frames_[i]->data() + headroom;
      burst[i].length = bytes;
      burst[i].headroom = headroom;
    }
  }
  std::size_t transmit(PortIndex, std::span<Packet> packets) noexcept override {
    sent += packets.size();
    return 0;
  }
  void release(std::span<Packet> packets) noexcept override { lost += packets.size(); }
  bool allocate(std::uint32_t length, Packet& packet) noexcept override {
    if (headroom + length > frame_room) return false;
    std::array<std::uint8_t, frame_room>& frame = own_frames_[own_next_++ % own_frames_.size()];
    packet = Packet{};
    packet.data = frame.data() + headroom;
    packet.length = length;
    packet.headroom = headroom;
    return true;
  }
  void to_kernel(PortIndex, Packet) noexcept override {}
  void record(const FlowRecord&) noexcept override {}
  void resolve(PortIndex, const IpAddress&) noexcept override {}

  std::size_t sent = 0;
  std::size_t lost = 0;

 private:
  static constexpr std::uint16_t headroom = 128;
  std::array<std::unique_ptr<std::array<std::uint8_t, frame_room>>, burst_size> frames_;
  std::array<std::array<std::uint8_t, frame_room>, 256> own_frames_;  // more than wait for the next flush
  std::size_t own_next_ = 0;
};

// Senders 10.x.y.z (fd00::x:y:z) of 32 endpoints each, on any of Linux's ephemeral ports, to many servers; so many
// flows an endpoint.
[[nodiscard]] inline FlowKey key_of(std::uint32_t flow, Family family, std::uint32_t per_endpoint = 1) {
  const std::uint32_t endpoint = flow / per_endpoint;
  const std::uint32_t sender = endpoint / 32;
  const std::uint32_t server = flow * 2654435761U & 0x00ffffffU;
  FlowKey key;
  key.protocol = IpProtocol::udp;
  key.family = family;
  key.source_port = wire::Be16(static_cast<std::uint16_t>(32768 + (endpoint * 2246822519U >> 16U) % 28232)).raw();
  key.destination_port = wire::Be16(4433).raw();
  if (family == Family::v4) {
    key.source = IpAddress::from_v4(0x0a000100U + sender).bytes;
    key.destination = IpAddress::from_v4(0x2d000000U | server).bytes;
    return key;
  }
  key.source = parse_address("fd00::").value().bytes;
  key.destination = parse_address("2001:db8:1::").value().bytes;
  for (unsigned i = 0; i < 4; ++i) {
    key.source[12 + i] = static_cast<std::uint8_t>(sender >> (24 - 8 * i));
    key.destination[12 + i] = static_cast<std::uint8_t>((0x2d000000U | server) >> (24 - 8 * i));
  }
  return key;
}

[[nodiscard]] inline test::Frame frame_of(const FlowKey& key) {
  const test::End from(to_string(key.source_address()), __builtin_bswap16(key.source_port));
  const test::End to(to_string(key.destination_address()), __builtin_bswap16(key.destination_port));
  return test::udp(from, to, test::Frame(18, 'x'));
}

// Servers behind a router outside, senders behind one inside, as a rack has them.
[[nodiscard]] inline std::shared_ptr<const Routing> routing() {
  constexpr PortIndex inside = 0, outside = 1;
  std::vector<RouteEntry> routes;
  std::vector<NeighbourEntry> neighbours;
  const auto router = [&](PortIndex port, const char* prefix, const char* address) {
    routes.push_back({parse_prefix(prefix).value().prefix, port, parse_address(address).value()});
    neighbours.push_back({port, parse_address(address).value(), {2, 0, 0, 0, 1, port}});
  };
  router(inside, "10.0.0.0/8", "192.0.2.1");
  router(inside, "fd00::/8", "fe80::1");
  router(outside, "0.0.0.0/0", "198.51.100.1");
  router(outside, "::/0", "fe80::2");
  return std::make_shared<const Routing>(routes, neighbours, std::vector<LocalAddress>{}, 0);
}

struct EstablishedFlows {
  EstablishedFlows(std::uint32_t flow_count, Family address_family, std::uint32_t per_endpoint = 1,
                   std::uint32_t spare_percent = 25, const std::string& policy = policy_text,
                   std::unique_ptr<Wires> between = std::make_unique<Wires>())
      : EstablishedFlows(
            flow_count, address_family, [=](std::uint32_t flow) { return key_of(flow, address_family, per_endpoint); },
            spare_percent, policy, std::move(between)) {}

  // Flow i has this key, a UDP one.
  EstablishedFlows(std::uint32_t flow_count, Family address_family, const std::function<FlowKey(std::uint32_t)>& key,
                   std::uint32_t spare_percent = 25, const std::string& policy = policy_text,
                   std::unique_ptr<Wires> between = std::make_unique<Wires>())
      : flows(flow_count), family(address_family), wires(std::move(between)), world(*wires) {
    auto loaded = config::load_policy({{"bench.toml", policy}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
    snapshot = make_snapshot(std::move(compiled.policy), routing(), 1, 1);
    PipelineSettings settings;
    settings.ports.resize(2);
    settings.ports[1].role = config::PortRole::outside;
    settings.limits.flows = flow_count + flow_count / 100 * spare_percent;
    settings.nat.source_check = false;
    settings.seed = 0x5a11;  // drawn, in a gateway
    pipeline = std::make_unique<Pipeline>(settings, world);

    const std::size_t length = frame_of(key(0)).size();
    templates.resize(std::size_t{flows} * length);
    frame_bytes = length;
    for (std::uint32_t flow = 0; flow < flows; ++flow) {
      const test::Frame frame = frame_of(key(flow));
      std::memcpy(templates.data() + flow * length, frame.data(), length);
    }
    send_all();
    shuffle_templates();
    if (world.lost != 0) throw std::runtime_error("flows were refused");
  }

  void send_all() {
    for (std::uint32_t i = 0; i < flows; i += burst_size) one_burst([&](std::span<Packet> burst) { forward(burst); });
  }

  // Turns the source round: from now on it sends the servers' answers.
  void answer_instead() {
    for (std::uint32_t flow = 0; flow < flows; ++flow) {
      std::uint8_t* frame = templates.data() + std::size_t{flow} * frame_bytes;
      Packet packet;
      packet.data = frame;
      packet.length = static_cast<std::uint32_t>(frame_bytes);
      Parsed parsed;
      Drop why{};
      if (parse(packet, {}, parsed, why) != ParseResult::ok) throw std::runtime_error("the source makes bad frames");
      const auto egress = pipeline->translation(parsed.key).value();
      const auto client = test::End(to_string(egress.address), __builtin_bswap16(egress.port));
      const auto server = test::End(to_string(parsed.key.destination_address()), 4433);
      const test::Frame answer = test::udp(server, client, test::Frame(18, 'y'));
      std::memcpy(frame, answer.data(), answer.size());
    }
  }

  // From now on the source sends other packets: `frame(i)`, at most as long, padded.
  template <typename FrameOf>
  void send_instead(const FrameOf& frame_of_number) {
    for (std::uint32_t i = 0; i < flows; ++i) put_template(i, frame_of_number(i));
  }
  void put_template(std::uint32_t i, test::Frame frame) {
    frame.resize(frame_bytes);
    std::memcpy(templates.data() + std::size_t{i} * frame_bytes, frame.data(), frame_bytes);
  }

  void forward(std::span<Packet> burst) { pipeline->process(0, burst, now += 1000, snapshot); }
  void forward_back(std::span<Packet> burst) { pipeline->process(1, burst, now += 1000, snapshot); }
  void swap_macs(std::span<Packet> burst) {
    for (Packet& packet : burst) {
      auto& link = wire::at<wire::Ethernet>(packet.data);
      std::swap(link.source, link.destination);
    }
    (void)world.transmit(1, burst);
  }

  void shuffle_templates() {
    std::mt19937 random(7);
    const auto at = [this](std::size_t i) { return templates.begin() + static_cast<std::ptrdiff_t>(i * frame_bytes); };
    for (std::uint32_t i = flows - 1; i > 0; --i) {
      const std::size_t other = std::uniform_int_distribution<std::uint32_t>(0, i)(random);
      if (other != i) std::swap_ranges(at(i), at(i + 1), at(other));
    }
  }

  template <typename Work>
  void one_burst(const Work& work) {
    std::array<Packet, burst_size> burst;
    world.take(burst, static_cast<std::uint32_t>(frame_bytes));
    for (const Packet& packet : burst) {
      std::memcpy(packet.data, templates.data() + std::size_t{next} * frame_bytes, frame_bytes);
      next = next + 1 == flows ? 0 : next + 1;
    }
    work(std::span<Packet>(burst));
  }

  std::uint32_t flows;
  Family family;
  classifier::Identities identities;
  Snapshot snapshot;
  std::unique_ptr<Wires> wires;
  Wires& world;
  std::unique_ptr<Pipeline> pipeline;
  // In the order in which they are sent, one behind the other, so that the processor fetches them ahead: a device puts
  // its frames into the cache. The flows were begun in another order.
  std::vector<std::uint8_t> templates;
  std::size_t frame_bytes = 0;
  std::uint32_t next = 0;
  Instant now = 1'700'000'000'000'000'000;
};

}  // namespace sallyport::dataplane::bench
