// Somebody looks on: stories are whole and true, and the traffic is what it would be without them.
#include <algorithm>
#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "dataplane/tap/sighting.h"
#include "dataplane/tap/tap_point.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane {
namespace {

using test::Client;
using test::End;
using test::Frame;

const End client{"10.0.0.9", 41000};
const End other{"10.0.0.10", 41000};
const End server{"198.51.100.7", 443};

class Filter final : public PacketFilter {
 public:
  explicit Filter(std::function<bool(std::span<const std::uint8_t>)> takes) : takes_(std::move(takes)) {}
  [[nodiscard]] bool accepts(std::span<const std::uint8_t> ip) const noexcept override { return takes_(ip); }

 private:
  std::function<bool(std::span<const std::uint8_t>)> takes_;
};

// IPv4 packets from or to the address.
std::unique_ptr<const PacketFilter> host(const char* text) {
  const IpAddress address = test::address(text);
  return std::make_unique<Filter>([address](std::span<const std::uint8_t> ip) {
    if (ip.size() < 20 || ip[0] >> 4U != 4) return false;
    return std::equal(ip.begin() + 12, ip.begin() + 16, address.bytes.begin()) ||
           std::equal(ip.begin() + 16, ip.begin() + 20, address.bytes.begin());
  });
}

// A gateway whose worker is looked at.
class Watched : public test::Gateway {
 public:
  explicit Watched(const char* policy) : test::Gateway(policy), point(0, world, pipeline) {}
  Out from(PortIndex port, const std::vector<Frame>& frames) {
    std::vector<Packet> burst;
    for (const Frame& frame : frames) {
      Packet packet;
      EXPECT_TRUE(world.allocate(static_cast<std::uint32_t>(frame.size()), packet));
      std::copy(frame.begin(), frame.end(), packet.data);
      burst.push_back(packet);
    }
    point.process(port, burst, now, snapshot);
    expect_balance();
    Out out;
    out.inside.swap(world.sent[inside]);
    out.outside.swap(world.sent[outside]);
    return out;
  }
  void advance_ms(std::uint64_t ms) {
    now += ms * 1'000'000;
    point.advance(now, snapshot);
  }

  TapPoint point;
};

class Taps : public ::testing::Test {
 protected:
  Tap& attach(Watched& gateway, std::unique_ptr<const PacketFilter> filter, std::uint32_t snap = 65535,
              bool only_ended = false) {
    taps.push_back(std::make_unique<Tap>(TapSettings{std::move(filter), snap, only_ended}, 1));
    EXPECT_TRUE(gateway.point.attach(*taps.back()));
    return *taps.back();
  }
  // All that the tap was told. Blobs are kept, since frames lie in them.
  std::vector<Sighting> told(Tap& tap) {
    std::vector<Sighting> all;
    for (auto blob = tap.ring(0).front(); blob.data() != nullptr; blob = tap.ring(0).front()) {
      blobs.push_back(std::make_unique<Frame>(blob.begin(), blob.end()));
      all.push_back(Sighting::of(*blobs.back()));
      tap.ring(0).pop();
    }
    return all;
  }
  static Frame bytes_of(const Sighting::Frame& frame) { return {frame.bytes.begin(), frame.bytes.end()}; }

  std::vector<std::unique_ptr<Tap>> taps;
  std::vector<std::unique_ptr<Frame>> blobs;
};

TEST_F(Taps, APacketIsFollowedFromOneWireToTheOther) {
  Watched gateway(test::allow_all);
  Tap& tap = attach(gateway, nullptr);
  const Frame syn = test::tcp(client, server, wire::Tcp::syn);
  const auto out = gateway.from(Watched::inside, {syn});
  ASSERT_EQ(out.outside.size(), 1U);

  const std::vector<Sighting> seen = told(tap);
  ASSERT_EQ(seen.size(), 1U);
  const SightingHead& head = seen[0].head;
  EXPECT_TRUE(head.received);
  EXPECT_TRUE(head.from_inside);
  EXPECT_EQ(head.found, FlowFound::none);
  EXPECT_EQ(head.now, FlowFound::allowed);
  EXPECT_EQ(head.ends, 0);
  EXPECT_EQ(head.time_ns, gateway.now);
  ASSERT_EQ(seen[0].frames.size(), 2U);
  EXPECT_EQ(bytes_of(seen[0].frames[0]), syn) << "as it came, not as it left";
  EXPECT_EQ(bytes_of(seen[0].frames[1]), out.outside[0]);
  EXPECT_EQ(seen[0].frames[0].head.seen, Seen::received);
  EXPECT_EQ(seen[0].frames[1].head.port, Watched::outside);
  EXPECT_EQ(seen[0].frames[1].head.key.source_address(), test::address("203.0.113.1"));
  ASSERT_TRUE(seen[0].flow);
  EXPECT_TRUE(seen[0].flow->translated);
  EXPECT_EQ(gateway.name_of(seen[0].flow->network), "linkerd-egress/all");
}

TEST_F(Taps, ADenialNamesReasonAndNetworkAndShowsTheAnswer) {
  Watched gateway(test::deny_all);
  Tap& tap = attach(gateway, host("10.0.0.9"));
  (void)gateway.from(Watched::inside, {test::tcp(client, server, wire::Tcp::syn)});
  const std::vector<Sighting> seen = told(tap);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].head.now, FlowFound::denied);
  ASSERT_EQ(seen[0].head.ends, 1);
  EXPECT_EQ(seen[0].head.end[0].why, Drop::policy_denied);
  EXPECT_EQ(seen[0].head.end[0].packets, 1U);
  ASSERT_EQ(seen[0].frames.size(), 2U);
  EXPECT_EQ(seen[0].frames[1].head.weight, 0) << "a reset, made by the gateway";
  EXPECT_EQ(seen[0].frames[1].head.port, Watched::inside);
  EXPECT_EQ(seen[0].flow->reason, classifier::Reason::network_default);
}

TEST_F(Taps, AnAnswerIsFoundByItsClientsAddress) {
  Watched gateway(test::allow_all);
  const auto syn = gateway.from(Watched::inside, {test::tcp(client, server, wire::Tcp::syn, {.seq = 1000})});
  const test::Seen seen_syn = test::look_at(syn.outside.at(0));
  Tap& by_client = attach(gateway, host("10.0.0.9"));
  Tap& by_other = attach(gateway, host("10.0.0.10"));
  Tap& by_egress = attach(gateway, host("203.0.113.1"));
  const Frame answer = test::tcp(server, End(seen_syn.from(), seen_syn.from_port()), wire::Tcp::syn | wire::Tcp::ack,
                                 {.seq = 5000, .ack = 1001});
  const auto out = gateway.from(Watched::outside, {answer});
  ASSERT_EQ(out.inside.size(), 1U);
  const std::vector<Sighting> seen = told(by_client);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_FALSE(seen[0].head.from_inside);
  EXPECT_EQ(seen[0].head.found, FlowFound::allowed);
  EXPECT_EQ(bytes_of(seen[0].frames.at(0)), answer) << "the client's view was put back";
  EXPECT_EQ(bytes_of(seen[0].frames.at(1)), out.inside[0]);
  EXPECT_EQ(told(by_egress).size(), 1U);
  EXPECT_TRUE(told(by_other).empty());
}

TEST_F(Taps, OnlyWhatMatchesIsFollowedAndTheOrderStays) {
  Watched gateway(test::allow_all);
  Tap& tap = attach(gateway, host("10.0.0.9"));
  std::vector<Frame> burst;
  for (std::uint16_t i = 0; i < 20; ++i) {
    const bool ours = i % 3 == 1;
    burst.push_back(test::udp({ours ? "10.0.0.9" : "10.0.0.10", static_cast<std::uint16_t>(5000 + i)},
                              {"198.51.100.7", 53}, {static_cast<std::uint8_t>(i)}));
  }
  const auto out = gateway.from(Watched::inside, burst);
  ASSERT_EQ(out.outside.size(), burst.size());
  for (std::size_t i = 0; i < burst.size(); ++i) EXPECT_EQ(out.outside[i].back(), i);
  EXPECT_EQ(told(tap).size(), 7U);
}

TEST_F(Taps, WhatIsHeldIsSaidToBeAndItsEndIsTold) {
  Watched gateway(test::httpbin_only);
  Tap& tap = attach(gateway, nullptr);
  Tap& ended = attach(gateway, nullptr, 65535, true);
  const auto syn = gateway.from(Watched::inside, {test::tcp(client, server, wire::Tcp::syn, {.seq = 1000})});
  const test::Seen as_seen = test::look_at(syn.outside.at(0));
  (void)gateway.from(Watched::outside, {test::tcp(server, End(as_seen.from(), as_seen.from_port()),
                                                  wire::Tcp::syn | wire::Tcp::ack, {.seq = 5000, .ack = 1001})});
  // The beginning of a ClientHello, and never the rest.
  (void)gateway.from(Watched::inside, {test::tcp(client, server, wire::Tcp::ack | wire::Tcp::psh,
                                                 {.seq = 1001, .ack = 5001, .payload = {22, 3, 1, 2, 0, 1}})});
  std::vector<Sighting> seen = told(tap);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[2].head.held, 1U);
  EXPECT_EQ(seen[2].head.now, FlowFound::waiting);
  ASSERT_TRUE(seen[2].flow);
  EXPECT_TRUE(seen[2].flow->waiting);
  EXPECT_TRUE(told(ended).empty());
  for (int i = 0; i < 400; ++i) gateway.advance_ms(100);
  const std::vector<Sighting> ends = told(ended);
  ASSERT_EQ(ends.size(), 1U) << "its time was over";
  EXPECT_FALSE(ends[0].head.received);
  EXPECT_EQ(ends[0].head.end[0].why, Drop::hello_denied);
  seen = told(tap);
  EXPECT_TRUE(std::any_of(seen.begin(), seen.end(), [](const Sighting& s) { return s.head.ends != 0; }));
}

TEST_F(Taps, ATapOfEndsHearsOfNothingElse) {
  Watched gateway(test::httpbin_only);
  Tap& tap = attach(gateway, nullptr, 14, true);
  const Frame denied = test::udp(client, {"198.51.100.7", 53});
  Frame broken = test::tcp(client, server, wire::Tcp::syn);
  broken.resize(30);
  (void)gateway.from(Watched::inside, {test::tcp(other, server, wire::Tcp::syn), denied, broken, denied});
  const std::vector<Sighting> seen = told(tap);
  ASSERT_EQ(seen.size(), 3U);
  std::vector<Drop> reasons;
  for (const Sighting& one : seen) {
    ASSERT_EQ(one.frames.size(), 1U);
    EXPECT_LE(one.frames[0].bytes.size(), 14U) << "no more than was asked for";
    reasons.push_back(one.head.end[0].why);
  }
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), Drop::policy_denied), 1);
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), Drop::flow_denied), 1);
  EXPECT_EQ(seen[0].frames[0].head.length + seen[1].frames[0].head.length + seen[2].frames[0].head.length,
            2 * denied.size() + broken.size());
}

TEST_F(Taps, WhatIsForTheKernelSaysSo) {
  Watched gateway(test::allow_all);
  Tap& tap = attach(gateway, nullptr);
  Frame arp = test::udp(client, server);
  arp[12] = 8;
  arp[13] = 6;
  (void)gateway.from(Watched::inside, {arp});
  const std::vector<Sighting> seen = told(tap);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen[0].head.to_kernel);
  EXPECT_FALSE(seen[0].frames[0].head.ip);
}

TEST_F(Taps, AsManyAsThereIsRoomForAndNoneAfterItIsGone) {
  Watched gateway(test::allow_all);
  for (std::size_t i = 0; i < TapPoint::taps_max; ++i) attach(gateway, nullptr);
  Tap surplus({}, 1);
  EXPECT_FALSE(gateway.point.attach(surplus));
  for (const auto& tap : taps) gateway.point.detach(*tap);
  EXPECT_TRUE(gateway.point.idle());
  EXPECT_TRUE(gateway.point.attach(surplus));
  gateway.point.detach(surplus);
}

// The same random traffic with and without somebody who looks at all of it and never takes anything: what leaves is the
// same, byte for byte, and so is every counter; what did not fit into the ring is counted there.
TEST_F(Taps, TrafficIsWhatItWouldBeWithoutThem) {
  Watched watched(test::httpbin_only);
  Watched alone(test::httpbin_only);
  Tap& everything = attach(watched, nullptr);
  attach(watched, host("10.0.0.9"), 96);
  attach(watched, nullptr, 65535, true);
  std::minstd_rand random(7);
  const std::array<std::uint8_t, 4> flags = {wire::Tcp::syn, wire::Tcp::ack, wire::Tcp::ack | wire::Tcp::fin,
                                             wire::Tcp::rst};
  for (int burst = 0; burst < 400; ++burst) {
    std::vector<Frame> frames;
    for (unsigned i = 0; i < 32; ++i) {
      const End from(random() % 2 == 0 ? "10.0.0.9" : "10.0.0.10", static_cast<std::uint16_t>(40000 + random() % 64));
      const End to("198.51.100.7", random() % 4 == 0 ? 80 : 443);
      const Frame payload(random() % 2 == 0 ? 0 : random() % 1200, 22);
      frames.push_back(
          random() % 3 == 0
              ? test::udp(from, to, payload)
              : test::tcp(from, to, flags[random() % flags.size()],
                          {.seq = static_cast<std::uint32_t>(1000 + random() % 50), .ack = 5001, .payload = payload}));
      if (random() % 50 == 0) frames.back().resize(frames.back().size() - 3);
    }
    const PortIndex port = random() % 4 == 0 ? Watched::outside : Watched::inside;
    const auto seen = watched.from(port, frames);
    const auto unseen = alone.from(port, frames);
    ASSERT_EQ(seen.inside, unseen.inside) << "burst " << burst;
    ASSERT_EQ(seen.outside, unseen.outside) << "burst " << burst;
    watched.advance_ms(50);
    alone.advance_ms(50);
  }
  const Counters& a = watched.pipeline.counters();
  const Counters& b = alone.pipeline.counters();
  EXPECT_EQ(a.received.get(), 400U * 32U);
  EXPECT_EQ(a.received.get(), b.received.get());
  EXPECT_EQ(a.transmitted.get(), b.transmitted.get());
  EXPECT_EQ(a.held.get(), b.held.get());
  for (std::size_t i = 0; i < drop_count; ++i) {
    EXPECT_EQ(a.drops[i].get(), b.drops[i].get()) << to_string(static_cast<Drop>(i));
  }
  EXPECT_GT(everything.lost(), 0U) << "nobody took them";
  std::size_t received = 0;
  for (const Sighting& one : told(everything)) received += one.head.received ? 1 : 0;
  EXPECT_LE(received + everything.lost(), 400U * 32U + everything.lost());
  EXPECT_GT(received, 1000U);
}

}  // namespace
}  // namespace sallyport::dataplane
