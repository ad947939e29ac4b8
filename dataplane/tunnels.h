// The cluster's overlays: what [[tunnel]] says, as a constant value, and how a packet's tunnel is found.
//
//   outer:  node 10.0.0.7 -> our 10.0.0.1, UDP 4789 | VXLAN 4096 | inner: Ethernet, pod 10.1.2.3 -> 198.51.100.7
//
// What comes to one of a tunnel's ends is opened where it is parsed, so that everything behind sees the pod's own
// packet; the peer that it came from (TunnelPeer) is what the flow remembers, and where its answers go.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/packet.h"
#include "dataplane/routing.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {

// Who is at the other end, and how it is spoken to. Compared as a whole.
struct TunnelPeer {
  std::uint16_t tunnel = 0;     // place among the tunnels
  std::uint16_t ethertype = 0;  // what its packets begin with: ethertype_ethernet, or IP without Ethernet (0: either)
  std::uint32_t id = 0;         // VNI or key
  bool has_id = false;
  MacAddress mac{};      // of the inner Ethernet: the sender's,
  MacAddress our_mac{};  // and the one that it sent to
  IpAddress remote;      // the outer source

  friend bool operator==(const TunnelPeer&, const TunnelPeer&) noexcept = default;
  // The same network of the same tunnel, wherever in it.
  [[nodiscard]] bool is_beside(const TunnelPeer& other) const noexcept {
    return tunnel == other.tunnel && id == other.id && has_id == other.has_id;
  }
};

class Tunnels {
 public:
  struct Tunnel {
    config::TunnelType type = config::TunnelType::vxlan;
    PortIndex port = no_port;
    IpAddress local;
    std::uint16_t udp_port = 0;
    std::vector<AddressRange> remotes;  // empty: anybody
    std::vector<std::uint32_t> ids;     // rising; empty: of packets without one
    std::vector<IpAddress> addresses;   // the gateway's own inside (stages/tunnel_host.h)
  };

  // Null where there are none.
  [[nodiscard]] static std::shared_ptr<const Tunnels> of(const config::ApplianceModel& model);

  [[nodiscard]] bool any_on(PortIndex port) const noexcept { return (ports_ >> port & 1U) != 0; }
  [[nodiscard]] const Tunnel& operator[](std::size_t place) const noexcept { return tunnels_[place]; }

  enum class Found : std::uint8_t {
    none,    // no tunnel's packet
    inner,   // `offset` is where the inner packet begins, `peer` who sent it; its Ethernet addresses are still to be
             // read
    refused  // under `why`
  };
  struct Inner {
    std::uint32_t offset = 0;  // of the inner Ethernet or IP header, from Packet::data
    std::uint32_t bytes = 0;   // from there on
    TunnelPeer peer;
  };
  // `outer` is what parse() says of the packet.
  [[nodiscard]] Found find(const Packet& packet, const Parsed& outer, Inner& inner, Drop& why) const noexcept;

  // The place of the tunnel with this end that takes packets of this peer.
  [[nodiscard]] std::optional<std::uint16_t> place_for(config::TunnelType type, const IpAddress& local,
                                                       const TunnelPeer& peer) const noexcept;

  // Bytes that a packet of this peer is longer than the inner IP packet, link header apart.
  [[nodiscard]] std::uint16_t overhead(const TunnelPeer& peer) const noexcept;

 private:
  [[nodiscard]] static bool is_to(const Tunnel& tunnel, const Packet& packet, const Parsed& outer) noexcept;

  std::vector<Tunnel> tunnels_;
  std::uint32_t ports_ = 0;  // a bit for each that carries one
  static_assert(ports_max <= 32);
};

}  // namespace sallyport::dataplane
