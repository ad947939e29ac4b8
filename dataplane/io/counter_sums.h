// Counters as plain values: of one worker, or of all together.
#pragma once

#include <array>
#include <cstdint>

#include "classifier/decision.h"
#include "dataplane/dns_event.h"
#include "dataplane/drop.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

struct Counters;
struct WorldCounters;

struct PortSums {
  std::uint64_t received_packets = 0, received_bytes = 0;
  std::uint64_t transmitted_packets = 0, transmitted_bytes = 0;

  PortSums& operator+=(const PortSums& other) noexcept;
};

// received = transmitted + held + sum(drops), give or take the packets on their way while it was read.
struct CounterSums {
  std::uint64_t received = 0, transmitted = 0, held = 0, originated = 0;
  std::array<std::uint64_t, drop_count> drops{};
  std::array<PortSums, ports_max> ports{};
  std::uint64_t flows_opened = 0, flows_allowed = 0, flows_denied = 0, flows_ended = 0;
  std::uint64_t flows_live = 0, held_bytes = 0;
  std::uint64_t names_seen = 0, names_not_stored = 0;
  std::uint64_t shadow_decided = 0, shadow_allows = 0, shadow_denies = 0, shadow_needs_name = 0;
  std::array<std::uint64_t, classifier::reason_count> denied_by_reason{};
  std::array<std::uint64_t, dns_event_count> dns{};

  CounterSums& operator+=(const CounterSums& other) noexcept;
};

// What the pipeline counted, and what ended in its surroundings before the pipeline saw it.
[[nodiscard]] CounterSums sums_of(const Counters& pipeline, const WorldCounters& world) noexcept;

}  // namespace sallyport::dataplane
