#include "dataplane/stages/nat.h"

#include <cstring>
#include <optional>

#include "classifier/prefix_translation.h"
#include "dataplane/owner.h"
#include "dataplane/stages/map_port.h"
#include "dataplane/stages/port_use.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/crc32c.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

constexpr std::uint32_t ports_a_turn = 1024;

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

[[nodiscard]] Nat::Result result_of(Mapped mapped) noexcept {
  switch (mapped) {
    case Mapped::ok:
      return Nat::Result::ok;
    case Mapped::no_free_port:
      return Nat::Result::no_free_port;
    case Mapped::source_limit:
      return Nat::Result::source_limit;
    case Mapped::protocol_taken:
      return Nat::Result::protocol_taken;
  }
  return Nat::Result::no_free_port;
}

void record_exhaustion(Core& core, const Flow& flow) noexcept {
  if (!core.exhaustion_limit.admit(core.tick)) return;
  FlowRecord record;
  record.kind = RecordKind::ports_exhausted;
  record.written_ns = core.now;
  record.inside = core.flows.inside_key(flow);
  record.nat_address = core.addresses[flow.nat_address];
  core.world.record(record);
}

// RFC 6296: each source has an address, and so all ports, of its own.
[[nodiscard]] Nat map_prefix(Core& core, const classifier::PrefixTranslation& prefix, Flow& flow) noexcept {
  const std::optional<IpAddress> address = prefix.to_outside(core.flows.source(flow));
  if (!address) return {Nat::Result::no_address};
  flow.nat_address = static_cast<std::uint16_t>(core.addresses.take(*address));
  if (flow.nat_address == 0) return {Nat::Result::no_address};
  if (core.flows.find(core.flows.outside_key(flow), FlowTable::Side::outside) == 0) {
    prepare_translation(core, flow);
    return {};
  }
  core.addresses.give_back(flow.nat_address);
  flow.nat_address = 0;
  return {Nat::Result::no_free_port};
}

}  // namespace

Nat choose_nat(Core& core, const classifier::Source& source, const classifier::FlowQuery& query, Flow& flow) noexcept {
  const classifier::EgressChoice choice = core.policy()->choose_egress(source, query);
  core.flows.facts(flow).egress = choice.egress;
  if (choice.kind == classifier::EgressChoice::Kind::untranslated) return {};
  if (choice.prefix != nullptr) return map_prefix(core, *choice.prefix, flow);
  if (choice.kind == classifier::EgressChoice::Kind::no_address || choice.pool == nullptr || choice.pool->empty()) {
    return {Nat::Result::no_address};
  }
  const std::uint32_t sender = core.flows.facts(flow).sender;
  const std::uint32_t kept = sender != 0 ? core.sources.paired(sender, *choice.pool) : 0;
  flow.nat_address = static_cast<std::uint16_t>(
      kept != 0 ? core.addresses.share(kept)
                : core.addresses.take(choice.pool->pick(query.source, core.settings.pool_key)));
  if (flow.nat_address == 0) return {Nat::Result::no_address};
  if (const Mapped mapped = map_port(core, flow); mapped != Mapped::ok) {
    if (mapped == Mapped::no_free_port && core.settings.exhaustion_records) record_exhaustion(core, flow);
    core.addresses.give_back(flow.nat_address);
    flow.nat_address = 0;
    flow.nat_port = flow.source_port;
    return {result_of(mapped)};
  }
  prepare_translation(core, flow);
  return {};
}

bool use_mapping(Core& core, const classifier::Source& source, const classifier::FlowQuery& query,
                 std::uint32_t mapping, Flow& flow) noexcept {
  const classifier::EgressChoice choice = core.policy()->choose_egress(source, query);
  const Mapping& found = core.mappings[mapping];
  const IpAddress address = core.addresses[found.nat_address];
  if (choice.pool == nullptr || !choice.pool->contains(address)) return false;
  flow.nat_address = static_cast<std::uint16_t>(core.addresses.take(address));
  if (!join_mapping(core, flow, mapping)) {
    core.addresses.give_back(flow.nat_address);
    flow.nat_address = 0;
    return false;
  }
  core.flows.facts(flow).egress = choice.egress;
  prepare_translation(core, flow);
  return true;
}

bool take_translation(Core& core, Flow& flow, const SavedFlow& saved) noexcept {
  const PipelineSettings& settings = core.settings;
  if (Pipeline::owner(saved, settings.workers, piece_ports(settings.nat)) != settings.worker) return false;
  flow.nat_address = static_cast<std::uint16_t>(core.addresses.take(saved.nat_address));
  if (flow.nat_address == 0) return false;
  flow.nat_port = saved.nat_port;
  if (!saved.by_prefix && !retake_port(core, flow)) {
    core.addresses.give_back(flow.nat_address);
    return false;
  }
  prepare_translation(core, flow);
  return true;
}

namespace {

// What a mapping keeps while it rests: its egress address, and of its source's ports one.
void give_rest_back(Core& core, const Mapping& mapping) noexcept {
  leave_rested_port(core, mapping.inside, mapping.nat_address, mapping.nat_port);
  core.addresses.give_back(mapping.nat_address);
}

}  // namespace

void hold_ties(Core& core, const Flow& flow) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  if (facts.mapping != 0) {
    if (core.mappings.rests(facts.mapping)) give_rest_back(core, core.mappings[facts.mapping]);
    core.mappings.hold(facts.mapping, facts.uninvited);
    core.contacts.enter(facts.mapping, core.flows.destination(flow));
  }
  if (facts.sender == 0) return;
  ++core.sources[facts.sender].flows;
  if (flow.nat_address != 0) core.sources.pair(facts.sender, flow.nat_address);
}

void invite(Core& core, const Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  facts.uninvited = false;
  core.mappings.invite(facts.mapping);
}

void release_nat(Core& core, Flow& flow) noexcept {
  std::uint32_t& mapping = core.flows.facts(flow).mapping;
  if (mapping != 0 && core.mappings.is_new(mapping)) {
    uncount_port(core, core.mappings[mapping]);
    core.mappings.drop(mapping);
  } else if (core.flows.facts(flow).counts_port) {
    uncount_server_port(core, flow);
  }
  mapping = 0;
  leave_ports(core, flow);
  core.addresses.give_back(flow.nat_address);
}

void end_nat(Core& core, const Flow& flow) noexcept {
  if (flow.nat_address != 0) core.full_servers.forget(flow);
  const std::uint32_t mapping = core.flows.facts(flow).mapping;
  if (mapping != 0) {
    core.contacts.leave(mapping, core.flows.destination(flow));
    const Mapping was = core.mappings[mapping];
    const bool over = core.mappings.release(mapping, core.flows.facts(flow).uninvited, core.tick);
    if (over && core.mappings.resting())
      return;  // with the flow's references to the egress address and its source's ports
    if (over) uncount_port(core, was);
  } else if (core.flows.facts(flow).counts_port) {
    uncount_server_port(core, flow);
  }
  leave_ports(core, flow);
  core.addresses.give_back(flow.nat_address);
}

namespace {

void wake_until(Core& core, Tick now, std::uint32_t budget) noexcept {
  core.mappings.wake(now, budget, [&](const Mapping& mapping) {
    uncount_port(core, mapping);
    give_rest_back(core, mapping);
  });
}

}  // namespace

void wake_ports(Core& core) noexcept { wake_until(core, core.tick, ports_a_turn); }

void end_rest(Core& core) noexcept {
  constexpr Tick far_ahead = 1U << 30U;
  wake_until(core, core.tick + far_ahead, UINT32_MAX);
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
      // Where all else is zero a checksum of zero is wrong, and 0xffff always as good (RFC 1624 section 3).
      if (present >= 4) {
        const std::uint16_t value = delta.applied_to(at<Icmp>(l4).checksum.raw());
        at<Icmp>(l4).checksum.set_raw(value == 0 ? 0xffffU : value);
      }
      break;
    case IpProtocol::sctp:
      break;  // CRC32c does not cover addresses; see translate()
  }
  // Checksums with a pseudo header where UDP has it (RFC 3828 section 3.1, RFC 4340 section 5.1); UDP-Lite's is never
  // 0.
  if (protocol == udp_lite && present >= sizeof(Udp)) update_udp(at<Udp>(l4).checksum, delta);
  if (protocol == dccp && present >= sizeof(Udp)) update(at<Udp>(l4).checksum, delta);
}

void put_port(std::uint8_t* l4, IpProtocol protocol, bool source, std::uint16_t port) noexcept {
  if (FlowTable::is_echo(protocol)) {
    at<Icmp>(l4).identifier.set_raw(port);
  } else if (has_ports(protocol)) {
    (source ? at<Udp>(l4).source_port : at<Udp>(l4).destination_port).set_raw(port);
  }
}

// CRC32c covers ports, not addresses, and is made anew; what was wrong stays as wrong.
void put_sctp_port(std::uint8_t* l4, std::uint32_t bytes, bool source, std::uint16_t port) noexcept {
  auto& checksum = at<Sctp>(l4).checksum;
  const std::uint32_t wrong_by = checksum.get() ^ sctp_checksum({l4, bytes});
  put_port(l4, IpProtocol::sctp, source, port);
  checksum = sctp_checksum({l4, bytes}) ^ wrong_by;
}

// What leaves in pieces under an egress address: two hosts behind it may number theirs alike. IPv4's are numbered as
// they are cut, see Fragmenter.
void identify(Core& core, Packet& packet, const Parsed& parsed) noexcept {
  if (packet.fragment_size != 0 && parsed.key.family == Family::v6)
    packet.fragment_id = core.identifications.next6(core.random);
}

}  // namespace

void translate(Core& core, const Flow& flow, Packet& packet, const Parsed& parsed, Direction direction) noexcept {
  if (flow.nat_address == 0) return;
  const bool outbound = direction == to_server;
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  std::uint8_t* l4 = packet.data + parsed.l4_offset;
  const Family family = parsed.key.family;
  const Deltas delta = deltas(flow, outbound);
  if (outbound) identify(core, packet, parsed);
  if (family == Family::v4) {
    std::memcpy(address_field(l3, family, outbound), outbound ? &flow.nat_address4 : &flow.source4, 4);
    update(at<Ipv4>(l3).checksum, delta.header);
  } else {
    put_address(l3, family, outbound,
                outbound ? core.addresses[flow.nat_address].bytes : core.flows.source(flow).bytes);
  }
  if (flow.nat_port != flow.source_port) {
    const std::uint16_t port = outbound ? flow.nat_port : flow.source_port;
    if (parsed.key.protocol == IpProtocol::sctp) {
      put_sctp_port(l4, parsed.l4_bytes(), outbound, port);
    } else {
      put_port(l4, parsed.key.protocol, outbound, port);
    }
  }
  update_transport(l4, parsed.l4_bytes(), parsed.key.protocol, delta.transport);
}

bool translate_error(Core& core, const Flow& flow, Packet& packet, const Parsed& parsed, const Parsed& quoted,
                     Direction direction) noexcept {
  // An error to the client quotes what the client sent, as it left here: its source goes back. An error to the server
  // quotes what the server sent, as it was delivered: its destination goes back to the egress address.
  const bool to_inside = direction == to_client;
  const Family family = parsed.key.family;
  std::uint8_t* quoted_l3 = packet.data + quoted.l3_offset;
  std::uint8_t* quoted_l4 = packet.data + quoted.l4_offset;
  const std::uint32_t end = parsed.l3_offset + parsed.l3_bytes;
  const std::uint32_t present = end - quoted.l4_offset;
  const bool cut_short = present < 4 || (FlowTable::is_echo(quoted.key.protocol) && present < 6);
  if (cut_short && !is_portless(quoted.key.protocol)) return false;
  if (flow.nat_address == 0) return true;

  const auto& egress = core.addresses[flow.nat_address].bytes;
  const IpAddress inside = core.flows.source(flow);
  const Deltas delta = deltas(flow, !to_inside);
  put_address(quoted_l3, family, to_inside, to_inside ? inside.bytes : egress);
  if (family == Family::v4) update(at<Ipv4>(quoted_l3).checksum, delta.header);
  put_port(quoted_l4, quoted.key.protocol, to_inside, to_inside ? flow.source_port : flow.nat_port);
  update_transport(quoted_l4, present, quoted.key.protocol, delta.transport);

  // The outer packet: to the client by its own address; to the server from the egress address (5508 REQ-5: whoever sent
  // it inside is not to be seen).
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  Delta outer;
  if (!to_inside) identify(core, packet, parsed);
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

bool answers_come_here(const Core& core, const Flow& flow, const classifier::Policy& policy) noexcept {
  const IpAddress& address = core.addresses[flow.nat_address];
  if (!policy.gives_out(address)) return false;
  const PipelineSettings& settings = core.settings;
  if (settings.workers == 1 || is_portless(flow.protocol)) return true;
  return answer_owner(address, flow.nat_port, settings.workers, piece_ports(settings.nat), policy) == settings.worker;
}

}  // namespace sallyport::dataplane
