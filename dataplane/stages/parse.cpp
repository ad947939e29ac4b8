#include "dataplane/stages/parse.h"

#include <algorithm>

#include "dataplane/stages/parse_transport.h"
#include "dataplane/wire/checksum.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

constexpr unsigned extension_headers_max = 8;
constexpr unsigned vlan_tags_max = 4;

[[nodiscard]] bool is_extension(std::uint8_t header) noexcept {
  return header == next_hop_by_hop || header == next_routing || header == next_authentication ||
         header == next_destination;
}

// Of an extension header that says its own length.
[[nodiscard]] std::uint32_t extension_bytes(std::uint8_t kind, const std::uint8_t* header) noexcept {
  return kind == next_authentication ? (header[1] + 2U) * 4U : (header[1] + 1U) * 8U;
}

// One packet on its way through the layers. Each step answers false after having set `result` and `why`.
class Parser {
 public:
  Parser(const Packet& packet, const ParseRules& rules, Parsed& parsed, Drop& why) noexcept
      : data_(packet.data), end_(packet.length), rules_(rules), parsed_(parsed), why_(why) {}

  ParseResult run() noexcept {
    std::uint16_t type = 0;
    return link(type) ? network(type) : result_;
  }

  // By the version that the header has.
  ParseResult run_ip(std::uint16_t l3_offset) noexcept {
    parsed_.l3_offset = l3_offset;
    if (end_ <= l3_offset) return fail(Drop::frame_truncated), result_;
    return network(data_[l3_offset] >> 4U == 6 ? ethertype_ipv6 : ethertype_ipv4);
  }

 private:
  ParseResult network(std::uint16_t type) noexcept {
    if (type == ethertype_arp) return ParseResult::kernel;
    bool good = false;
    if (type == ethertype_ipv4) {
      good = ipv4();
    } else if (type == ethertype_ipv6) {
      good = ipv6();
    } else {
      good = fail(Drop::not_ip);
    }
    if (!good) return result_;
    if (parsed_.fragment) return ParseResult::ok;
    return transport() ? ParseResult::ok : result_;
  }

  bool fail(Drop why) noexcept {
    why_ = why;
    result_ = ParseResult::drop;
    return false;
  }
  bool hand_to_kernel() noexcept {
    result_ = ParseResult::kernel;
    return false;
  }

  bool link(std::uint16_t& type) noexcept {
    if (end_ < sizeof(Ethernet)) return fail(Drop::frame_truncated);
    type = at<Ethernet>(data_).type.get();
    std::uint32_t offset = sizeof(Ethernet);
    unsigned tags = 0;
    std::uint32_t vlans = 0;  // the last two
    while (type == ethertype_vlan || type == ethertype_qinq) {
      if (++tags > vlan_tags_max) return fail(Drop::wrong_vlan);
      if (end_ - offset < sizeof(VlanTag)) return fail(Drop::frame_truncated);
      const auto& tag = at<VlanTag>(data_ + offset);
      vlans = vlans << 16U | (tag.control.get() & 0x0fffU);
      type = tag.type.get();
      offset += sizeof(VlanTag);
    }
    if (!rules_.any_vlan && !rules_.vlan.are(tags, vlans)) return fail(Drop::wrong_vlan);
    parsed_.l3_offset = static_cast<std::uint16_t>(offset);
    return true;
  }

  bool ipv4() noexcept {
    const std::uint32_t available = end_ - parsed_.l3_offset;
    if (available < sizeof(Ipv4)) return fail(Drop::frame_truncated);
    const auto& ip = at<Ipv4>(data_ + parsed_.l3_offset);
    if (ip.version_length >> 4U != 4) return fail(Drop::ip_bad_version);
    const unsigned header = ip.header_bytes();
    if (header < sizeof(Ipv4) || header > available) return fail(Drop::ip_bad_header_length);
    const std::uint32_t total = ip.total_length.get();
    if (total < header || total > available) return fail(Drop::ip_bad_total_length);
    if (rules_.verify_ip_checksum && !right_checksum(data_ + parsed_.l3_offset, header)) {
      return fail(Drop::ip_bad_checksum);
    }
    if (header > sizeof(Ipv4) && !options(data_ + parsed_.l3_offset + sizeof(Ipv4), header - 20U)) return false;
    if (ip.ttl == 0) return fail(Drop::ip_ttl_zero);

    std::copy(ip.source.begin(), ip.source.end(), parsed_.key.source.begin());
    std::copy(ip.destination.begin(), ip.destination.end(), parsed_.key.destination.begin());
    parsed_.key.family = Family::v4;
    parsed_.ip_protocol = ip.protocol;
    parsed_.ttl = ip.ttl;
    parsed_.l3_bytes = total;
    parsed_.l4_offset = static_cast<std::uint16_t>(parsed_.l3_offset + header);
    const std::uint16_t fragment = ip.fragment.get();
    parsed_.dont_fragment = (fragment & Ipv4::dont_fragment) != 0;
    parsed_.more_fragments = (fragment & Ipv4::more_fragments) != 0;
    parsed_.fragment_offset = (fragment & Ipv4::offset_mask) * 8U;
    parsed_.fragment = parsed_.more_fragments || parsed_.fragment_offset != 0;
    parsed_.identification = ip.identification.get();
    return true;
  }

  [[nodiscard]] static bool right_checksum(const std::uint8_t* ip, unsigned header) noexcept {
    return finish(header == sizeof(Ipv4) ? sum_plain_ipv4(ip) : sum_words(ip, header)) == 0;
  }

  // Loose and strict source routes are refused (RFC 7126 sections 4.3 and 4.4); the rest is carried along.
  bool options(const std::uint8_t* option, unsigned left) noexcept {
    constexpr std::uint8_t end_of_list = 0, no_operation = 1, loose_source_route = 131, strict_source_route = 137;
    while (left != 0 && *option != end_of_list) {
      if (*option == no_operation) {
        ++option;
        --left;
        continue;
      }
      if (*option == loose_source_route || *option == strict_source_route) return fail(Drop::ip_source_route);
      if (left < 2 || option[1] < 2 || option[1] > left) return fail(Drop::ip_bad_header_length);
      left -= option[1];
      option += option[1];
    }
    return true;
  }

  bool ipv6() noexcept {
    const std::uint32_t available = end_ - parsed_.l3_offset;
    if (available < sizeof(Ipv6)) return fail(Drop::frame_truncated);
    const auto& ip = at<Ipv6>(data_ + parsed_.l3_offset);
    if (ip.version_class_flow.get() >> 28U != 6) return fail(Drop::ip_bad_version);
    const std::uint32_t total = sizeof(Ipv6) + ip.payload_length.get();
    if (total > available) return fail(Drop::ip_bad_total_length);
    if (ip.hop_limit == 0) return fail(Drop::ip_ttl_zero);

    parsed_.key.source = ip.source;
    parsed_.key.destination = ip.destination;
    parsed_.key.family = Family::v6;
    parsed_.ttl = ip.hop_limit;
    parsed_.l3_bytes = total;
    parsed_.dont_fragment = true;
    return extensions(ip.next_header, parsed_.l3_offset + total);
  }

  bool extensions(std::uint8_t next, std::uint32_t end) noexcept {
    std::uint32_t offset = parsed_.l3_offset + static_cast<std::uint32_t>(sizeof(Ipv6));
    std::uint32_t names_it = parsed_.l3_offset + 6U;  // where `next` was read
    for (unsigned seen = 0;; ++seen) {
      const bool hop_by_hop = next == next_hop_by_hop;
      if (!is_extension(next) && next != next_fragment) break;
      if (seen == extension_headers_max || (hop_by_hop && seen != 0)) return fail(Drop::ip6_bad_extension);
      if (end - offset < 8) return fail(Drop::frame_truncated);
      const std::uint8_t* header = data_ + offset;
      if (next == next_fragment) return fragment_header(offset, names_it);
      if (next == next_routing && header[2] == 0) return fail(Drop::ip6_routing_type_0);
      // Any other one with segments left leads to a destination that nobody was asked about.
      if (next == next_routing && header[3] != 0) return fail(Drop::ip6_bad_extension);
      const std::uint32_t bytes = extension_bytes(next, header);
      if (bytes > end - offset) return fail(Drop::ip6_bad_extension);
      names_it = offset;
      next = header[0];
      offset += bytes;
    }
    parsed_.ip_protocol = next;
    parsed_.l4_offset = static_cast<std::uint16_t>(offset);
    return true;
  }

  bool fragment_header(std::uint32_t offset, std::uint32_t names_it) noexcept {
    const auto& header = at<Ipv6Fragment>(data_ + offset);
    parsed_.fragment = true;
    parsed_.fragment_header = static_cast<std::uint16_t>(offset);
    parsed_.unfragmentable_next = static_cast<std::uint16_t>(names_it);
    parsed_.more_fragments = (header.offset.get() & 1U) != 0;
    parsed_.fragment_offset = header.offset.get() & 0xfff8U;
    parsed_.identification = header.identification.get();
    parsed_.ip_protocol = header.next_header;
    parsed_.l4_offset = static_cast<std::uint16_t>(offset + sizeof(Ipv6Fragment));
    // RFC 8200 section 4.1: nowhere but behind the IPv6 header; put together it would stand there.
    if (parsed_.fragment_offset == 0 && header.next_header == next_hop_by_hop) return fail(Drop::ip6_bad_extension);
    return true;
  }

  bool transport() noexcept {
    const std::uint32_t bytes = parsed_.l4_bytes();
    const std::uint8_t* l4 = data_ + parsed_.l4_offset;
    parsed_.key.protocol = static_cast<IpProtocol>(parsed_.ip_protocol);
    switch (parsed_.key.protocol) {
      case IpProtocol::tcp:
        if (!check_tcp(l4, bytes, why_)) return false;
        take_tcp(l4, parsed_);
        return true;
      case IpProtocol::udp:
        if (!check_udp(l4, bytes, parsed_.key.family, why_)) return false;
        take_udp(l4, parsed_);
        return true;
      case IpProtocol::sctp:
        return sctp(l4, bytes);
      case IpProtocol::icmp:
        return parsed_.key.family == Family::v4 ? icmp(l4, bytes) : fail(Drop::unsupported_protocol);
      case IpProtocol::icmp6:
        return parsed_.key.family == Family::v6 ? icmp6(l4, bytes) : fail(Drop::unsupported_protocol);
    }
    return portless();
  }

  // What follows IPv6 and is neither known as an extension header nor as a transport could hide one.
  bool portless() noexcept {
    constexpr std::uint8_t no_next_header = 59;
    constexpr std::uint8_t extensions_unknown_here[] = {135, 139, 140, 253, 254};  // Mobility, HIP, Shim6, experiments
    if (parsed_.key.family == Family::v6) {
      if (parsed_.ip_protocol == no_next_header) return fail(Drop::unsupported_protocol);
      for (const std::uint8_t extension : extensions_unknown_here) {
        if (parsed_.ip_protocol == extension) return fail(Drop::ip6_bad_extension);
      }
    }
    parsed_.kind = PacketKind::portless;
    return true;
  }

  bool sctp(const std::uint8_t* l4, std::uint32_t bytes) noexcept {
    if (bytes < sizeof(Sctp)) return fail(Drop::l4_truncated);
    take_ports(at<Sctp>(l4), parsed_);
    parsed_.kind = PacketKind::sctp;
    parsed_.payload_offset = parsed_.l4_offset + static_cast<std::uint32_t>(sizeof(Sctp));
    parsed_.payload_bytes = bytes - static_cast<std::uint32_t>(sizeof(Sctp));
    return true;
  }

  bool icmp(const std::uint8_t* l4, std::uint32_t bytes) noexcept {
    if (bytes < sizeof(Icmp)) return fail(Drop::l4_truncated);
    if (finish(sum_words(l4, bytes)) != 0) return fail(Drop::icmp_bad_checksum);
    const std::uint8_t type = at<Icmp>(l4).type;
    switch (type) {
      case icmp_echo_request:
        return echo(PacketKind::echo_request, l4);
      case icmp_echo_reply:
        return echo(PacketKind::echo_reply, l4);
      case icmp_unreachable:
      case icmp_source_quench:
      case icmp_time_exceeded:
      case icmp_parameter_problem:
        parsed_.kind = PacketKind::icmp_error;
        return true;
      default:
        return fail(Drop::icmp_unsupported);
    }
  }

  bool icmp6(const std::uint8_t* l4, std::uint32_t bytes) noexcept {
    if (bytes < sizeof(Icmp)) return fail(Drop::l4_truncated);
    const auto pseudo = pseudo_header(parsed_.key.source, parsed_.key.destination, parsed_.ip_protocol, bytes);
    if (finish(pseudo + sum_words(l4, bytes)) != 0) return fail(Drop::icmp_bad_checksum);
    const std::uint8_t type = at<Icmp>(l4).type;
    if (type == icmp6_echo_request) return echo(PacketKind::echo_request, l4);
    if (type == icmp6_echo_reply) return echo(PacketKind::echo_reply, l4);
    if (type >= icmp6_unreachable && type <= icmp6_parameter_problem) {
      parsed_.kind = PacketKind::icmp_error;
      return true;
    }
    if ((type >= icmp6_listener_first && type <= icmp6_neighbour_last) || type == icmp6_listener_report2) {
      return hand_to_kernel();
    }
    return fail(Drop::icmp_unsupported);
  }

  bool echo(PacketKind kind, const std::uint8_t* l4) noexcept {
    parsed_.kind = kind;
    parsed_.key.source_port = at<Icmp>(l4).identifier.raw();
    return true;
  }

  const std::uint8_t* data_;
  std::uint32_t end_;
  const ParseRules& rules_;
  Parsed& parsed_;
  Drop& why_;
  ParseResult result_ = ParseResult::drop;
};

}  // namespace

ParseResult parse_ip(const Packet& packet, std::uint16_t l3_offset, const ParseRules& rules, Parsed& parsed,
                     Drop& why) noexcept {
  parsed = Parsed{};
  return Parser(packet, rules, parsed, why).run_ip(l3_offset);
}

ParseResult parse(const Packet& packet, const ParseRules& rules, Parsed& parsed, Drop& why) noexcept {
  parsed = Parsed{};
  return Parser(packet, rules, parsed, why).run();
}

bool holds_all_headers(const Packet& packet, const Parsed& fragment) noexcept {
  const std::uint8_t* header = packet.data + fragment.l4_offset;
  std::uint32_t left = fragment.l4_bytes();
  std::uint8_t kind = fragment.ip_protocol;
  const unsigned extensions_max = fragment.key.family == Family::v6 ? extension_headers_max : 0;
  for (unsigned seen = 0; seen < extensions_max && is_extension(kind); ++seen) {
    if (left < 8 || left < extension_bytes(kind, header)) return false;
    const std::uint32_t bytes = extension_bytes(kind, header);
    kind = header[0];
    header += bytes;
    left -= bytes;
  }
  switch (static_cast<IpProtocol>(kind)) {
    case IpProtocol::tcp:
      return left >= sizeof(Tcp) && left >= at<Tcp>(header).header_bytes();
    case IpProtocol::sctp:
      return left >= sizeof(Sctp);
    default:
      return left >= sizeof(Udp) || kind == next_none;
  }
}

}  // namespace sallyport::dataplane
