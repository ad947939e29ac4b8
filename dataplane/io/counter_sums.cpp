#include "dataplane/io/counter_sums.h"

#include "dataplane/counters.h"
#include "dataplane/io/device_world.h"

namespace sallyport::dataplane {
namespace {

template <typename Array>
void add_each(Array& to, const Array& from) noexcept {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

std::uint64_t& of(CounterSums& sums, Drop drop) noexcept { return sums.drops[static_cast<std::size_t>(drop)]; }

}  // namespace

PortSums& PortSums::operator+=(const PortSums& other) noexcept {
  received_packets += other.received_packets;
  received_bytes += other.received_bytes;
  transmitted_packets += other.transmitted_packets;
  transmitted_bytes += other.transmitted_bytes;
  return *this;
}

CounterSums& CounterSums::operator+=(const CounterSums& other) noexcept {
  received += other.received;
  transmitted += other.transmitted;
  held += other.held;
  originated += other.originated;
  add_each(drops, other.drops);
  add_each(ports, other.ports);
  flows_opened += other.flows_opened;
  flows_allowed += other.flows_allowed;
  flows_denied += other.flows_denied;
  flows_ended += other.flows_ended;
  flows_live += other.flows_live;
  held_bytes += other.held_bytes;
  names_seen += other.names_seen;
  names_not_stored += other.names_not_stored;
  shadow_decided += other.shadow_decided;
  shadow_allows += other.shadow_allows;
  shadow_denies += other.shadow_denies;
  shadow_needs_name += other.shadow_needs_name;
  add_each(denied_by_reason, other.denied_by_reason);
  add_each(dns, other.dns);
  return *this;
}

CounterSums sums_of(const Counters& pipeline, const WorldCounters& world) noexcept {
  CounterSums sums;
  sums.received = pipeline.received.get() + world.queue_full.get() + world.no_buffer.get();
  sums.transmitted = pipeline.transmitted.get();
  sums.held = pipeline.held.get();
  sums.originated = pipeline.originated.get();
  for (std::size_t i = 0; i < drop_count; ++i) sums.drops[i] = pipeline.drops[i].get();
  of(sums, Drop::worker_queue_full) += world.queue_full.get();
  of(sums, Drop::buffers_exhausted) += world.no_buffer.get();
  for (std::size_t i = 0; i < ports_max; ++i) {
    sums.ports[i] = {pipeline.ports[i].received_packets.get() + world.ports[i].unseen_packets.get(),
                     pipeline.ports[i].received_bytes.get() + world.ports[i].unseen_bytes.get(),
                     pipeline.ports[i].transmitted_packets.get(), pipeline.ports[i].transmitted_bytes.get()};
  }
  sums.flows_opened = pipeline.flows_opened.get();
  sums.flows_allowed = pipeline.flows_allowed.get();
  sums.flows_denied = pipeline.flows_denied.get();
  sums.flows_ended = pipeline.flows_ended.get();
  sums.flows_live = pipeline.flows_live.get();
  sums.held_bytes = pipeline.held_bytes.get();
  sums.shadow_decided = pipeline.shadow_decided.get();
  sums.shadow_allows = pipeline.shadow_allows.get();
  sums.shadow_denies = pipeline.shadow_denies.get();
  sums.shadow_needs_name = pipeline.shadow_needs_name.get();
  sums.names_seen = pipeline.names_seen.get();
  sums.names_not_stored = pipeline.names_not_stored.get();
  for (std::size_t i = 0; i < classifier::reason_count; ++i) {
    sums.denied_by_reason[i] = pipeline.denied_by_reason[i].get();
  }
  for (std::size_t i = 0; i < dns_event_count; ++i) sums.dns[i] = pipeline.dns[i].get();
  return sums;
}

}  // namespace sallyport::dataplane
