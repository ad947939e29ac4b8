// A pipeline between two vectors: what goes in, what comes out, at a time of the test's choosing.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.h"
#include "dataplane/pipeline.h"
#include "tests/unit/dataplane/packet_maker.h"
#include "tests/unit/dataplane/vector_world.h"

namespace sallyport::dataplane::test {

inline PipelineSettings two_ports() {
  PipelineSettings settings;
  settings.ports.resize(2);
  settings.ports[0].role = config::PortRole::inside;
  settings.ports[1].role = config::PortRole::outside;
  settings.limits.flows = 4096;
  settings.limits.held_bytes = 4U << 20U;
  settings.nat.source_check = false;
  return settings;
}

class Gateway {
 public:
  static constexpr PortIndex inside = 0;
  static constexpr PortIndex outside = 1;

  explicit Gateway(const std::string& policy, const PipelineSettings& settings = two_ports())
      : pipeline(settings, world), workers_(settings.workers) {
    if (!policy.empty())
      reload(policy);
    else
      snapshot = make_snapshot(nullptr, routing(), 0, workers_);
  }
  ~Gateway() {
    pipeline.finish(now, snapshot);
    expect_balance();
    EXPECT_EQ(world.buffers, 0) << "buffers lost or given back twice";
    EXPECT_EQ(pipeline.counters().held.get(), 0U);
  }

  void reload(const std::string& policy) {
    auto loaded = config::load_policy({{"policy.toml", policy}});
    for (const auto& d : loaded.diagnostics.all()) {
      if (d.severity == config::Severity::error) ADD_FAILURE() << to_text(d, loaded.files);
    }
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
    auto names = fitting_names(compiled.policy.get(), snapshot.names, workers_, 1);
    snapshot = make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)), routing(),
                             ++generation_, workers_, std::move(names), &snapshot);
  }

  // As reload(), for the policy that is asked and not obeyed.
  void reload_shadow(const std::string& policy) {
    auto loaded = config::load_policy({{"shadow.toml", policy}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
    snapshot = with_shadow(snapshot, std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)), workers_);
  }

  // Everything that left or was made because of the frame.
  struct Out {
    std::vector<Frame> inside, outside;
    [[nodiscard]] bool silent() const { return inside.empty() && outside.empty(); }
  };
  Out from(PortIndex port, const Frame& frame) {
    Packet packet;
    EXPECT_TRUE(world.allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::copy(frame.begin(), frame.end(), packet.data);
    pipeline.process(port, {&packet, 1}, now, snapshot);
    expect_balance();
    return take();
  }
  Out from_inside(const Frame& frame) { return from(inside, frame); }
  Out from_outside(const Frame& frame) { return from(outside, frame); }
  Out wait_ms(std::uint64_t ms) {
    // In steps, as a worker would.
    for (std::uint64_t left = ms; left != 0;) {
      const std::uint64_t step = std::min<std::uint64_t>(left, 100);
      now += step * 1'000'000;
      left -= step;
      pipeline.advance(now, snapshot);
    }
    expect_balance();
    return take();
  }
  [[nodiscard]] std::uint64_t dropped(Drop why) const {
    return pipeline.counters().drops[static_cast<std::size_t>(why)].get();
  }
  [[nodiscard]] std::string name_of(classifier::Id id) const { return identities.name(id); }

  void expect_balance() const {
    const Counters& c = pipeline.counters();
    std::uint64_t ends = c.transmitted.get() + c.held.get();
    for (const Counter& drop : c.drops) ends += drop.get();
    EXPECT_EQ(c.received.get(), ends) << "received = transmitted + held + sum of the reasons";
  }

  VectorWorld world;
  classifier::Identities identities;
  Snapshot snapshot;
  Pipeline pipeline;
  Instant now = 1'700'000'000'000'000'000;

 private:
  static std::shared_ptr<const Routing> routing() { return Routing::two_wires(inside, outside); }
  Out take() {
    Out out;
    out.inside.swap(world.sent[inside]);
    out.outside.swap(world.sent[outside]);
    return out;
  }
  std::uint32_t generation_ = 0;
  std::uint32_t workers_;
};

// A TCP client's side of a connection, to be driven step by step.
class Client {
 public:
  Client(Gateway& gateway, End from, End to) : gateway_(gateway), from_(from), to_(to) {}

  // SYN, SYN-ACK, ACK; remembers how the server saw it.
  void connect() {
    const auto syn = gateway_.from_inside(tcp(from_, to_, wire::Tcp::syn, {.seq = 1000}));
    ASSERT_EQ(syn.outside.size(), 1U);
    seen_ = look_at(syn.outside[0]);
    const auto answer = gateway_.from_outside(
        tcp(to_, End(seen_.from(), seen_.from_port()), wire::Tcp::syn | wire::Tcp::ack, {.seq = 5000, .ack = 1001}));
    ASSERT_EQ(answer.inside.size(), 1U);
    const auto ack = gateway_.from_inside(tcp(from_, to_, wire::Tcp::ack, {.seq = 1001, .ack = 5001}));
    ASSERT_EQ(ack.outside.size(), 1U);
  }
  // Payload at an offset of the client's stream.
  Gateway::Out send(std::uint32_t offset, const Frame& payload, std::uint8_t flags = wire::Tcp::ack | wire::Tcp::psh) {
    return gateway_.from_inside(tcp(from_, to_, flags, {.seq = 1001 + offset, .ack = 5001, .payload = payload}));
  }
  // `has`: bytes of the client's stream that it acknowledges.
  Gateway::Out server_sends(std::uint32_t offset, const Frame& payload, std::uint8_t flags = wire::Tcp::ack,
                            std::uint32_t has = 0) {
    return gateway_.from_outside(tcp(to_, End(seen_.from(), seen_.from_port()), flags,
                                     {.seq = 5001 + offset, .ack = 1001 + has, .payload = payload}));
  }
  [[nodiscard]] const Seen& as_seen() const { return seen_; }

 private:
  Gateway& gateway_;
  End from_, to_;
  Seen seen_;
};

}  // namespace sallyport::dataplane::test
