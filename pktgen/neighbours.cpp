#include "pktgen/neighbours.h"

#include <algorithm>
#include <array>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using dataplane::MacAddress;
using Bytes = std::span<const std::uint8_t>;

// RFC 826, for Ethernet and IPv4
struct Arp {
  wire::Be16 hardware;
  wire::Be16 protocol;
  std::uint8_t hardware_bytes;
  std::uint8_t protocol_bytes;
  wire::Be16 operation;
  MacAddress sender_mac;
  std::array<std::uint8_t, 4> sender;
  MacAddress target_mac;
  std::array<std::uint8_t, 4> target;

  static constexpr std::uint16_t request = 1;
  static constexpr std::uint16_t reply = 2;
};
static_assert(sizeof(Arp) == 28);

// RFC 4861 sections 4.3 and 4.4, with the one option that matters
struct Discovery {
  std::uint8_t type;
  std::uint8_t code;
  wire::Be16 checksum;
  wire::Be32 flags;
  std::array<std::uint8_t, 16> target;
  std::uint8_t option;
  std::uint8_t option_eights;
  MacAddress mac;

  static constexpr std::uint8_t solicitation = 135;
  static constexpr std::uint8_t advertisement = 136;
  static constexpr std::uint32_t solicited_override = 0x60000000;
  static constexpr std::uint8_t target_mac = 2;
};
static_assert(sizeof(Discovery) == 32);

constexpr std::uint8_t icmp6 = 58;
constexpr std::size_t arp_frame = sizeof(wire::Ethernet) + sizeof(Arp);
constexpr std::size_t discovery_at = sizeof(wire::Ethernet) + sizeof(wire::Ipv6);
constexpr std::size_t discovery_frame = discovery_at + sizeof(Discovery);
constexpr std::size_t option_bytes = 8;
constexpr MacAddress everybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

std::uint16_t type_of(Bytes frame) noexcept {
  return frame.size() < sizeof(wire::Ethernet) ? std::uint16_t{0} : wire::at<wire::Ethernet>(frame.data()).type.get();
}

const Arp* arp_in(Bytes frame) noexcept {
  if (type_of(frame) != wire::ethertype_arp || frame.size() < arp_frame) return nullptr;
  return &wire::at<Arp>(frame.data() + sizeof(wire::Ethernet));
}

// Without its option, which may be missing.
const Discovery* discovery_in(Bytes frame, std::uint8_t type) noexcept {
  if (type_of(frame) != wire::ethertype_ipv6 || frame.size() < discovery_frame - option_bytes) return nullptr;
  const auto& ip = wire::at<wire::Ipv6>(frame.data() + sizeof(wire::Ethernet));
  const auto& message = wire::at<Discovery>(frame.data() + discovery_at);
  return ip.next_header == icmp6 && message.type == type ? &message : nullptr;
}

void head(Frame& frame, const MacAddress& destination, const MacAddress& source, std::uint16_t type) {
  auto& ethernet = wire::at<wire::Ethernet>(frame.data());
  ethernet.destination = destination;
  ethernet.source = source;
  ethernet.type = type;
}

void discovery(Frame& frame, const std::array<std::uint8_t, 16>& source,
               const std::array<std::uint8_t, 16>& destination, const Discovery& content) {
  auto& ip = wire::at<wire::Ipv6>(frame.data() + sizeof(wire::Ethernet));
  const auto bytes = static_cast<std::uint16_t>(frame.size() - discovery_at);
  ip.version_class_flow = 0x60000000U;
  ip.payload_length = bytes;
  ip.next_header = icmp6;
  ip.hop_limit = 255;
  ip.source = source;
  ip.destination = destination;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&content), bytes, frame.data() + discovery_at);
  auto& message = wire::at<Discovery>(frame.data() + discovery_at);
  message.checksum.set_raw(0);
  message.checksum.set_raw(wire::finish(wire::pseudo_header(source, destination, icmp6, bytes) +
                                        wire::sum_words(frame.data() + discovery_at, bytes)));
}

}  // namespace

bool Neighbours::is_ours(const IpAddress& address) const noexcept {
  return std::any_of(answered_.begin(), answered_.end(), [&](const Prefix& p) { return p.contains(address); });
}

bool Neighbours::is_control(Bytes frame) noexcept {
  return frame.size() >= sizeof(wire::Ethernet) && is_control(type_of(frame), frame.subspan(sizeof(wire::Ethernet)));
}

bool Neighbours::is_control(std::uint16_t ethertype, Bytes packet) noexcept {
  if (ethertype == wire::ethertype_arp) return true;
  if (ethertype != wire::ethertype_ipv6 || packet.size() <= sizeof(wire::Ipv6)) return false;
  const auto& ip = wire::at<wire::Ipv6>(packet.data());
  const std::uint8_t message = packet[sizeof(wire::Ipv6)];
  // A listener report stands behind a hop-by-hop header.
  return ip.next_header == wire::next_hop_by_hop ||
         (ip.next_header == icmp6 && message >= wire::icmp6_listener_first && message <= wire::icmp6_listener_report2);
}

Frame Neighbours::answer(Bytes frame, const MacAddress& own) const {
  if (type_of(frame) == wire::ethertype_arp) return answer_arp(frame, own);
  return answer_solicitation(frame, own);
}

Frame Neighbours::answer_arp(Bytes frame, const MacAddress& own) const {
  const Arp* request = arp_in(frame);
  if (request == nullptr || request->operation.get() != Arp::request) return {};
  if (request->sender == request->target) return {};  // an announcement
  if (!is_ours(IpAddress::from_bytes(Family::v4, request->target.data()))) return {};
  Frame reply(arp_frame);
  head(reply, request->sender_mac, own, wire::ethertype_arp);
  Arp& arp = wire::at<Arp>(reply.data() + sizeof(wire::Ethernet));
  arp = *request;
  arp.operation = Arp::reply;
  arp.sender_mac = own;
  arp.sender = request->target;
  arp.target_mac = request->sender_mac;
  arp.target = request->sender;
  return reply;
}

Frame Neighbours::answer_solicitation(Bytes frame, const MacAddress& own) const {
  const Discovery* request = discovery_in(frame, Discovery::solicitation);
  if (request == nullptr || !is_ours(IpAddress::from_bytes(Family::v6, request->target.data()))) return {};
  const std::array<std::uint8_t, 16> asker = wire::at<wire::Ipv6>(frame.data() + sizeof(wire::Ethernet)).source;
  if (std::all_of(asker.begin(), asker.end(), [](std::uint8_t b) { return b == 0; }))
    return {};  // it tries the address
  Frame reply(discovery_frame);
  head(reply, wire::at<wire::Ethernet>(frame.data()).source, own, wire::ethertype_ipv6);
  Discovery message{};
  message.type = Discovery::advertisement;
  message.flags = Discovery::solicited_override;
  message.target = request->target;
  message.option = Discovery::target_mac;
  message.option_eights = 1;
  message.mac = own;
  discovery(reply, request->target, asker, message);
  return reply;
}

Frame Neighbours::question(const IpAddress& wanted, const MacAddress& own) {
  if (wanted.family == Family::v4) {
    Frame request(arp_frame);
    head(request, everybody, own, wire::ethertype_arp);
    Arp& arp = wire::at<Arp>(request.data() + sizeof(wire::Ethernet));
    arp.hardware = 1;
    arp.protocol = wire::ethertype_ipv4;
    arp.hardware_bytes = 6;
    arp.protocol_bytes = 4;
    arp.operation = Arp::request;
    arp.sender_mac = own;
    std::copy_n(wanted.bytes.begin(), 4, arp.target.begin());
    return request;
  }
  // RFC 4291 section 2.7.1: ff02::1:ffXX:XXXX
  std::array<std::uint8_t, 16> group = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy_n(wanted.bytes.begin() + 13, 3, group.begin() + 13);
  Frame request(discovery_frame - option_bytes);
  head(request, {0x33, 0x33, group[12], group[13], group[14], group[15]}, own, wire::ethertype_ipv6);
  Discovery message{};
  message.type = Discovery::solicitation;
  message.target = wanted.bytes;
  discovery(request, {}, group, message);
  return request;
}

std::optional<MacAddress> Neighbours::found(Bytes frame, const IpAddress& wanted) noexcept {
  if (const Arp* arp = arp_in(frame); arp != nullptr && wanted.family == Family::v4) {
    const bool says =
        arp->operation.get() == Arp::reply && std::equal(arp->sender.begin(), arp->sender.end(), wanted.bytes.begin());
    return says ? std::optional(arp->sender_mac) : std::nullopt;
  }
  const Discovery* message = discovery_in(frame, Discovery::advertisement);
  if (message == nullptr || wanted.family != Family::v6 || message->target != wanted.bytes) return std::nullopt;
  if (frame.size() >= discovery_frame && message->option == Discovery::target_mac) return message->mac;
  return wire::at<wire::Ethernet>(frame.data()).source;
}

}  // namespace sallyport::pktgen
