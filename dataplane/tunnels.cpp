#include "dataplane/tunnels.h"

#include <algorithm>
#include <optional>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "dataplane/wire/tunnel_header.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;
using config::TunnelType;

// What is behind the outer headers, as far as the outer IP packet goes.
[[nodiscard]] std::span<const std::uint8_t> behind(const Packet& packet, const Parsed& outer) noexcept {
  const bool udp = outer.kind == PacketKind::udp;
  const std::uint32_t begin = udp ? outer.payload_offset : outer.l4_offset;
  const std::uint32_t bytes = udp ? outer.payload_bytes : outer.l4_bytes();
  return {packet.data + begin, bytes};
}

[[nodiscard]] std::optional<TunnelHeader> read(TunnelType type, std::span<const std::uint8_t> bytes,
                                               std::uint8_t protocol) noexcept {
  switch (type) {
    case TunnelType::vxlan:
      return read_vxlan(bytes);
    case TunnelType::geneve:
      return read_geneve(bytes);
    case TunnelType::gre:
      return read_gre(bytes);
    case TunnelType::ipip:
      break;
  }
  return TunnelHeader{0, protocol == protocol_ipv4 ? ethertype_ipv4 : ethertype_ipv6};
}

// UDP's, where there is one (RFC 7348 section 5: zero is to be accepted; over IPv6 parse() has refused it), or GRE's.
[[nodiscard]] bool right_checksum(TunnelType type, const Packet& packet, const Parsed& outer) noexcept {
  const std::uint8_t* l4 = packet.data + outer.l4_offset;
  if (type == TunnelType::ipip) return true;
  if (type == TunnelType::gre) return right_gre_checksum(behind(packet, outer));
  if (at<Udp>(l4).checksum.raw() == 0) return true;
  const std::uint32_t bytes = at<Udp>(l4).length.get();
  const std::size_t count = address_bytes(outer.key.family);
  return finish(pseudo_header({outer.key.source.data(), count}, {outer.key.destination.data(), count}, protocol_udp,
                              bytes) +
                sum_words(l4, bytes)) == 0;
}

// `From`: a header, or a peer.
template <typename From>
[[nodiscard]] bool has_network(const Tunnels::Tunnel& tunnel, const From& from) noexcept {
  if (tunnel.ids.empty()) return !from.has_id;
  return from.has_id && std::binary_search(tunnel.ids.begin(), tunnel.ids.end(), from.id);
}

[[nodiscard]] bool takes_from(const Tunnels::Tunnel& tunnel, const IpAddress& remote) noexcept {
  return tunnel.remotes.empty() ||
         std::any_of(tunnel.remotes.begin(), tunnel.remotes.end(), [&](const AddressRange& range) {
           return range.first.family == remote.family && range.first <= remote && remote <= range.last;
         });
}

}  // namespace

std::shared_ptr<const Tunnels> Tunnels::of(const config::ApplianceModel& model) {
  if (model.tunnels.empty()) return nullptr;
  auto tunnels = std::make_shared<Tunnels>();
  for (const config::TunnelConfig& config : model.tunnels) {
    const auto port = std::find_if(model.ports.begin(), model.ports.end(),
                                   [&](const config::PortConfig& each) { return each.name == config.port_name; });
    Tunnel tunnel{config.type,     static_cast<PortIndex>(port - model.ports.begin()),
                  config.local,    config.port,
                  config.remotes,  config.vni,
                  config.addresses};
    std::sort(tunnel.ids.begin(), tunnel.ids.end());
    tunnels->ports_ |= 1U << tunnel.port;
    tunnels->tunnels_.push_back(std::move(tunnel));
  }
  return tunnels;
}

bool Tunnels::is_to(const Tunnel& tunnel, const Packet& packet, const Parsed& outer) noexcept {
  if (tunnel.port != packet.port || !(tunnel.local == outer.key.destination_address())) return false;
  switch (tunnel.type) {
    case TunnelType::vxlan:
    case TunnelType::geneve:
      return outer.kind == PacketKind::udp && outer.key.destination_port == __builtin_bswap16(tunnel.udp_port);
    case TunnelType::gre:
      return outer.ip_protocol == protocol_gre;
    case TunnelType::ipip:
      return outer.ip_protocol == protocol_ipv4 || outer.ip_protocol == protocol_ipv6;
  }
  return false;
}

Tunnels::Found Tunnels::find(const Packet& packet, const Parsed& outer, Inner& inner, Drop& why) const noexcept {
  std::optional<TunnelHeader> header;
  const IpAddress remote = outer.key.source_address();
  for (std::size_t place = 0; place < tunnels_.size(); ++place) {
    const Tunnel& tunnel = tunnels_[place];
    if (!is_to(tunnel, packet, outer)) continue;
    if (!header) {  // the same for all of them
      why = Drop::tunnel_unknown_network;
      header = read(tunnel.type, behind(packet, outer), outer.ip_protocol);
      if (!header) {
        why = Drop::tunnel_malformed;
        return Found::refused;
      }
      if (!right_checksum(tunnel.type, packet, outer)) {
        why = Drop::tunnel_bad_checksum;
        return Found::refused;
      }
    }
    if (!has_network(tunnel, *header)) continue;
    why = Drop::tunnel_unknown_remote;
    if (!takes_from(tunnel, remote)) continue;
    const auto content = behind(packet, outer);
    inner.offset = static_cast<std::uint32_t>(content.data() - packet.data) + header->bytes;
    inner.bytes = static_cast<std::uint32_t>(content.size()) - header->bytes;
    inner.peer =
        TunnelPeer{static_cast<std::uint16_t>(place), header->ethertype, header->id, header->has_id, {}, {}, remote};
    return Found::inner;
  }
  return header ? Found::refused : Found::none;
}

std::optional<std::uint16_t> Tunnels::place_for(config::TunnelType type, const IpAddress& local,
                                                const TunnelPeer& peer) const noexcept {
  for (std::size_t place = 0; place < tunnels_.size(); ++place) {
    const Tunnel& tunnel = tunnels_[place];
    const bool same_end = tunnel.type == type && tunnel.local == local;
    if (same_end && has_network(tunnel, peer) && takes_from(tunnel, peer.remote)) {
      return static_cast<std::uint16_t>(place);
    }
  }
  return std::nullopt;
}

std::uint16_t Tunnels::overhead(const TunnelPeer& peer) const noexcept {
  const Tunnel& tunnel = tunnels_[peer.tunnel];
  std::size_t bytes = tunnel.local.family == Family::v4 ? sizeof(Ipv4) : sizeof(Ipv6);
  if (tunnel.udp_port != 0) bytes += sizeof(Udp) + udp_tunnel_bytes;
  if (tunnel.type == TunnelType::gre) bytes += gre_bytes(peer.has_id);
  if (peer.ethertype == ethertype_ethernet) bytes += sizeof(Ethernet);
  return static_cast<std::uint16_t>(bytes);
}

}  // namespace sallyport::dataplane
