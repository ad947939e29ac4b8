#include "dataplane/stages/map_port.h"

#include <optional>

#include "dataplane/stages/port_use.h"

namespace sallyport::dataplane {
namespace {

constexpr unsigned random_probes = 64;
constexpr unsigned random_blocks = 16;

// With blocks, all ports come from the range, whatever port the client has: its block says whose they are. Where the
// egress address is the gateway's own, the low ports are its services', which nobody inside may stand in front of.
[[nodiscard]] const PortSlice& slice_for(const Core& core, const Sought& sought) noexcept {
  if (FlowTable::is_echo(sought.protocol) && !core.source_ports.in_blocks()) return core.identifiers;
  const PortSlice& slice = core.ports.of(__builtin_bswap16(sought.inside_port));
  if (&slice != &core.ports.low) return slice;
  return core.routing().is_local(core.addresses[sought.nat_address]) ? core.ports.high : slice;
}
[[nodiscard]] const PortSlice& slice_for(const Core& core, const Flow& flow) noexcept {
  return slice_for(core, {flow.nat_address, flow.source_port, flow.protocol});
}

// RFC 4787 REQ-4: for RTP and RTCP.
[[nodiscard]] constexpr bool keeps_parity(IpProtocol protocol) noexcept { return protocol == IpProtocol::udp; }

// At random (RFC 6056 section 3.3.1). The neighbour, where the parity has to be that of `wanted`, may not be of the
// slice.
[[nodiscard]] std::uint16_t draw_port(Random& random, const PortSlice& slice, std::uint16_t wanted,
                                      bool of_its_parity) noexcept {
  const std::uint16_t port = slice.at(random.below(slice.size()));
  return of_its_parity ? static_cast<std::uint16_t>((port & ~1U) | (wanted & 1U)) : port;
}

struct Choice {
  Mapped result = Mapped::no_free_port;
  std::uint16_t port = 0;  // host byte order
};

// Ports in host byte order; `taken(port)`: another flow has it.
template <typename Taken>
class PortSearch {
 public:
  // `independent`: for a mapping, which no other flow's port is shared with anyway.
  PortSearch(Core& core, const Flow& flow, bool independent, const Taken& taken) noexcept
      : core_(core),
        flow_(flow),
        slice_(slice_for(core, flow)),
        source_(core.flows.source(flow)),
        address_(flow.nat_address),
        wanted_(__builtin_bswap16(flow.source_port)),
        keep_parity_(keeps_parity(flow.protocol)),
        independent_(independent),
        taken_(taken) {}

  [[nodiscard]] Choice run() noexcept {
    const SourcePorts& ports = core_.source_ports;
    if (!ports.used()) return of(in_slice());
    if (!ports.in_blocks() && ports.may_grow(source_)) return of(in_slice());
    if (const auto own = in_own(); own) return of(own);
    if (!ports.may_grow(source_)) return {Mapped::source_limit};
    if (ports.was_exhausted(address_, core_.tick)) return {};
    const auto port = in_new_block();
    if (!port) core_.source_ports.note_exhausted(address_, core_.tick);
    return of(port);
  }

 private:
  [[nodiscard]] static Choice of(std::optional<std::uint16_t> port) noexcept {
    return port ? Choice{Mapped::ok, *port} : Choice{};
  }
  [[nodiscard]] bool fits(std::uint16_t port) const noexcept { return slice_.contains(port) && !taken_(port); }

  enum class Parity : std::uint8_t { wanted, any };
  [[nodiscard]] bool suits(std::uint16_t port, Parity parity) const noexcept {
    return parity == Parity::any || (port & 1U) == (wanted_ & 1U);
  }
  // `search(parity)`: those of the wanted parity first.
  template <typename Search>
  [[nodiscard]] std::optional<std::uint16_t> by_parity(const Search& search) noexcept {
    if (keep_parity_) {
      if (const auto port = search(Parity::wanted)) return port;
    }
    return search(Parity::any);
  }

  // Keeps the inside port where it is free; else one that is.
  [[nodiscard]] std::optional<std::uint16_t> in_slice() noexcept {
    if (fits(wanted_)) return wanted_;
    return slice_.size() == 0 ? std::nullopt : another_in_slice();
  }
  // Apart, so that what it keeps in registers is nothing to those who keep their port.
  [[nodiscard, gnu::noinline]] std::optional<std::uint16_t> another_in_slice() noexcept {
    return by_parity([&](Parity parity) -> std::optional<std::uint16_t> {
      FullServers& full = core_.full_servers;
      if (parity == Parity::any) return search_slice(parity);
      if (full.lacks_parity(flow_, independent_, wanted_, core_.tick)) return std::nullopt;
      const auto port = search_slice(parity);
      if (!port) full.note_parity(flow_, independent_, wanted_, core_.tick);
      return port;
    });
  }
  // Tries ports at random, and in the end all of them, so that the last port is found, too.
  // One that is used towards other servers may serve (RFC 7857 section 3), but nobody's is better.
  [[nodiscard]] std::optional<std::uint16_t> search_slice(Parity parity) noexcept {
    for (unsigned probe = 0; probe < random_probes; ++probe) {
      const std::uint16_t port = draw_port(core_.random, slice_, wanted_, parity == Parity::wanted);
      if (!slice_.contains(port)) continue;
      const bool shared = !independent_ && probe < random_probes / 4 && is_used(core_, flow_, port);
      if (!shared && !taken_(port)) return port;
    }
    const std::uint32_t begin = core_.random.below(slice_.size());
    for (std::uint32_t i = 0; i < slice_.size(); ++i) {
      const std::uint16_t port = slice_.at((begin + i) % slice_.size());
      if (suits(port, parity) && !taken_(port)) return port;
    }
    return std::nullopt;
  }

  // From a random place on.
  [[nodiscard]] std::optional<std::uint16_t> in_block(std::uint16_t first, Parity parity) noexcept {
    const std::uint32_t size = core_.source_ports.block_ports();
    const std::uint32_t begin = core_.random.below(size);
    for (std::uint32_t i = 0; i < size; ++i) {
      const auto port = static_cast<std::uint16_t>(first + (begin + i) % size);
      if (suits(port, parity) && fits(port)) return port;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint16_t> in_block(std::uint16_t first) noexcept {
    return by_parity([&](Parity parity) { return in_block(first, parity); });
  }

  // Among the ports that the source has already.
  [[nodiscard]] std::optional<std::uint16_t> in_own() noexcept {
    const SourcePorts& ports = core_.source_ports;
    if (ports.find(source_, address_, wanted_) != 0 && fits(wanted_)) return wanted_;
    return by_parity([&](Parity parity) {
      std::optional<std::uint16_t> port;
      (void)ports.any_of(source_, address_, [&](std::uint16_t first) {
        port = in_block(first, parity);
        return port.has_value();
      });
      return port;
    });
  }

  // The block of the wanted port, if nobody has it; else one at random, and in the end any.
  [[nodiscard]] std::optional<std::uint16_t> in_new_block() noexcept {
    const std::uint16_t around = core_.source_ports.first_of(wanted_);
    if (is_free(around)) return fits(wanted_) ? wanted_ : in_block(around);
    const std::uint32_t size = core_.source_ports.block_ports();
    const std::uint32_t count = slice_.size() / size;
    if (count == 0) return std::nullopt;
    for (unsigned probe = 0; probe < random_blocks; ++probe) {
      const std::uint16_t first = block_at(core_.random.below(count) * size);
      if (is_free(first)) return in_block(first);
    }
    for (std::uint32_t i = 0; i < slice_.size(); i += size) {
      const std::uint16_t first = block_at(i);
      if (is_free(first)) return in_block(first);
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint16_t block_at(std::uint32_t index) const noexcept {
    return core_.source_ports.first_of(slice_.at(index));
  }
  // Only whole blocks are given.
  [[nodiscard]] bool is_free(std::uint16_t first) const noexcept {
    const std::uint32_t last = first + core_.source_ports.block_ports() - 1;
    return last <= 65535 && slice_.contains(first) && slice_.contains(static_cast<std::uint16_t>(last)) &&
           core_.source_ports.is_free(address_, first);
  }

  Core& core_;
  const Flow& flow_;
  const PortSlice& slice_;
  const IpAddress source_;
  const std::uint32_t address_;
  const std::uint16_t wanted_;
  const bool keep_parity_;
  const bool independent_;
  const Taken& taken_;
};

[[nodiscard]] FlowRecord record_of(const Core& core, const PortBlock& block, RecordKind kind) noexcept {
  FlowRecord record;
  record.kind = kind;
  record.written_ns = core.now;
  record.inside.family = block.source.family;
  record.inside.source = block.source.bytes;
  record.nat_address = core.addresses[block.nat_address];
  record.nat_port = __builtin_bswap16(block.first);
  record.ports = core.source_ports.block_ports();
  record.namespace_name = block.namespace_name;
  record.workload = block.workload;
  return record;
}

// A block is recorded when it is given.
[[gnu::noinline]] void note_given(Core& core, std::uint32_t number, classifier::Id namespace_name,
                                  classifier::Id workload) noexcept {
  SourcePorts& ports = core.source_ports;
  PortBlock& block = ports[number];
  if (block.users != 1 || !ports.in_blocks()) return;
  block.namespace_name = namespace_name;
  block.workload = workload;
  core.world.record(record_of(core, block, RecordKind::ports_given));
  count_block(core, block.nat_address);
}

// One that the source has, or a new one.
[[nodiscard]] bool enter_ports(Core& core, Flow& flow) noexcept {
  SourcePorts& ports = core.source_ports;
  if (!ports.used()) return true;
  const std::uint32_t number = ports.enter(core.flows.source(flow), flow.nat_address, __builtin_bswap16(flow.nat_port));
  core.flows.note(flow, &FlowExtras::port_block, number);
  if (number == 0) return false;
  const FlowFacts& facts = core.flows.facts(flow);
  note_given(core, number, facts.namespace_name, facts.workload);
  return true;
}

void leave_block(Core& core, std::uint32_t number) noexcept {
  SourcePorts& ports = core.source_ports;
  ports.note_end(number);
  if (!ports.leave(number)) return;
  if (ports.in_blocks()) {
    core.world.record(record_of(core, ports[number], RecordKind::ports_taken_back));
    uncount_block(core, ports[number].nat_address);
  }
  ports.take_back(number);
}

// What a source's ports may all be in use for: a protocol, or a server, of a kind of ports.
[[nodiscard]] std::uint64_t purpose(const Core& core, const Flow& flow, bool independent) noexcept {
  FlowKey key = core.flows.inside_key(flow);
  key.source = {};
  key.source_port = &slice_for(core, flow) == &core.ports.low ? 1 : 0;
  if (independent) key.destination = {};
  if (independent) key.destination_port = 0;
  return core.hash(key, std::uint64_t{flow.nat_address} << 8U | 5U) | 1U;
}

template <typename Taken>
[[nodiscard]] Choice choose_port(Core& core, const Flow& flow, bool independent, const Taken& taken) noexcept {
  const bool limited = core.source_ports.used();
  const IpAddress source = core.flows.source(flow);
  const std::uint64_t what = limited ? purpose(core, flow, independent) : 0;
  if (limited && core.source_ports.was_full(source, what, core.tick)) return {Mapped::source_limit};
  const Choice choice = PortSearch(core, flow, independent, taken).run();
  if (choice.result == Mapped::source_limit) core.source_ports.note_full(source, what, core.tick);
  return choice;
}

[[nodiscard]] Mapped map_endpoint(Core& core, Flow& flow) noexcept {
  const Endpoint inside{core.flows.source(flow), flow.source_port, flow.protocol};
  std::uint32_t mapping = core.mappings.find(inside, flow.nat_address);
  if (mapping == 0) {
    // Without blocks, what is full is full for everybody.
    const bool shared = !core.source_ports.in_blocks();
    if (shared && core.full_servers.contains(inside, flow.nat_address, core.tick)) return Mapped::no_free_port;
    const Choice choice = choose_port(core, flow, true, [&](std::uint16_t port) {
      return core.mappings.is_taken(flow.nat_address, __builtin_bswap16(port), inside.protocol);
    });
    if (shared && choice.result == Mapped::no_free_port)
      core.full_servers.remember(inside, flow.nat_address, core.tick);
    if (choice.result != Mapped::ok) return choice.result;
    mapping = core.mappings.add(inside, flow.nat_address, __builtin_bswap16(choice.port));
    if (mapping == 0 || !join_mapping(core, flow, mapping)) return Mapped::no_free_port;
    count_port(core, core.mappings[mapping]);
    return Mapped::ok;
  }
  return join_mapping(core, flow, mapping) ? Mapped::ok : Mapped::no_free_port;
}

[[nodiscard]] bool is_block_of_another(const Core& core, const IpAddress& source, std::uint32_t nat_address,
                                       std::uint16_t port) noexcept {
  const SourcePorts& ports = core.source_ports;
  if (!ports.in_blocks()) return false;
  return ports.find(source, nat_address, port) == 0 && !ports.is_free(nat_address, ports.first_of(port));
}

// The mapping that the flow had: it stands already, by another flow of the endpoint, or it can.
[[nodiscard]] bool retake_mapping(Core& core, Flow& flow) noexcept {
  const Endpoint inside{core.flows.source(flow), flow.source_port, flow.protocol};
  std::uint32_t mapping = core.mappings.find(inside, flow.nat_address);
  if (mapping != 0) return core.mappings[mapping].nat_port == flow.nat_port && join_mapping(core, flow, mapping);
  if (core.mappings.is_taken(flow.nat_address, flow.nat_port, flow.protocol)) return false;
  mapping = core.mappings.add(inside, flow.nat_address, flow.nat_port);
  if (mapping == 0 || !join_mapping(core, flow, mapping)) return false;
  count_port(core, core.mappings[mapping]);
  return true;
}

// Nothing but the address tells two inside hosts apart: one of them has it towards a server.
[[nodiscard]] Mapped map_protocol(const Core& core, const Flow& flow) noexcept {
  const bool taken = core.flows.find(core.flows.outside_key(flow), FlowTable::Side::outside) != 0;
  return taken ? Mapped::protocol_taken : Mapped::ok;
}

[[nodiscard]] Mapped map_connection(Core& core, Flow& flow) noexcept {
  // Without blocks, what is full is full for everybody.
  const bool shared = !core.source_ports.in_blocks();
  if (shared && core.full_servers.contains(flow, core.tick)) return Mapped::no_free_port;
  const Choice choice = choose_port(core, flow, false, [&](std::uint16_t port) {
    flow.nat_port = __builtin_bswap16(port);
    return core.flows.find(core.flows.outside_key(flow), FlowTable::Side::outside) != 0;
  });
  if (shared && choice.result == Mapped::no_free_port) core.full_servers.remember(flow, core.tick);
  if (choice.result != Mapped::ok) return choice.result;
  flow.nat_port = __builtin_bswap16(choice.port);
  if (!enter_ports(core, flow)) return Mapped::no_free_port;
  core.flows.facts(flow).counts_port = true;
  count_server_port(core, flow);
  return Mapped::ok;
}

}  // namespace

bool maps_endpoints(const Core& core, IpProtocol protocol) noexcept {
  switch (protocol) {
    case IpProtocol::tcp:
      return core.settings.nat.tcp_mapping == config::Mapping::endpoint_independent;
    case IpProtocol::udp:
      return core.settings.nat.udp_mapping == config::Mapping::endpoint_independent;
    case IpProtocol::icmp:
    case IpProtocol::icmp6:
      return true;  // RFC 5508 REQ-1a
    case IpProtocol::sctp:
      return false;
  }
  return false;
}

Mapped map_port(Core& core, Flow& flow) noexcept {
  if (is_portless(flow.protocol)) return map_protocol(core, flow);
  return maps_endpoints(core, flow.protocol) ? map_endpoint(core, flow) : map_connection(core, flow);
}

std::uint16_t likely_port(const Core& core, const Sought& sought, Random& random) noexcept {
  constexpr unsigned draws = 4;
  if (core.source_ports.used()) return sought.inside_port;
  const PortSlice& slice = slice_for(core, sought);
  const auto serves = [&](std::uint16_t raw) {
    return slice.contains(__builtin_bswap16(raw)) &&
           !core.mappings.looks_taken(sought.nat_address, raw, sought.protocol);
  };
  if (serves(sought.inside_port) || slice.size() == 0) return sought.inside_port;
  for (unsigned i = 0; i < draws; ++i) {
    const std::uint16_t raw = __builtin_bswap16(
        draw_port(random, slice, __builtin_bswap16(sought.inside_port), keeps_parity(sought.protocol)));
    if (serves(raw)) return raw;
  }
  return sought.inside_port;
}

bool join_mapping(Core& core, Flow& flow, std::uint32_t mapping) noexcept {
  flow.nat_port = core.mappings[mapping].nat_port;
  core.flows.facts(flow).mapping = mapping;
  if (enter_ports(core, flow)) return true;
  if (core.mappings.is_new(mapping)) core.mappings.drop(mapping);
  core.flows.facts(flow).mapping = 0;
  return false;
}

bool retake_port(Core& core, Flow& flow) noexcept {
  const std::uint16_t port = __builtin_bswap16(flow.nat_port);
  if (is_block_of_another(core, core.flows.source(flow), flow.nat_address, port)) return false;
  if (maps_endpoints(core, flow.protocol)) return retake_mapping(core, flow);
  if (!enter_ports(core, flow)) return false;
  core.flows.facts(flow).counts_port = true;
  count_server_port(core, flow);
  return true;
}

void leave_ports(Core& core, const Flow& flow) noexcept {
  if (core.flows.extras(flow).port_block == 0) return;
  leave_block(core, core.flows.extras(flow).port_block);
  core.flows.own_extras(flow).port_block = 0;
}

bool enter_rested_port(Core& core, const Endpoint& inside, std::uint32_t nat_address, std::uint16_t nat_port) noexcept {
  SourcePorts& ports = core.source_ports;
  const std::uint16_t port = __builtin_bswap16(nat_port);
  if (!ports.used()) return true;
  if (is_block_of_another(core, inside.address, nat_address, port)) return false;
  const std::uint32_t number = ports.enter(inside.address, nat_address, port);
  if (number != 0) note_given(core, number, 0, 0);
  return number != 0;
}

void leave_rested_port(Core& core, const Endpoint& inside, std::uint32_t nat_address, std::uint16_t nat_port) noexcept {
  if (!core.source_ports.used()) return;
  const std::uint32_t block = core.source_ports.find(inside.address, nat_address, __builtin_bswap16(nat_port));
  if (block != 0) leave_block(core, block);
}

}  // namespace sallyport::dataplane
