#include "dataplane/core.h"

#include <algorithm>

namespace sallyport::dataplane {
namespace {

constexpr std::uint32_t names_max = 65536;
constexpr std::uint32_t follows_max = 65536;
constexpr std::uint32_t said_blocks_max = follows_max;
constexpr std::size_t field_text_bytes = std::size_t{64} << 10U;
constexpr std::uint32_t senders_max = 1U << 20U;
constexpr std::uint32_t addresses_max = 65535;  // Flow::nat_address
constexpr std::uint32_t wholes_max = 128;

// nat.md 5, RFC 6888 REQ-8: 120 s, but where only the server itself may answer (exception c).
std::uint32_t port_rest_ms(const config::NatConfig& nat) noexcept {
  return nat.filtering == config::Filtering::address_and_port_dependent ? 0 : 120'000;
}

std::int32_t shortest_timeout(const config::Timeouts& t) noexcept {
  const auto least = std::min({t.udp, t.icmp, t.tcp_transitory, t.tcp_established});
  return static_cast<std::int32_t>(std::min<std::int64_t>(least.count(), 60'000));
}

// So many mappings as flows, and those that rest: of flows that live as long as `shortest`, as many again each time
// these are all new. Few have all flows so short.
std::uint32_t mappings_max(const PipelineSettings& given) noexcept {
  constexpr std::uint32_t times_max = 5;
  const std::uint32_t rest = port_rest_ms(given.nat);
  constexpr std::uint64_t number_max = UINT32_MAX / 2 - 1;  // MappingBook's index tells two sides apart by a bit
  const auto shortest = static_cast<std::uint32_t>(std::max(shortest_timeout(given.timeouts), 1));
  const std::uint64_t times = std::min(1 + (rest + shortest - 1) / shortest, times_max);
  return static_cast<std::uint32_t>(std::min(given.limits.flows * times, number_max));
}

std::uint32_t held_packets(const PipelineSettings& settings) noexcept {
  if (settings.held_packets != 0) return settings.held_packets;
  return std::clamp<std::uint32_t>(static_cast<std::uint32_t>(settings.limits.held_bytes / 2048), 64, 1U << 20U);
}

// An eighth of what may be held, for connections of HTTP/2: some 16 KiB each.
std::size_t hpack_bytes(const PipelineSettings& given) noexcept {
  return std::clamp<std::size_t>(given.limits.held_bytes / 8, std::size_t{256} << 10U, std::size_t{64} << 20U);
}

}  // namespace

Core::Core(const PipelineSettings& given, World& surroundings)
    : settings(given),
      world(surroundings),
      random(given.seed),
      hash(random),
      addresses(std::min(given.limits.flows, addresses_max), hash),
      flows(given.limits.flows, hash, addresses),
      shadow(given.shadow ? given.limits.flows : 0),
      wheel(flows),
      mappings(mappings_max(given), port_rest_ms(given.nat), hash),
      contacts(given.nat.filtering == config::Filtering::address_dependent ? given.limits.flows : 0, hash),
      tunnel_peers(given.tunnels ? given.limits.flows : 0, hash),
      sources(std::min(given.limits.flows, senders_max), hash, addresses, tunnel_peers),
      source_ports(mappings_max(given), given.nat, hash),
      ports(given.nat, given.worker, given.workers),
      full_servers(ports.apart, flows, hash),
      hops(hash, this->settings.ports),
      names(std::clamp(given.limits.flows / 8, 1024U, names_max), hash),
      held(given.limits.held_bytes, held_packets(given), given.limits.hello_bytes),
      follows(std::clamp(given.limits.flows / 8, 1024U, follows_max)),
      follow_shares(follows.capacity()),
      hpack_shares(hpack_bytes(given)),
      denied_shares(given.limits.flows),
      said(std::clamp(given.limits.flows / 8, 4096U, said_blocks_max)),
      hpack(classifier::names::make_hpack_memory(hpack_bytes(given))),
      field_text(field_text_bytes),
      fragments(given.nat.fragments_max, static_cast<std::uint32_t>(given.nat.fragment_timeout.count()), wholes_max,
                hash),
      changes(given.replicates),
      identifiers(0, 65535, given.worker, given.workers),
      quic_keys(classifier::names::make_quic_keys()),
      scratch(given.limits.hello_bytes),
      quic_scratch(1),
      identifications(given.worker, given.workers, random),
      shortest_timeout_ms(shortest_timeout(given.timeouts)) {}

void Core::begin(Instant time, const Snapshot& present) noexcept {
  now = std::max(now, time);
  tick = static_cast<Tick>(now / 1'000'000);
  snapshot = &present;
  forwards = present.standing == nullptr || present.standing->state() == Standing::State::active;
  if (!started) {
    started = true;
    wheel.start(tick);
  }
  if (present.generation == policy_seen && present.routing->generation() == routing_seen && epoch != 0) return;
  policy_seen = present.generation;
  routing_seen = present.routing->generation();
  ++epoch;
  hops.forget();
}

void Core::count_received(PortIndex in, std::span<const Packet> packets) noexcept {
  std::uint64_t weight = 0;
  std::uint64_t bytes = 0;
  for (const Packet& packet : packets) {
    weight += packet.weight;
    bytes += packet.length;
  }
  counters.received.add(weight);
  counters.ports[in].received_packets.add(weight);
  counters.ports[in].received_bytes.add(bytes);
}

void Core::release(Packet& packet, std::uint8_t ended_by) noexcept {
  if (packet.reassembled) {
    packet.ended_by = ended_by;
    world.tell_released(packet);
    fragments.give_back(packet);
    return;
  }
  Packet& place = released_.packets[released_.count++];
  place = packet;
  place.ended_by = ended_by;  // not before: the copy would wait for it
  if (released_.count == queue_max) {
    world.release({released_.packets.data(), released_.count});
    released_.count = 0;
  }
}

void Core::flush_port(PortIndex out) noexcept {
  Queue& queue = outgoing_[out];
  if (!forwards) {
    for (std::size_t i = 0; i < queue.count; ++i) drop(queue.packets[i], Drop::standby);
    queue.count = 0;
    return;
  }
  std::uint64_t bytes = 0;
  std::uint64_t weight = 0;
  for (std::size_t i = 0; i < queue.count; ++i) {
    bytes += queue.packets[i].length;
    weight += queue.packets[i].weight;
  }
  const std::size_t refused = world.transmit(out, {queue.packets.data(), queue.count});
  for (std::size_t i = queue.count - refused; i < queue.count; ++i) {
    bytes -= queue.packets[i].length;
    weight -= queue.packets[i].weight;
    counters.drops[static_cast<std::size_t>(Drop::transmit_queue_full)].add(queue.packets[i].weight);
  }
  counters.transmitted.add(weight);
  counters.ports[out].transmitted_packets.add(queue.count - refused);
  counters.ports[out].transmitted_bytes.add(bytes);
  queue.count = 0;
}

void Core::flush() noexcept {
  for (std::size_t out = 0; out < settings.ports.size(); ++out) {
    if (outgoing_[out].count != 0) flush_port(static_cast<PortIndex>(out));
  }
  if (released_.count == 0) return;
  world.release({released_.packets.data(), released_.count});
  released_.count = 0;
}

void Core::to_kernel(Packet& packet) noexcept {
  if (packet.tunnel != 0) {
    drop(packet, Drop::tunnel_to_gateway);
    return;
  }
  counters.drops[static_cast<std::size_t>(Drop::to_gateway)].add(packet.weight);
  if (packet.reassembled || !settings.kernel) {
    release(packet);
    return;
  }
  world.to_kernel(packet.port, packet);
}

}  // namespace sallyport::dataplane
