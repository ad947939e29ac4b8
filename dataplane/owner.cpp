// Which worker a packet belongs to: the same answer on every worker, without asking anybody.
#include "dataplane/owner.h"

#include <cstring>

#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/port_choice.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/icmp_error.h"
#include "dataplane/steering.h"
#include "dataplane/wire/decapsulate.h"

namespace sallyport::dataplane {
namespace {

using config::PortRole;

[[nodiscard]] std::uint32_t spread(const std::array<std::uint8_t, 16>& address, std::uint64_t salt) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, address.data(), sizeof words);
  Random mix(words[0] * 0x9e3779b97f4a7c15U ^ words[1] ^ salt);
  return static_cast<std::uint32_t>(mix.next() >> 32U);
}

[[nodiscard]] std::uint32_t sender_owner(const std::array<std::uint8_t, 16>& address, std::uint32_t workers) noexcept {
  return bucket_owner(sender_bucket(address), workers);
}

[[nodiscard]] bool is_whole_error(const Parsed& parsed) noexcept {
  return parsed.kind == PacketKind::icmp_error && !parsed.fragment;
}

// Protocols without ports belong to the worker of their server, which both directions name; all else to the client's.
[[nodiscard]] std::uint32_t owner_of(const FlowKey& sent, std::uint32_t workers) noexcept {
  return sender_owner(is_portless(sent.protocol) ? sent.destination : sent.source, workers);
}

// To an egress address: by the client that has it to itself, or by the slice of external ports.
[[nodiscard]] std::uint32_t slice_owner(const Packet& packet, const Parsed& parsed, std::uint32_t workers,
                                        std::uint32_t self, std::uint32_t piece,
                                        const classifier::Policy& policy) noexcept {
  if (parsed.fragment) return spread(parsed.key.source, parsed.identification) % workers;
  // As the client sent it, whose address and port these are.
  FlowKey sent = parsed.key.reversed();
  if (FlowTable::is_echo(sent.protocol)) sent.source_port = parsed.key.source_port;
  if (parsed.kind == PacketKind::icmp_error) {
    Parsed quoted;
    if (!parse_quoted(false, packet, parsed, quoted)) return self;
    sent = quoted.key;
  }
  if (is_portless(sent.protocol)) return owner_of(sent, workers);
  return answer_owner(sent.source_address(), sent.source_port, workers, piece, policy);
}

// Somebody whom the policy knows sends; to such a one from somebody who is none, it is an answer.
[[nodiscard]] bool looks_sent(const Parsed& parsed, const Snapshot& snapshot) noexcept {
  const auto known = [&](const IpAddress& address) {
    if (snapshot.policy == nullptr) return false;
    const classifier::Source source = snapshot.policy->find_source(address);
    return source.workload != 0 || source.namespace_name != 0;
  };
  return known(parsed.key.source_address()) || !known(parsed.key.destination_address());
}

// The packet in a tunnel's packet: a view of it that changes nothing.
[[nodiscard]] bool look_inside(const Tunnels& tunnels, const Packet& packet, Parsed& parsed, Packet& view) noexcept {
  Tunnels::Inner inner;
  Drop why{};
  if (!tunnels.any_on(packet.port) || parsed.fragment) return false;
  if (tunnels.find(packet, parsed, inner, why) != Tunnels::Found::inner) return false;
  view = packet;
  view.data += inner.offset;
  view.length = inner.bytes;
  ParseRules rules;
  rules.verify_ip_checksum = false;
  const bool bridged = inner.peer.ethertype == wire::ethertype_ethernet;
  Parsed within;
  const ParseResult result = bridged ? parse(view, rules, within, why) : parse_ip(view, 0, rules, within, why);
  if (result != ParseResult::ok) return false;  // it ends, wherever that is
  parsed = within;
  return true;
}

}  // namespace

std::uint32_t answer_owner(const IpAddress& nat_address, std::uint16_t nat_port, std::uint32_t workers,
                           std::uint32_t piece_ports, const classifier::Policy& policy) noexcept {
  if (const auto client = policy.mapped_from(nat_address); client) return sender_owner(client->bytes, workers);
  return port_owner(__builtin_bswap16(nat_port), workers, piece_ports);
}

PossibleOwners possible_owners(const Packet& packet, const Parsed& parsed, std::uint32_t workers) noexcept {
  Parsed quoted;
  // What is quoted went the other way.
  if (is_whole_error(parsed) && parse_quoted(false, packet, parsed, quoted)) {
    return {owner_of(quoted.key.reversed(), workers), owner_of(quoted.key, workers)};
  }
  return {owner_of(parsed.key, workers), owner_of(parsed.key.reversed(), workers)};
}

std::optional<std::uint32_t> Pipeline::owner(const SavedFlow& saved, std::uint32_t workers,
                                             std::uint32_t piece_ports) noexcept {
  const std::uint32_t sender = owner_of(saved.inside, workers);
  const bool apart = saved.translated && !saved.by_prefix &&
                     port_owner(__builtin_bswap16(saved.nat_port), workers, piece_ports) != sender;
  return apart ? std::nullopt : std::optional(sender);
}

std::uint32_t Pipeline::owner(const EndedFlow& ended, std::uint32_t workers) noexcept {
  return owner_of(ended.inside, workers);
}

std::uint32_t Pipeline::owner(const SavedRest& saved, std::uint32_t workers, std::uint32_t piece_ports) noexcept {
  return port_owner(__builtin_bswap16(saved.port), workers, piece_ports);
}

std::uint32_t Pipeline::owner(const Packet& packet, PortRole role, std::uint32_t workers, std::uint32_t self,
                              const Snapshot& snapshot, std::uint32_t piece_ports) noexcept {
  if (workers == 1) return 0;
  Parsed parsed;
  Drop why{};
  ParseRules rules;
  rules.any_vlan = true;
  rules.verify_ip_checksum = false;
  if (parse(packet, rules, parsed, why) != ParseResult::ok) return self;
  Packet inner;
  if (snapshot.tunnels != nullptr && look_inside(*snapshot.tunnels, packet, parsed, inner)) {
    const bool portless_piece = parsed.fragment && is_portless(static_cast<IpProtocol>(parsed.ip_protocol));
    return portless_piece ? sender_owner(parsed.key.destination, workers)
                          : possible_owners(inner, parsed, workers).sender;
  }
  if (role != PortRole::inside && snapshot.policy != nullptr &&
      snapshot.policy->gives_out(parsed.key.destination_address())) {
    return slice_owner(packet, parsed, workers, self, piece_ports, *snapshot.policy);
  }
  const PossibleOwners owners = possible_owners(packet, parsed, workers);
  const bool sent = role == PortRole::inside || (role == PortRole::both && looks_sent(parsed, snapshot));
  return sent ? owners.sender : owners.answer;
}

}  // namespace sallyport::dataplane
