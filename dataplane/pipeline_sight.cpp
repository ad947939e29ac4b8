// What a pipeline tells those who look on: which flow a packet is of, and what is known of that.
#include "dataplane/pipeline_parts.h"
#include "dataplane/stages/icmp_error.h"
#include "dataplane/stages/track.h"
#include "dataplane/tap/sight.h"
#include "dataplane/wire/decapsulate.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using Side = FlowTable::Side;

// Broken packets are seen as well, and so are those with tags that the port does not carry.
constexpr ParseRules any{.any_vlan = true, .vlan = {}, .verify_ip_checksum = false};

[[nodiscard]] bool is_ip(std::uint16_t ethertype) noexcept {
  return ethertype == wire::ethertype_ipv4 || ethertype == wire::ethertype_ipv6;
}

void read(const Packet& packet, Sight& sight) noexcept {
  Drop why{};
  sight.sound = parse(packet, any, sight.parsed, why) == ParseResult::ok;
  const std::uint32_t at = sight.parsed.l3_offset;
  if (at < sizeof(wire::Ethernet) || at >= packet.length) return;
  if (is_ip(wire::at<wire::Be16>(packet.data + at - 2).get())) {
    sight.ip_bytes = sight.parsed.l3_bytes != 0 ? sight.parsed.l3_bytes : packet.length - at;
  }
}

// What is inside is what its sender knows of.
void look_into_tunnel(const Tunnels& tunnels, const Packet& packet, Sight& sight) noexcept {
  Tunnels::Inner inner;
  Drop why{};
  if (tunnels.find(packet, sight.parsed, inner, why) != Tunnels::Found::inner) return;
  std::uint32_t at = inner.offset;
  if (inner.peer.ethertype == wire::ethertype_ethernet) {
    if (inner.bytes <= sizeof(wire::Ethernet)) return;
    if (!is_ip(wire::at<wire::Ethernet>(packet.data + at).type.get())) return;
    at += static_cast<std::uint32_t>(sizeof(wire::Ethernet));
  }
  Packet whole = packet;
  whole.length = inner.offset + inner.bytes;
  sight.sound = parse_ip(whole, static_cast<std::uint16_t>(at), any, sight.parsed, why) == ParseResult::ok;
  sight.ip_bytes = whole.length - at;
}

// The same flow, seen by a packet of the other direction; echo keys keep the identifier where it is.
[[nodiscard]] FlowKey turned(const FlowKey& key) noexcept {
  FlowKey other = key.reversed();
  if (FlowTable::is_echo(key.protocol)) {
    other.source_port = key.source_port;
    other.destination_port = 0;
  }
  return other;
}

class Finder {
 public:
  Finder(const Core& core, const Packet& packet, Sight& sight) noexcept : core_(core), packet_(packet), sight_(sight) {}

  void find(Side side, Seen seen) noexcept {
    if (seen != Seen::sent) look_up(side, sight_.parsed.key, false);
    const Side other = side == Side::inside ? Side::outside : Side::inside;
    if (seen == Seen::sent) look_up(side, turned(sight_.parsed.key), true);
    if (seen == Seen::ended) look_up(other, turned(sight_.parsed.key), true);
  }

 private:
  void look_up(Side side, const FlowKey& key, bool leaving) noexcept {
    if (sight_.flow != 0) return;
    const bool error = sight_.parsed.kind == PacketKind::icmp_error;
    if (error && !leaving) {
      sight_.flow = quoted_flow(core_, packet_, sight_.parsed, side == Side::inside).flow;
    } else if (!error && followed(sight_.parsed.kind)) {
      sight_.flow = core_.flows.find(key, side);
    }
    if (sight_.flow == 0) return;
    const Flow& flow = core_.flows[sight_.flow];
    sight_.from_inside = (side == Side::inside) != leaving;
    sight_.verdict = flow.verdict;
    sight_.inside = core_.flows.inside_key(flow);
    sight_.form = side == Side::inside ? Form::as_client : leaving ? Form::source : Form::destination;
  }

  const Core& core_;
  const Packet& packet_;
  Sight& sight_;
};

}  // namespace

Sight Pipeline::look_at(PortIndex port, const Packet& packet, Seen seen, const Snapshot& snapshot) const noexcept {
  Sight sight;
  read(packet, sight);
  const Tunnels* tunnels = snapshot.tunnels.get();
  const bool inner = sight.sound && seen == Seen::received && tunnels != nullptr && tunnels->any_on(port);
  if (inner) look_into_tunnel(*tunnels, packet, sight);
  const bool inside = parts_->port(port).role != config::PortRole::outside;
  sight.from_inside = inside == (seen != Seen::sent);
  return sight;
}

void Pipeline::find_flow(PortIndex port, const Packet& packet, Seen seen, Sight& sight) const noexcept {
  if (!sight.sound || sight.parsed.fragment) return;
  const config::PortRole role = parts_->port(port).role;
  Finder finder(*parts_, packet, sight);
  if (role != config::PortRole::outside) finder.find(Side::inside, seen);
  if (role != config::PortRole::inside) finder.find(Side::outside, seen);
}

FlowRecord Pipeline::record(FlowNumber flow) const noexcept {
  return record_of(*parts_, parts_->flows[flow], FlowEnd::none);
}

}  // namespace sallyport::dataplane
