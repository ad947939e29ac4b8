#include "pktgen/udp_frames.h"

#include <algorithm>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "pktgen/mixed.h"
#include "pktgen/payload.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;

constexpr std::uint32_t check_sequence_bytes = 4;
constexpr std::uint8_t usual_ttl = 64;
// RFC 6985, "simple IMIX": 64, 594 and 1518 bytes as 7:4:1, spread out.
constexpr std::array<std::uint32_t, 3> imix_sizes = {64, 594, 1518};
constexpr std::array<std::uint8_t, 12> imix_turns = {0, 1, 0, 1, 0, 0, 1, 0, 2, 0, 1, 0};

std::size_t ip_bytes(Family family) { return family == Family::v4 ? sizeof(wire::Ipv4) : sizeof(wire::Ipv6); }

// Where a sender's address stands in the frame.
std::size_t source_offset(Family family) {
  return sizeof(wire::Ethernet) + (family == Family::v4 ? offsetof(wire::Ipv4, source) : offsetof(wire::Ipv6, source));
}

}  // namespace

UdpFrames::UdpFrames(const UdpOptions& options, const dataplane::MacAddress& source,
                     const dataplane::MacAddress& destination)
    : options_(options),
      senders_(options.from, options.sources),
      magic_(static_cast<std::uint32_t>(mixed(options.run ^ 0x5a11U))),
      random_(mixed(options.seed)) {
  const std::uint32_t least = size_least(options.from.family);
  if (options.size == 0) {
    sizes_.assign(imix_turns.begin(), imix_turns.end());
    for (const std::uint32_t size : imix_sizes) {
      templates_.push_back(make(std::max(size, least) - check_sequence_bytes, source, destination));
    }
  } else {
    sizes_.push_back(0);
    templates_.push_back(make(options.size - check_sequence_bytes, source, destination));
  }
}

UdpFrames::Template UdpFrames::make(std::uint32_t length, const dataplane::MacAddress& source,
                                    const dataplane::MacAddress& destination) const {
  Template made;
  made.bytes.resize(length);
  const Family family = options_.from.family;
  const unsigned address = address_bytes(family);
  const auto packet_bytes = static_cast<std::uint16_t>(length - sizeof(wire::Ethernet));
  const auto datagram_bytes = static_cast<std::uint16_t>(packet_bytes - ip_bytes(family));
  auto& ethernet = wire::at<wire::Ethernet>(made.bytes.data());
  ethernet.destination = destination;
  ethernet.source = source;
  ethernet.type = family == Family::v4 ? wire::ethertype_ipv4 : wire::ethertype_ipv6;

  std::uint8_t* const packet = made.bytes.data() + sizeof(wire::Ethernet);
  if (family == Family::v4) {
    auto& ip = wire::at<wire::Ipv4>(packet);
    ip.version_length = 0x45;
    ip.total_length = packet_bytes;
    ip.fragment = wire::Ipv4::dont_fragment;
    ip.ttl = usual_ttl;
    ip.protocol = protocol_udp;
    std::copy_n(options_.to.bytes.begin(), address, ip.destination.begin());
    made.ip_sum = wire::sum_words(packet, sizeof ip);
  } else {
    auto& ip = wire::at<wire::Ipv6>(packet);
    ip.version_class_flow = 0x60000000U;
    ip.payload_length = datagram_bytes;
    ip.next_header = protocol_udp;
    ip.hop_limit = usual_ttl;
    ip.destination = options_.to.bytes;
  }
  auto& datagram = wire::at<wire::Udp>(packet + ip_bytes(family));
  datagram.destination_port = options_.port;
  datagram.length = datagram_bytes;
  made.udp_sum = wire::pseudo_header({}, std::span(options_.to.bytes).first(address), protocol_udp, datagram_bytes) +
                 wire::sum_words(packet + ip_bytes(family), sizeof datagram);
  return made;
}

std::uint64_t UdpFrames::flow_of(std::uint64_t number) noexcept {
  if (!options_.random_order) return number % options_.flows;
  random_ = mixed(random_);
  return random_ % options_.flows;
}

// All turns once in each round, begun at another one each time: else a flow that comes up in step with the turns would
// have one size alone.
std::size_t UdpFrames::template_of(std::uint64_t number) const noexcept {
  if (sizes_.size() == 1) return sizes_.front();
  return sizes_[(number + mixed(number / sizes_.size()) % sizes_.size()) % sizes_.size()];
}

std::uint32_t UdpFrames::write(std::uint64_t number, std::uint64_t now_cycles, std::uint8_t* bytes) noexcept {
  const Template& made = templates_[template_of(number)];
  std::memcpy(bytes, made.bytes.data(), made.bytes.size());
  const Family family = options_.from.family;
  const std::uint64_t flow = flow_of(number);
  const std::array<std::uint8_t, 16> source = senders_.address(flow);
  const unsigned address = address_bytes(family);
  std::memcpy(bytes + source_offset(family), source.data(), address);
  const wire::Sum source_sum = wire::sum_words(source.data(), address);
  std::uint8_t* const packet = bytes + sizeof(wire::Ethernet);
  if (family == Family::v4) wire::at<wire::Ipv4>(packet).checksum.set_raw(wire::finish(made.ip_sum + source_sum));

  auto& datagram = wire::at<wire::Udp>(packet + ip_bytes(family));
  datagram.source_port = senders_.port(flow);
  const Stamp stamp{magic_, static_cast<std::uint32_t>(number), now_cycles};
  std::memcpy(packet + ip_bytes(family) + sizeof datagram, &stamp, sizeof stamp);
  const wire::Sum sum = made.udp_sum + source_sum + datagram.source_port.raw() +
                        wire::sum_words(reinterpret_cast<const std::uint8_t*>(&stamp), sizeof stamp);
  const std::uint16_t checksum = wire::finish(sum);
  datagram.checksum.set_raw(checksum == 0 ? 0xffffU : checksum);
  return static_cast<std::uint32_t>(made.bytes.size());
}

std::optional<Stamp> UdpFrames::read(std::span<const std::uint8_t> frame) const noexcept {
  const std::span<const std::uint8_t> payload = transport_payload(frame);
  Stamp stamp;
  if (payload.size() < sizeof stamp) return std::nullopt;
  std::memcpy(&stamp, payload.data(), sizeof stamp);
  return stamp.magic == magic_ ? std::optional(stamp) : std::nullopt;
}

}  // namespace sallyport::pktgen
