#include "dataplane/stages/nat.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/crc32c.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

constexpr unsigned random_probes = 64;
constexpr std::uint32_t ports_a_turn = 1024;

[[nodiscard]] const PortSlice& slice_for(const Core& core, const Flow& flow) noexcept {
  if (FlowTable::is_echo(flow.protocol)) return core.identifiers;
  const auto& range = core.settings.nat.port_range;
  const bool whole_range = range.first == 1024 && range.last == 65535;
  const std::uint16_t port = __builtin_bswap16(flow.source_port);
  return whole_range && port != 0 && port < 1024 ? core.low_ports : core.high_ports;
}

// Keeps the inside port where it is free; else tries ports at random (RFC 6056 section 3.3.1), and in the end all of
// them, so that the last port is found, too. Ports in host byte order.
template <typename Taken>
[[nodiscard]] std::optional<std::uint16_t> choose_port(Core& core, const PortSlice& slice, std::uint16_t wanted,
                                                       bool keep_parity, const Taken& taken) noexcept {
  if (slice.contains(wanted) && !taken(wanted)) return wanted;
  if (slice.size() == 0) return std::nullopt;
  for (unsigned probe = 0; probe < random_probes; ++probe) {
    const std::uint16_t port = slice.at(core.random.below(slice.size()));
    if (keep_parity && probe < random_probes / 2 && (port & 1U) != (wanted & 1U)) continue;
    if (!taken(port)) return port;
  }
  const std::uint32_t begin = core.random.below(slice.size());
  for (std::uint32_t i = 0; i < slice.size(); ++i) {
    const std::uint16_t port = slice.at((begin + i) % slice.size());
    if (!taken(port)) return port;
  }
  return std::nullopt;
}

[[nodiscard]] bool endpoint_independent(const Core& core, IpProtocol protocol) noexcept {
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

// RFC 4787 REQ-4: for RTP and RTCP, which go by parity.
[[nodiscard]] bool keeps_parity(IpProtocol protocol) noexcept { return protocol == IpProtocol::udp; }

[[nodiscard]] bool map_endpoint(Core& core, Flow& flow) noexcept {
  const Endpoint inside{core.flows.source(flow), flow.source_port, flow.protocol};
  std::uint32_t& mapping = core.flows.facts(flow).mapping;
  mapping = core.mappings.find(inside, flow.nat_address);
  if (mapping == 0) {
    const std::uint16_t wanted = __builtin_bswap16(flow.source_port);
    const auto port =
        choose_port(core, slice_for(core, flow), wanted, keeps_parity(flow.protocol), [&](std::uint16_t p) {
          return core.mappings.holder(flow.nat_address, __builtin_bswap16(p), inside.protocol) != 0;
        });
    if (!port) return false;
    mapping = core.mappings.add(inside, flow.nat_address, __builtin_bswap16(*port));
    if (mapping == 0) return false;
  }
  flow.nat_port = core.mappings[mapping].nat_port;
  return true;
}

[[nodiscard]] bool map_connection(Core& core, Flow& flow) noexcept {
  if (core.full_servers.contains(flow, core.tick)) return false;
  const auto port = choose_port(core, slice_for(core, flow), __builtin_bswap16(flow.source_port),
                                keeps_parity(flow.protocol), [&](std::uint16_t p) {
                                  flow.nat_port = __builtin_bswap16(p);
                                  return core.flows.find(core.flows.outside_key(flow), FlowTable::Side::outside) != 0;
                                });
  if (!port) {
    core.full_servers.remember(flow, core.tick);
    return false;
  }
  flow.nat_port = __builtin_bswap16(*port);
  return true;
}

// What every packet needs of the translation, ready in the flow's line.
void prepare_translation(const Core& core, Flow& flow) noexcept {
  const IpAddress& egress = core.addresses[flow.nat_address];
  if (flow.family == Family::v4) {
    std::memcpy(&flow.nat_address4, egress.bytes.data(), sizeof flow.nat_address4);
    return;
  }
  Delta transport;
  transport.replace(core.flows.source(flow).bytes.data(), egress.bytes.data(), sizeof egress.bytes);
  transport.replace(flow.source_port, flow.nat_port);
  flow.delta6 = transport.folded();
}

}  // namespace

Nat choose_nat(Core& core, const classifier::Source& source, const classifier::FlowQuery& query, Flow& flow) noexcept {
  const classifier::EgressChoice choice = core.policy()->choose_egress(source, query);
  core.flows.facts(flow).egress = choice.egress;
  if (choice.kind == classifier::EgressChoice::Kind::untranslated) return {};
  if (choice.kind == classifier::EgressChoice::Kind::no_address || choice.pool == nullptr || choice.pool->empty()) {
    return {Nat::Result::no_address};
  }
  const std::uint32_t sender = core.flows.facts(flow).sender;
  const IpAddress* kept = sender != 0 ? core.sources.paired(sender, *choice.pool) : nullptr;
  const IpAddress address = kept != nullptr ? *kept : choice.pool->pick(query.source, core.settings.pool_key);
  flow.nat_address = static_cast<std::uint16_t>(core.addresses.take(address));
  if (flow.nat_address == 0) return {Nat::Result::no_address};
  const bool mapped = endpoint_independent(core, flow.protocol) ? map_endpoint(core, flow) : map_connection(core, flow);
  if (!mapped) {
    core.addresses.give_back(flow.nat_address);
    flow.nat_address = 0;
    flow.nat_port = flow.source_port;
    return {Nat::Result::no_free_port};
  }
  prepare_translation(core, flow);
  return {};
}

bool use_mapping(Core& core, const classifier::Source& source, const classifier::FlowQuery& query,
                 std::uint32_t mapping, Flow& flow) noexcept {
  const classifier::EgressChoice choice = core.policy()->choose_egress(source, query);
  const Mapping& found = core.mappings[mapping];
  const IpAddress address = core.addresses[found.nat_address];
  if (choice.kind != classifier::EgressChoice::Kind::translated || !choice.pool->contains(address)) return false;
  FlowFacts& facts = core.flows.facts(flow);
  facts.egress = choice.egress;
  facts.mapping = mapping;
  flow.nat_address = static_cast<std::uint16_t>(core.addresses.take(address));
  flow.nat_port = found.nat_port;
  prepare_translation(core, flow);
  return true;
}

namespace {

// The mapping that the flow had: it stands already, by another flow of the endpoint, or it can.
[[nodiscard]] bool take_mapping(Core& core, Flow& flow) noexcept {
  const Endpoint inside{core.flows.source(flow), flow.source_port, flow.protocol};
  std::uint32_t mapping = core.mappings.find(inside, flow.nat_address);
  if (mapping == 0 && core.mappings.holder(flow.nat_address, flow.nat_port, flow.protocol) == 0) {
    mapping = core.mappings.add(inside, flow.nat_address, flow.nat_port);
  }
  if (mapping == 0 || core.mappings[mapping].nat_port != flow.nat_port) return false;
  core.flows.facts(flow).mapping = mapping;
  return true;
}

}  // namespace

bool take_translation(Core& core, Flow& flow, const IpAddress& address, std::uint16_t nat_port) noexcept {
  if (port_owner(__builtin_bswap16(nat_port), core.settings.workers) != core.settings.worker) return false;
  flow.nat_address = static_cast<std::uint16_t>(core.addresses.take(address));
  if (flow.nat_address == 0) return false;
  flow.nat_port = nat_port;
  if (endpoint_independent(core, flow.protocol) && !take_mapping(core, flow)) {
    core.addresses.give_back(flow.nat_address);
    return false;
  }
  prepare_translation(core, flow);
  return true;
}

void release_nat(Core& core, Flow& flow) noexcept {
  std::uint32_t& mapping = core.flows.facts(flow).mapping;
  if (mapping != 0 && core.mappings.rests(mapping)) core.mappings.drop(mapping);
  mapping = 0;
  core.addresses.give_back(flow.nat_address);
}

void end_nat(Core& core, const Flow& flow) noexcept {
  if (flow.nat_address != 0) core.full_servers.forget(flow);
  const std::uint32_t mapping = core.flows.facts(flow).mapping;
  if (mapping != 0) {
    core.contacts.leave(mapping, core.flows.destination(flow));
    const bool rests = core.mappings.release(mapping, core.tick) && core.mappings.resting();
    if (rests) return;  // with the flow's reference to the egress address
  }
  core.addresses.give_back(flow.nat_address);
}

void wake_ports(Core& core) noexcept {
  core.mappings.wake(core.tick, ports_a_turn, [&](std::uint32_t address) { core.addresses.give_back(address); });
}

namespace {

// The checksum changes of the translation: towards the egress address, or back.
struct Deltas {
  Delta header;  // IPv4's own
  Delta transport;
};
[[nodiscard]] Deltas deltas(const Flow& flow, bool to_egress) noexcept {
  Deltas d;
  if (flow.family == Family::v6) {
    d.transport = to_egress ? Delta(flow.delta6) : Delta(flow.delta6).inverse();
    return d;
  }
  const bool pseudo_header = flow.protocol != IpProtocol::icmp;
  if (to_egress) {
    d.header.replace(flow.source4, flow.nat_address4);
    if (pseudo_header) d.transport = d.header;
    d.transport.replace(flow.source_port, flow.nat_port);
  } else {
    d.header.replace(flow.nat_address4, flow.source4);
    if (pseudo_header) d.transport = d.header;
    d.transport.replace(flow.nat_port, flow.source_port);
  }
  return d;
}

// Where a header keeps an address.
[[nodiscard]] std::uint8_t* address_field(std::uint8_t* l3, Family family, bool source) noexcept {
  if (family == Family::v4) return l3 + (source ? 12 : 16);
  return l3 + (source ? 8 : 24);
}

void put_address(std::uint8_t* l3, Family family, bool source, const std::array<std::uint8_t, 16>& bytes) noexcept {
  std::memcpy(address_field(l3, family, source), bytes.data(), address_bytes(family));
}

// The checksum of a transport header, of which `present` bytes are there (a quoted packet may be cut short).
void update_transport(std::uint8_t* l4, std::uint32_t present, IpProtocol protocol, const Delta& delta) noexcept {
  switch (protocol) {
    case IpProtocol::tcp:
      if (present >= 18) update(at<Tcp>(l4).checksum, delta);
      break;
    case IpProtocol::udp:
      if (present >= sizeof(Udp)) update_udp(at<Udp>(l4).checksum, delta);
      break;
    case IpProtocol::icmp:
    case IpProtocol::icmp6:
      if (present >= 4) update(at<Icmp>(l4).checksum, delta);
      break;
    case IpProtocol::sctp:
      break;  // CRC32c does not cover addresses; see translate()
  }
}

[[nodiscard]] Be16& port_field(std::uint8_t* l4, IpProtocol protocol, bool source) noexcept {
  if (FlowTable::is_echo(protocol)) return at<Icmp>(l4).identifier;
  return source ? at<Udp>(l4).source_port : at<Udp>(l4).destination_port;
}

}  // namespace

void translate(const Core& core, const Flow& flow, Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  if (flow.nat_address == 0) return;
  const bool outbound = direction == to_server;
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  std::uint8_t* l4 = packet.data + parsed.l4_offset;
  const Family family = parsed.key.family;
  const Deltas delta = deltas(flow, outbound);
  if (family == Family::v4) {
    std::memcpy(address_field(l3, family, outbound), outbound ? &flow.nat_address4 : &flow.source4, 4);
    update(at<Ipv4>(l3).checksum, delta.header);
  } else {
    put_address(l3, family, outbound,
                outbound ? core.addresses[flow.nat_address].bytes : core.flows.source(flow).bytes);
  }
  const bool port_changes = flow.nat_port != flow.source_port;
  port_field(l4, parsed.key.protocol, outbound).set_raw(outbound ? flow.nat_port : flow.source_port);
  if (parsed.key.protocol == IpProtocol::sctp && port_changes) {
    at<Sctp>(l4).checksum = sctp_checksum({l4, parsed.l4_bytes()});
  }
  update_transport(l4, parsed.l4_bytes(), parsed.key.protocol, delta.transport);
}

bool translate_error(const Core& core, const Flow& flow, Packet& packet, const Parsed& parsed, const Parsed& quoted,
                     Direction direction) noexcept {
  // An error to the client quotes what the client sent, as it left here: its source goes back. An error to the server
  // quotes what the server sent, as it was delivered: its destination goes back to the egress address.
  const bool to_inside = direction == to_client;
  const Family family = parsed.key.family;
  std::uint8_t* quoted_l3 = packet.data + quoted.l3_offset;
  std::uint8_t* quoted_l4 = packet.data + quoted.l4_offset;
  const std::uint32_t end = parsed.l3_offset + parsed.l3_bytes;
  const std::uint32_t present = end - quoted.l4_offset;
  if (present < 4 || (FlowTable::is_echo(quoted.key.protocol) && present < 6)) return false;
  if (flow.nat_address == 0) return true;

  const auto& egress = core.addresses[flow.nat_address].bytes;
  const IpAddress inside = core.flows.source(flow);
  const Deltas delta = deltas(flow, !to_inside);
  put_address(quoted_l3, family, to_inside, to_inside ? inside.bytes : egress);
  if (family == Family::v4) update(at<Ipv4>(quoted_l3).checksum, delta.header);
  port_field(quoted_l4, quoted.key.protocol, to_inside).set_raw(to_inside ? flow.source_port : flow.nat_port);
  update_transport(quoted_l4, present, quoted.key.protocol, delta.transport);

  // The outer packet: to the client by its own address; to the server from the egress address (5508 REQ-5: whoever sent
  // it inside is not to be seen).
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  Delta outer;
  std::uint8_t* field = address_field(l3, family, !to_inside);
  const std::uint8_t* replacement = to_inside ? inside.bytes.data() : egress.data();
  outer.replace(field, replacement, address_bytes(family));
  std::memcpy(field, replacement, address_bytes(family));
  if (family == Family::v4) update(at<Ipv4>(l3).checksum, outer);

  // parse() has verified the ICMP checksum, so it may be made anew.
  auto& icmp = at<Icmp>(packet.data + parsed.l4_offset);
  icmp.checksum.set_raw(0);
  Sum sum = sum_words(packet.data + parsed.l4_offset, parsed.l4_bytes());
  if (family == Family::v6) {
    const auto& ip = at<Ipv6>(l3);
    sum += pseudo_header(ip.source, ip.destination, parsed.ip_protocol, parsed.l4_bytes());
  }
  icmp.checksum.set_raw(finish(sum));
  return true;
}

}  // namespace sallyport::dataplane
