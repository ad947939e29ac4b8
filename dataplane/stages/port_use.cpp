#include "dataplane/stages/port_use.h"

namespace sallyport::dataplane {
namespace {

struct Use {
  std::uint64_t what = 0;
  PortLoad load;
};

// 1-1023 and the others are given apart, and identifiers of ICMP are no ports.
[[nodiscard]] const PortSlice& slice_of(const Core& core, std::uint16_t nat_port, IpProtocol protocol) noexcept {
  if (FlowTable::is_echo(protocol) && !core.source_ports.in_blocks()) return core.identifiers;
  return core.ports.of(__builtin_bswap16(nat_port));
}

[[nodiscard]] Use use_of(const Core& core, std::uint32_t nat_address, std::uint16_t nat_port, FlowKey& key) noexcept {
  const PortSlice& slice = slice_of(core, nat_port, key.protocol);
  key.source_port = &slice == &core.ports.low ? 1 : 0;
  Use use;
  use.what = core.hash(key, std::uint64_t{nat_address} << 8U | 3U) | 1U;
  use.load.address = core.addresses[nat_address];
  use.load.server = key.destination_address();
  use.load.server_port = key.destination_port;
  use.load.protocol = key.protocol;
  use.load.of = slice.size();
  return use;
}

[[nodiscard]] Use use_of(const Core& core, const Flow& flow) noexcept {
  FlowKey key = core.flows.inside_key(flow);
  key.source = {};
  Use use = use_of(core, flow.nat_address, flow.nat_port, key);
  use.load.towards_server = true;
  return use;
}

[[nodiscard]] Use use_of(const Core& core, const Mapping& mapping) noexcept {
  FlowKey key;
  key.protocol = mapping.inside.protocol;
  key.family = mapping.inside.address.family;
  return use_of(core, mapping.nat_address, mapping.nat_port, key);
}

[[nodiscard]] Use use_of_block(const Core& core, std::uint32_t nat_address) noexcept {
  FlowKey key;
  key.family = core.addresses[nat_address].family;
  key.protocol = any_protocol;
  return use_of(core, nat_address, 0, key);
}

[[nodiscard]] std::uint64_t port_hash(const Core& core, const Flow& flow, std::uint16_t nat_port) noexcept {
  FlowKey key;
  key.source_port = nat_port;
  key.protocol = flow.protocol;
  return core.hash(key, std::uint64_t{flow.nat_address} << 8U | 9U);
}

void announce(Core& core, const Use& use) noexcept {
  FlowRecord record;
  record.kind = RecordKind::ports_running_out;
  record.written_ns = core.now;
  record.nat_address = use.load.address;
  record.inside.family = use.load.address.family;
  record.inside.protocol = use.load.protocol;
  if (use.load.towards_server) record.inside.destination = use.load.server.bytes;
  record.inside.destination_port = use.load.server_port;
  record.ports = use.load.used;
  record.ports_of = use.load.of;
  core.world.record(record);
}

void add(Core& core, std::uint32_t nat_address, Use&& use, std::uint32_t ports) noexcept {
  const bool to_announce = core.port_loads.add(use.what, ports, use.load);
  core.address_loads.note(nat_address, use.what, use.load);
  if (to_announce) announce(core, use);
}

void subtract(Core& core, std::uint32_t nat_address, Use&& use, std::uint32_t ports) noexcept {
  core.port_loads.subtract(use.what, ports, use.load);
  core.address_loads.note(nat_address, use.what, use.load);
}

}  // namespace

void count_server_port(Core& core, const Flow& flow) noexcept {
  add(core, flow.nat_address, use_of(core, flow), 1);
  if (core.used_ports.add(port_hash(core, flow, flow.nat_port)))
    core.address_loads.take_port(flow.nat_address, flow.protocol);
}
void uncount_server_port(Core& core, const Flow& flow) noexcept {
  subtract(core, flow.nat_address, use_of(core, flow), 1);
  if (core.used_ports.subtract(port_hash(core, flow, flow.nat_port)))
    core.address_loads.give_port_back(flow.nat_address, flow.protocol);
}
bool is_used(const Core& core, const Flow& flow, std::uint16_t port) noexcept {
  return core.used_ports.contains(port_hash(core, flow, __builtin_bswap16(port)));
}

// Of ports in blocks, the blocks are what runs out.
void count_port(Core& core, const Mapping& mapping) noexcept {
  core.address_loads.take_port(mapping.nat_address, mapping.inside.protocol);
  if (!core.source_ports.in_blocks()) add(core, mapping.nat_address, use_of(core, mapping), 1);
}
void uncount_port(Core& core, const Mapping& mapping) noexcept {
  core.full_servers.forget(mapping.inside, mapping.nat_address);
  core.address_loads.give_port_back(mapping.nat_address, mapping.inside.protocol);
  if (!core.source_ports.in_blocks()) subtract(core, mapping.nat_address, use_of(core, mapping), 1);
}

void count_block(Core& core, std::uint32_t nat_address) noexcept {
  add(core, nat_address, use_of_block(core, nat_address), core.source_ports.block_ports());
}
void uncount_block(Core& core, std::uint32_t nat_address) noexcept {
  subtract(core, nat_address, use_of_block(core, nat_address), core.source_ports.block_ports());
}

}  // namespace sallyport::dataplane
