#include "pktgen/frame_key.h"

#include <algorithm>
#include <cstring>

#include "dataplane/wire/headers.h"
#include "pktgen/payload.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_icmp6 = 58;
constexpr std::uint8_t protocol_sctp = 132;
constexpr std::size_t extension_headers_max = 8;

// Multiply and fold, eight bytes at a time.
class Hash {
 public:
  void add(std::uint64_t number) noexcept {
    value_ = (value_ ^ number) * 0xff51afd7ed558ccdU;
    value_ ^= value_ >> 32U;
  }
  // Its length, the first 64 bytes and the last eight.
  void add(Bytes bytes) noexcept {
    constexpr std::size_t looked_at = 64;
    add(bytes.size());
    const std::size_t end = std::min(bytes.size(), looked_at);
    for (std::size_t at = 0; at < end; at += 8) add(word(bytes.subspan(at)));
    if (bytes.size() > looked_at) add(word(bytes.last(8)));
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  [[nodiscard]] static std::uint64_t word(Bytes bytes) noexcept {
    std::uint64_t word = 0;
    if (bytes.size() >= sizeof word) {
      std::memcpy(&word, bytes.data(), sizeof word);
    } else {
      std::memcpy(&word, bytes.data(), bytes.size());
    }
    return word;
  }
  std::uint64_t value_ = 0x9e3779b97f4a7c15U;
};

// What stands behind the headers of IP.
struct Content {
  std::uint8_t protocol = 0;
  Bytes source;
  Bytes destination;
  std::uint16_t fragment = 0;  // offset in eights
  Bytes bytes;
};

// Cut to what is there: a capture may hold less of a packet than there was.
Content content_of_ipv4(Bytes packet) noexcept {
  const auto& ip = wire::at<wire::Ipv4>(packet.data());
  const std::size_t end = std::min<std::size_t>(ip.total_length.get(), packet.size());
  const std::size_t header = std::max<std::size_t>(ip.header_bytes(), sizeof ip);
  Content content;
  content.protocol = ip.protocol;
  content.source = ip.source;
  content.destination = ip.destination;
  content.fragment = ip.fragment.get() & wire::Ipv4::offset_mask;
  if (header < end) content.bytes = packet.subspan(header, end - header);
  return content;
}

// False: an upper layer follows, or nothing that is whole.
bool skip_extension_header(Content& content) noexcept {
  const std::uint8_t protocol = content.protocol;
  const bool fragment = protocol == wire::next_fragment;
  const bool plain =
      protocol == wire::next_hop_by_hop || protocol == wire::next_routing || protocol == wire::next_destination;
  if ((!fragment && !plain) || content.fragment != 0 || content.bytes.size() < sizeof(wire::Ipv6Fragment)) return false;
  std::size_t length = sizeof(wire::Ipv6Fragment);
  if (fragment) {
    content.fragment = wire::at<wire::Ipv6Fragment>(content.bytes.data()).offset.get() >> 3U;
  } else {
    length = (std::size_t{content.bytes[1]} + 1) * 8;
  }
  content.protocol = content.bytes[0];
  content.bytes = content.bytes.subspan(std::min(length, content.bytes.size()));
  return true;
}

Content content_of_ipv6(Bytes packet) noexcept {
  const auto& ip = wire::at<wire::Ipv6>(packet.data());
  Content content;
  content.protocol = ip.next_header;
  content.source = ip.source;
  content.destination = ip.destination;
  content.bytes = packet.subspan(sizeof ip);
  content.bytes = content.bytes.first(std::min<std::size_t>(ip.payload_length.get(), content.bytes.size()));
  for (std::size_t i = 0; i < extension_headers_max && skip_extension_header(content); ++i) {
  }
  return content;
}

void add_tcp(Hash& hash, Bytes segment) noexcept {
  const auto& tcp = wire::at<wire::Tcp>(segment.data());
  hash.add(tcp.destination_port.get());
  const Bytes payload = segment.subspan(std::min<std::size_t>(tcp.header_bytes(), segment.size()));
  if (!payload.empty()) return hash.add(payload);
  hash.add(tcp.sequence.get());
  hash.add(tcp.flags & (wire::Tcp::fin | wire::Tcp::syn | wire::Tcp::rst | wire::Tcp::ack));
}

void add_sctp(Hash& hash, Bytes packet) noexcept {
  const auto& sctp = wire::at<wire::Sctp>(packet.data());
  hash.add(sctp.destination_port.get());
  hash.add(sctp.verification_tag.get());
  hash.add(packet.subspan(sizeof sctp));
}

void add_icmp(Hash& hash, Bytes message, bool v6) noexcept {
  const auto& icmp = wire::at<wire::Icmp>(message.data());
  hash.add(std::uint64_t{icmp.type} << 8U | icmp.code);
  const bool echo = v6 ? icmp.type == wire::icmp6_echo_request || icmp.type == wire::icmp6_echo_reply
                       : icmp.type == wire::icmp_echo_request || icmp.type == wire::icmp_echo_reply;
  if (!echo) return;  // an error quotes what was translated
  hash.add(icmp.sequence.get());
  hash.add(message.subspan(sizeof icmp));
}

void add_upper_layer(Hash& hash, const Content& content) noexcept {
  const Bytes bytes = content.bytes;
  const std::uint8_t protocol = content.protocol;
  if (protocol == protocol_udp && bytes.size() >= sizeof(wire::Udp)) {
    hash.add(wire::at<wire::Udp>(bytes.data()).destination_port.get());
    return hash.add(bytes.subspan(sizeof(wire::Udp)));
  }
  if (protocol == protocol_tcp && bytes.size() >= sizeof(wire::Tcp)) return add_tcp(hash, bytes);
  if (protocol == protocol_sctp && bytes.size() >= sizeof(wire::Sctp)) return add_sctp(hash, bytes);
  if ((protocol == protocol_icmp || protocol == protocol_icmp6) && bytes.size() >= sizeof(wire::Icmp)) {
    return add_icmp(hash, bytes, protocol == protocol_icmp6);
  }
  hash.add(bytes);
}

Content content_of(Bytes frame, const Network& network) noexcept {
  const Bytes packet = frame.subspan(network.ip);
  return network.family == Family::v4 ? content_of_ipv4(packet) : content_of_ipv6(packet);
}

// A wire fills a short frame up with zeros.
std::uint64_t key_of_no_ip(Bytes frame) noexcept {
  frame = frame.subspan(std::min(offsetof(wire::Ethernet, type), frame.size()));
  while (!frame.empty() && frame.back() == 0) frame = frame.first(frame.size() - 1);
  Hash hash;
  hash.add(frame);
  return hash.value();
}

}  // namespace

std::uint64_t frame_key(Bytes frame) noexcept {
  const std::optional<Network> network = find_network(frame);
  if (!network) return key_of_no_ip(frame);
  const Content content = content_of(frame, *network);
  Hash hash;
  hash.add(content.protocol);
  hash.add(content.destination);
  if (content.fragment == 0) {
    add_upper_layer(hash, content);
  } else {
    hash.add(content.fragment);
    hash.add(content.bytes);
  }
  return hash.value();
}

std::optional<std::uint64_t> key_of_what_was_sent_back(Bytes frame) noexcept {
  const std::optional<Network> network = find_network(frame);
  if (!network) return std::nullopt;
  const Content content = content_of(frame, *network);
  if (content.protocol != protocol_udp || content.fragment != 0 || content.bytes.size() < sizeof(wire::Udp))
    return std::nullopt;
  Hash hash;
  hash.add(content.protocol);
  hash.add(content.source);
  hash.add(wire::at<wire::Udp>(content.bytes.data()).source_port.get());
  hash.add(content.bytes.subspan(sizeof(wire::Udp)));
  return hash.value();
}

}  // namespace sallyport::pktgen
