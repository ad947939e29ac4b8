// Ethernet frames with right checksums, and whether a frame's checksums are right.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "config/address.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/packet.h"
#include "dataplane/stages/parse.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport {

using dataplane::IpProtocol;

inline std::string big_endian(std::size_t value, unsigned bytes = 2) {
  std::string out;
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

inline std::string raw_address(std::string_view text) {
  const IpAddress address = *parse_address(text);
  return {reinterpret_cast<const char*>(address.bytes.data()), address_bytes(address.family)};
}

inline dataplane::wire::Sum sum_of(std::string_view bytes) {
  return dataplane::wire::sum_words(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// What is folded into a checksum with the transport header: addresses, protocol, length.
inline dataplane::wire::Sum pseudo_sum(std::string_view source, std::string_view destination, IpProtocol protocol,
                                       std::size_t bytes) {
  return sum_of(source) + sum_of(destination) + sum_of(std::string(1, '\0') + static_cast<char>(protocol)) +
         sum_of(big_endian(bytes));
}

inline void put_checksum(std::string& bytes, std::size_t at, dataplane::wire::Sum sum) {
  const std::uint16_t value = dataplane::wire::finish(sum);
  std::memcpy(bytes.data() + at, &value, 2);
}

// An IP packet of a transport payload whose checksum field, at `checksum_at`, is still zero.
inline std::string ip_packet(std::string_view source, std::string_view destination, IpProtocol protocol, std::string l4,
                             std::size_t checksum_at) {
  const std::string from = raw_address(source);
  const std::string to = raw_address(destination);
  const dataplane::wire::Sum pseudo = protocol == IpProtocol::icmp ? 0 : pseudo_sum(from, to, protocol, l4.size());
  put_checksum(l4, checksum_at, pseudo + sum_of(l4));
  if (from.size() == 16) {
    return big_endian(0x60000000, 4) + big_endian(l4.size()) + static_cast<char>(protocol) + "\x40" + from + to + l4;
  }
  std::string header = big_endian(0x4500) + big_endian(20 + l4.size()) + big_endian(0x1234) + big_endian(0) + "\x40" +
                       static_cast<char>(protocol) + big_endian(0) + from + to;
  put_checksum(header, 10, sum_of(header));
  return header + l4;
}

inline std::string tcp_packet(std::string_view source, std::uint16_t source_port, std::string_view destination,
                              std::uint16_t destination_port, unsigned flags, std::string_view payload = {}) {
  return ip_packet(source, destination, IpProtocol::tcp,
                   big_endian(source_port) + big_endian(destination_port) + big_endian(1, 4) + big_endian(2, 4) +
                       "\x50" + static_cast<char>(flags) + big_endian(1000) + big_endian(0) + big_endian(0) +
                       std::string(payload),
                   16);
}
inline std::string udp_packet(std::string_view source, std::uint16_t source_port, std::string_view destination,
                              std::uint16_t destination_port, std::string_view payload = {}) {
  return ip_packet(source, destination, IpProtocol::udp,
                   big_endian(source_port) + big_endian(destination_port) + big_endian(8 + payload.size()) +
                       big_endian(0) + std::string(payload),
                   6);
}
// `type` as of ICMP over IPv4; IPv6's twin is put where the addresses are of that family.
inline std::string icmp_packet(std::string_view source, std::string_view destination, unsigned type,
                               std::uint16_t identifier, std::string_view payload = {}) {
  const IpProtocol protocol = source.find(':') == std::string_view::npos ? IpProtocol::icmp : IpProtocol::icmp6;
  return ip_packet(source, destination, protocol,
                   std::string(1, static_cast<char>(type)) + '\0' + big_endian(0) + big_endian(identifier) +
                       big_endian(1) + std::string(payload),
                   2);
}

inline std::string ethernet_frame(const std::string& ip) {
  return std::string(12, 'm') + big_endian((ip[0] & 0xf0) == 0x40 ? 0x0800 : 0x86dd) + ip;
}

// A frame in memory with its parse; as it is after it was changed.
class FrameInHand {
 public:
  explicit FrameInHand(std::string frame) : bytes_(std::move(frame)) {
    packet_.data = reinterpret_cast<std::uint8_t*>(bytes_.data());
    packet_.length = static_cast<std::uint32_t>(bytes_.size());
    dataplane::Drop why{};
    good_ = dataplane::parse(packet_, {.verify_ip_checksum = false}, parsed_, why) == dataplane::ParseResult::ok;
  }
  FrameInHand(const FrameInHand&) = delete;
  FrameInHand& operator=(const FrameInHand&) = delete;

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] dataplane::Packet& packet() { return packet_; }
  [[nodiscard]] const dataplane::Parsed& parsed() const { return parsed_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
  dataplane::Packet packet_;
  dataplane::Parsed parsed_;
  bool good_ = false;
};

}  // namespace sallyport
