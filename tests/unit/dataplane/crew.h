// Several workers' pipelines between an inside and an outside port, and what they hand to each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/flow/port_choice.h"
#include "tests/unit/dataplane/crew_world.h"
#include "tests/unit/dataplane/pipeline_harness.h"

namespace sallyport::dataplane::test {

class Crew {
 public:
  static constexpr PortIndex inside = 0;
  static constexpr PortIndex outside = 1;

  explicit Crew(const std::string& policy, const PipelineSettings& each = two_ports(), std::uint32_t workers = 4)
      : piece_(piece_ports(each.nat)) {
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      PipelineSettings settings = each;
      settings.worker = worker;
      settings.workers = workers;
      settings.seed = worker;
      worlds_.push_back(std::make_unique<CrewWorld>(arrivals_));
      pipelines_.push_back(std::make_unique<Pipeline>(settings, *worlds_.back()));
    }
    reload(policy);
  }
  ~Crew() {
    for (const auto& pipeline : pipelines_) pipeline->finish(now_, snapshot);
    std::uint64_t ends = held() + sum([](const Counters& c) { return c.transmitted.get(); });
    for (std::size_t i = 0; i < drop_count; ++i) ends += dropped(static_cast<Drop>(i));
    const std::uint64_t received = sum([](const Counters& c) { return c.received.get(); });
    EXPECT_EQ(received, offered_[inside] + offered_[outside]) << "each packet is received once";
    EXPECT_EQ(received, ends);
    for (const PortIndex port : {inside, outside})
      EXPECT_EQ(sum([&](const Counters& c) { return c.ports[port].received_packets.get(); }), offered_[port]);
    int buffers = 0;
    for (const auto& world : worlds_) buffers += world->buffers;
    EXPECT_EQ(buffers, 0);
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void reload(const std::string& policy) {
    auto loaded = config::load_policy({{"policy.toml", policy}});
    for (const auto& d : loaded.diagnostics.all()) {
      if (d.severity == config::Severity::error) ADD_FAILURE() << to_text(d, loaded.files);
    }
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities_);
    snapshot = make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                             Routing::two_wires(inside, outside), ++generation_,
                             static_cast<std::uint32_t>(pipelines_.size()), nullptr, &snapshot);
  }
  void advance_ms(std::uint64_t ms) {
    now_ += ms * 1'000'000;
    for (const auto& pipeline : pipelines_) pipeline->advance(now_, snapshot);
  }

  [[nodiscard]] std::uint32_t owner(const Frame& frame, PortIndex port) const {
    Frame copy = frame;
    Packet packet;
    packet.data = copy.data();
    packet.length = static_cast<std::uint32_t>(copy.size());
    packet.port = port;
    const auto role = port == inside ? config::PortRole::inside : config::PortRole::outside;
    return Pipeline::owner(packet, role, static_cast<std::uint32_t>(pipelines_.size()), 0, snapshot, piece_);
  }

  // As a worker does with what its queue brings; what left by `to` for it.
  std::vector<Frame> in(PortIndex port, const Frame& frame, PortIndex to) {
    ++offered_[port];
    const std::uint32_t first = owner(frame, port);
    Packet packet;
    EXPECT_TRUE(worlds_[first]->allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::copy(frame.begin(), frame.end(), packet.data);
    packet.port = port;
    --worlds_[first]->buffers;
    arrivals_.emplace_back(first, packet);
    for (steps = 0; !arrivals_.empty(); ++steps) {
      auto [worker, next] = arrivals_.front();
      arrivals_.pop_front();
      ++worlds_[worker]->buffers;
      pipelines_[worker]->process(next.port, {&next, 1}, now_, snapshot);
    }
    std::vector<Frame> out;
    for (const auto& world : worlds_) {
      out.insert(out.end(), world->sent[to].begin(), world->sent[to].end());
      world->sent[inside].clear();
      world->sent[outside].clear();
    }
    return out;
  }
  std::vector<Frame> from_inside(const Frame& frame) { return in(inside, frame, outside); }
  std::vector<Frame> from_outside(const Frame& frame) { return in(outside, frame, inside); }
  Seen out(const Frame& frame) { return only(from_inside(frame)); }
  Seen back(const Frame& frame) { return only(from_outside(frame)); }
  Seen round(const Frame& frame) { return only(in(inside, frame, inside)); }

  [[nodiscard]] std::uint64_t dropped(Drop why) const {
    return sum([&](const Counters& c) { return c.drops[static_cast<std::size_t>(why)].get(); });
  }
  [[nodiscard]] std::uint64_t held() const {
    return sum([](const Counters& c) { return c.held.get(); });
  }

  Snapshot snapshot;
  unsigned steps = 0;  // packets that workers looked at, for the last one that came in

 private:
  template <typename Of>
  [[nodiscard]] std::uint64_t sum(const Of& of) const {
    std::uint64_t sum = 0;
    for (const auto& pipeline : pipelines_) sum += of(pipeline->counters());
    return sum;
  }
  static Seen only(const std::vector<Frame>& frames) {
    EXPECT_EQ(frames.size(), 1U);
    return frames.empty() ? Seen{} : look_at(frames[0]);
  }

  classifier::Identities identities_;
  CrewWorld::Arrivals arrivals_;
  std::vector<std::unique_ptr<CrewWorld>> worlds_;
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  Instant now_ = 1'700'000'000'000'000'000;
  std::uint64_t offered_[2] = {0, 0};
  std::uint32_t generation_ = 0;
  std::uint32_t piece_ = 0;
};

}  // namespace sallyport::dataplane::test
