#include "dataplane/wire/decapsulate.h"

#include "dataplane/wire/headers.h"
#include "dataplane/wire/tunnel_header.h"

namespace sallyport::dataplane::wire {
namespace {

constexpr unsigned headers_max = 24;  // in a row, of whatever kind
constexpr unsigned extension_headers_max = 8;
constexpr unsigned labels_max = 8;

constexpr std::uint16_t port_l2tp = 1701;
constexpr std::uint16_t port_gtp_user = 2152;
constexpr std::uint16_t port_gre = 4754;
constexpr std::uint16_t port_vxlan_linux = 8472;

// Walks from header to header: `offset_` and `type_` are where the next one begins and what it is. Each step answers
// false where the way ends.
class Walker {
 public:
  Walker(std::span<const std::uint8_t> bytes, std::uint16_t ethertype) noexcept : bytes_(bytes), type_(ethertype) {}

  std::optional<InnermostIp> run() noexcept {
    for (unsigned i = 0; i < headers_max && step(); ++i) {
    }
    return found_;
  }

 private:
  [[nodiscard]] bool has(std::size_t count) const noexcept { return bytes_.size() - offset_ >= count; }
  [[nodiscard]] std::uint8_t u8(std::size_t at) const noexcept { return bytes_[offset_ + at]; }
  [[nodiscard]] std::uint16_t u16(std::size_t at) const noexcept {
    return static_cast<std::uint16_t>(u8(at) << 8U | u8(at + 1));
  }
  bool go(std::size_t count, std::uint16_t type) noexcept {
    if (!has(count)) return false;
    offset_ += count;
    type_ = type;
    return true;
  }
  bool go_ip(std::size_t count) noexcept {
    if (!has(count + 1)) return false;
    const unsigned version = u8(count) >> 4U;
    return (version == 4 || version == 6) && go(count, version == 4 ? ethertype_ipv4 : ethertype_ipv6);
  }

  bool step() noexcept {
    switch (type_) {
      case ethertype_ethernet:
        return ethernet();
      case ethertype_vlan:
      case ethertype_qinq:
      case ethertype_qinq_old:
      case ethertype_transparent_vlan:
        return has(4) && go(4, u16(2));
      case ethertype_pppoe:
        tunnelled_ = true;
        return has(6) && u16(0) == 0x1100 && go(6, ethertype_ppp);
      case ethertype_ppp:
        return ppp();
      case ethertype_mpls:
      case ethertype_mpls_upstream:
        return mpls();
      case ethertype_ipv4:
        return ipv4();
      case ethertype_ipv6:
        return ipv6();
      default:
        return false;
    }
  }

  // Ethernet II, or 802.3 with the SNAP header of RFC 1042.
  bool ethernet() noexcept {
    constexpr std::uint16_t lowest_type = 0x0600;
    if (!has(sizeof(Ethernet))) return false;
    const std::uint16_t type = u16(12);
    if (type >= lowest_type) return go(sizeof(Ethernet), type);
    tunnelled_ = true;
    return has(22) && u16(14) == 0xaaaa && u16(16) == 0x0300 && u16(18) == 0 && go(22, u16(20));
  }

  // RFC 1661 and 1662: address and control may stand before the protocol, whose first byte may be left out.
  bool ppp() noexcept {
    tunnelled_ = true;
    std::size_t at = has(2) && u16(0) == 0xff03 ? 2 : 0;
    if (!has(at + 2)) return false;
    const bool short_protocol = (u8(at) & 1U) != 0;
    const std::uint16_t protocol = short_protocol ? u8(at) : u16(at);
    at += short_protocol ? 1 : 2;
    switch (protocol) {
      case 0x0021:
        return go(at, ethertype_ipv4);
      case 0x0057:
        return go(at, ethertype_ipv6);
      case 0x0281:
        return go(at, ethertype_mpls);
      default:
        return false;
    }
  }

  // Behind the last label IP, told by its version, or an Ethernet frame behind a control word (RFC 4448).
  bool mpls() noexcept {
    tunnelled_ = true;
    for (unsigned i = 0; i < labels_max && has(5); ++i) {
      const bool last = (u8(2) & 1U) != 0;
      if (last) return u8(4) >> 4U == 0 ? go(8, ethertype_ethernet) : go_ip(4);
      offset_ += 4;
    }
    return false;
  }

  // The outermost IP header is reported as it is; one inside another has to be sound, else it is no tunnel.
  void note(std::uint16_t type) noexcept {
    found_ = InnermostIp{static_cast<std::uint32_t>(offset_), type, tunnelled_};
    tunnelled_ = true;
  }

  bool ipv4() noexcept {
    if (!has(sizeof(Ipv4))) return false;
    const auto& ip = at<Ipv4>(bytes_.data() + offset_);
    const std::size_t header = ip.header_bytes();
    const std::size_t total = ip.total_length.get();
    const bool sound = ip.version_length >> 4U == 4 && header >= sizeof(Ipv4) && total >= header && has(total);
    if (sound || !found_) note(ethertype_ipv4);
    const bool fragment = (ip.fragment.get() & (Ipv4::more_fragments | Ipv4::offset_mask)) != 0;
    if (!sound || fragment) return false;
    offset_ += header;
    return protocol(ip.protocol);
  }

  bool ipv6() noexcept {
    if (!has(sizeof(Ipv6))) return false;
    const auto& ip = at<Ipv6>(bytes_.data() + offset_);
    const bool sound = ip.version_class_flow.get() >> 28U == 6 && has(sizeof(Ipv6) + ip.payload_length.get());
    if (sound || !found_) note(ethertype_ipv6);
    if (!sound) return false;
    offset_ += sizeof(Ipv6);
    std::uint8_t next = ip.next_header;
    for (unsigned i = 0; i < extension_headers_max; ++i) {
      const bool authentication = next == next_authentication;
      const bool known = next == next_hop_by_hop || next == next_routing || next == next_destination || authentication;
      const bool whole_in_fragment = next == next_fragment && has(sizeof(Ipv6Fragment)) && (u16(2) & 0xfff9U) == 0;
      if (!known && !whole_in_fragment) break;
      if (!has(8)) return false;
      const std::size_t size = whole_in_fragment ? 8U : authentication ? (u8(1) + 2U) * 4U : (u8(1) + 1U) * 8U;
      if (!has(size)) return false;
      next = u8(0);
      offset_ += size;
    }
    return protocol(next);
  }

  bool protocol(std::uint8_t number) noexcept {
    switch (number) {
      case protocol_ipv4:
        return go(0, ethertype_ipv4);
      case protocol_ipv6:
        return go(0, ethertype_ipv6);
      case protocol_gre:
        return gre();
      case protocol_udp:
        return udp();
      default:
        return false;
    }
  }

  bool gre() noexcept {
    constexpr unsigned checksum = 0x8000, routing = 0x4000, key = 0x2000, sequence = 0x1000, acknowledgment = 0x0080;
    if (!has(4)) return false;
    const unsigned flags = u16(0);
    const unsigned version = flags & 7U;
    if (version > 1 || (flags & routing) != 0) return false;
    std::size_t size = 4;
    if ((flags & checksum) != 0) size += 4;
    if ((flags & key) != 0) size += 4;
    if ((flags & sequence) != 0) size += 4;
    if (version == 1 && (flags & acknowledgment) != 0) size += 4;  // RFC 2637
    return go(size, u16(2));
  }

  bool udp() noexcept {
    if (!has(sizeof(Udp))) return false;
    const std::uint16_t source = u16(0);
    const std::uint16_t destination = u16(2);
    offset_ += sizeof(Udp);
    switch (destination) {
      case port_vxlan:
      case port_vxlan_linux:
        return has(8) && (u8(0) & 0x08U) != 0 && go(8, ethertype_ethernet);
      case port_geneve:
        return has(8) && u8(0) >> 6U == 0 && go(8U + (u8(0) & 0x3fU) * 4U, u16(2));
      case port_gre:
        return gre();
      case port_gtp_user:
        return gtp();
      default:
        return (destination == port_l2tp || source == port_l2tp) && l2tp();
    }
  }

  // 3GPP TS 29.281: version 1, protocol type GTP, message G-PDU; extension headers where E is set.
  bool gtp() noexcept {
    if (!has(8) || u8(0) >> 4U != 3 || u8(1) != 255) return false;
    std::size_t size = 8;
    if ((u8(0) & 7U) != 0) {
      size = 12;
      std::uint8_t next = has(size) && (u8(0) & 4U) != 0 ? u8(11) : 0;
      for (unsigned i = 0; i < extension_headers_max && next != 0; ++i) {
        if (!has(size + 1) || u8(size) == 0) return false;
        const std::size_t length = std::size_t{4} * u8(size);
        if (!has(size + length)) return false;
        next = u8(size + length - 1);
        size += length;
      }
    }
    return go_ip(size);
  }

  // RFC 2661: data messages; length, sequence numbers and an offset are optional.
  bool l2tp() noexcept {
    constexpr unsigned control = 0x8000, length = 0x4000, sequence = 0x0800, offset = 0x0200;
    if (!has(2)) return false;
    const unsigned flags = u16(0);
    if ((flags & control) != 0 || (flags & 0x000fU) != 2) return false;
    std::size_t size = 6;
    if ((flags & length) != 0) size += 2;
    if ((flags & sequence) != 0) size += 4;
    if ((flags & offset) != 0) {
      if (!has(size + 2)) return false;
      size += 2U + u16(size);
    }
    return go(size, ethertype_ppp);
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t offset_ = 0;
  std::uint16_t type_;
  bool tunnelled_ = false;
  std::optional<InnermostIp> found_;
};

}  // namespace

std::optional<InnermostIp> find_innermost_ip(std::span<const std::uint8_t> bytes, std::uint16_t ethertype) noexcept {
  return Walker(bytes, ethertype).run();
}

}  // namespace sallyport::dataplane::wire
