#include "dataplane/stages/expect.h"

#include <array>
#include <cstdint>

#include "dataplane/stages/map_port.h"
#include "dataplane/stages/track.h"

namespace sallyport::dataplane {
namespace {

// Each step uses what the one before has asked for.
class Expectation {
 public:
  explicit Expectation(const Core& core) noexcept : core_(core), random_(core.random) {}

  void run(std::span<const InFlight> in_flight) noexcept {
    for (const InFlight& p : in_flight) {
      if (p.from_inside && p.glanced == KeyIndex::none && followed(p.parsed.kind)) begin(p.parsed.key);
    }
    const std::span<Expected> all = std::span(expected_).first(count_);
    for (Expected& e : all) e.sender = core_.sources.glance(e.hash);
    for (Expected& e : all) look_at_sender(e);
    for (Expected& e : all) {
      if (e.by_mapping) look_at_mapping(e);
    }
    for (const Expected& e : all) {
      if (e.nat_address != 0) look_outside(e);
    }
  }

 private:
  struct Expected {
    const FlowKey* key;
    std::uint64_t hash;  // of the sender, then of the mapping
    std::uint32_t sender;
    std::uint32_t nat_address;  // what the sender leaves under; 0: nobody knows yet
    std::uint32_t mapping;
    bool by_mapping;
  };

  void begin(const FlowKey& key) noexcept {
    const std::uint64_t hash = core_.sources.hash(key.source_address());
    core_.sources.prefetch_bucket(hash);
    core_.flows.prefetch_new(key, static_cast<std::uint32_t>(count_));
    expected_[count_++] = {&key, hash, 0, 0, 0, false};
  }

  void look_at_sender(Expected& e) noexcept {
    e.nat_address = e.sender != 0 ? core_.sources.latest_pair(e.sender) : 0;
    e.by_mapping = e.nat_address != 0 && maps_endpoints(core_, e.key->protocol);
    if (!e.by_mapping) return;
    e.hash = core_.mappings.prefetch({e.key->source_address(), e.key->source_port, e.key->protocol}, e.nat_address);
  }

  void look_at_mapping(Expected& e) noexcept {
    e.mapping = core_.mappings.glance(e.hash);
    if (e.mapping != 0) return;
    core_.mappings.prefetch_new(new_mappings_++);
    core_.mappings.prefetch_outside(e.nat_address, e.key->source_port, e.key->protocol);
  }

  void look_outside(const Expected& e) noexcept {
    std::uint16_t port = e.key->source_port;
    if (e.mapping != 0) {
      port = core_.mappings[e.mapping].nat_port;
    } else if (e.by_mapping) {
      port = likely_port(core_, {e.nat_address, port, e.key->protocol}, random_);
    }
    FlowKey outside = e.key->reversed();
    outside.destination = core_.addresses[e.nat_address].bytes;
    const bool echo = FlowTable::is_echo(outside.protocol);
    outside.set_ports(echo ? port : e.key->destination_port, echo ? std::uint16_t{0} : port);
    core_.flows.prefetch_bucket(core_.flows.hash(outside, FlowTable::Side::outside));
  }

  const Core& core_;
  Random random_;  // what core_ will draw next, if nothing else draws
  std::array<Expected, burst_max> expected_;
  std::size_t count_ = 0;
  std::uint32_t new_mappings_ = 0;
};

}  // namespace

void expect_new_flows(const Core& core, std::span<const InFlight> in_flight) noexcept {
  if (core.policy() == nullptr || core.flows.full()) return;
  Expectation(core).run(in_flight);
}

void expect_end(const Core& core, FlowNumber number) noexcept {
  const Flow& flow = core.flows[number];
  if (!expired(core, flow)) return;
  core.flows.prefetch_links(number);
  const FlowFacts& facts = core.flows.facts(flow);
  if (facts.sender != 0) core.sources.prefetch(facts.sender);
  if (facts.mapping == 0) return;
  core.mappings.prefetch(facts.mapping);
  if (core.mappings.resting()) return;
  (void)core.mappings.prefetch({core.flows.source(flow), flow.source_port, flow.protocol}, flow.nat_address);
}

}  // namespace sallyport::dataplane
