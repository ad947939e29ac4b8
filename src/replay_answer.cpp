#include "src/replay_answer.h"

#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/crc32c.h"
#include "dataplane/wire/headers.h"

namespace sallyport {
namespace {

using namespace dataplane::wire;
using dataplane::IpProtocol;
using dataplane::Packet;
using dataplane::Parsed;
using dataplane::Translation;

enum class End : std::uint8_t { source, destination };

bool is_icmp(IpProtocol protocol) noexcept { return protocol == IpProtocol::icmp || protocol == IpProtocol::icmp6; }

// Puts the address into an IP header, mends the header's checksum, answers the change.
Delta put_address(std::uint8_t* l3, End end, const IpAddress& address) noexcept {
  const bool v4 = address.family == Family::v4;
  std::uint8_t* field = l3 + (v4 ? (end == End::source ? 12 : 16) : (end == End::source ? 8 : 24));
  Delta change;
  change.replace(field, address.bytes.data(), address_bytes(address.family));
  std::memcpy(field, address.bytes.data(), address_bytes(address.family));
  if (v4) update(at<Ipv4>(l3).checksum, change);
  return change;
}

// Puts a port or identifier, of which `present` bytes of the transport header are there; answers the change.
Delta put_port(std::uint8_t* l4, std::uint32_t present, IpProtocol protocol, End end, std::uint16_t port) noexcept {
  if (dataplane::is_portless(protocol)) return {};
  const std::uint32_t offset = is_icmp(protocol) ? 4U : end == End::source ? 0U : 2U;
  Delta change;
  if (present < offset + 2) return change;
  Be16& field = at<Be16>(l4 + offset);
  change.replace(field.raw(), port);
  field.set_raw(port);
  return change;
}

void mend_checksum(std::uint8_t* l4, std::uint32_t present, IpProtocol protocol, const Delta& addresses,
                   Delta change) noexcept {
  if (protocol != IpProtocol::icmp) change.add(addresses);  // ICMP over IPv4 has no pseudo header
  if (protocol == IpProtocol::tcp && present >= 18) update(at<Tcp>(l4).checksum, change);
  if (protocol == IpProtocol::udp && present >= sizeof(Udp)) update_udp(at<Udp>(l4).checksum, change);
  if (is_icmp(protocol) && present >= 4) update(at<Icmp>(l4).checksum, change);
}

// CRC32c covers ports, not addresses, and cannot be updated in place.
void put_sctp_port(std::uint8_t* l4, std::uint32_t bytes, End end, std::uint16_t port) noexcept {
  auto& header = at<Sctp>(l4);
  const bool was_right = header.checksum.get() == sctp_checksum({l4, bytes});
  (void)put_port(l4, bytes, IpProtocol::sctp, end, port);
  if (was_right) header.checksum = sctp_checksum({l4, bytes});
}

}  // namespace

void address_answer(Packet& packet, const Parsed& parsed, const Translation& to) noexcept {
  std::uint8_t* l4 = packet.data + parsed.l4_offset;
  const IpProtocol protocol = parsed.key.protocol;
  const Delta addresses = put_address(packet.data + parsed.l3_offset, End::destination, to.address);
  if (protocol == IpProtocol::sctp) {
    put_sctp_port(l4, parsed.l4_bytes(), End::destination, to.port);
    return;
  }
  const Delta port = put_port(l4, parsed.l4_bytes(), protocol, End::destination, to.port);
  mend_checksum(l4, parsed.l4_bytes(), protocol, addresses, port);
}

void address_error(Packet& packet, const Parsed& parsed, const Parsed& quoted, const Translation& to) noexcept {
  std::uint8_t* icmp = packet.data + parsed.l4_offset;
  std::uint8_t* quoted_l4 = packet.data + quoted.l4_offset;
  const std::uint32_t present = parsed.l3_offset + parsed.l3_bytes - quoted.l4_offset;
  const std::uint16_t before = fold(sum_words(icmp, parsed.l4_bytes()));

  const Delta quoted_address = put_address(packet.data + quoted.l3_offset, End::source, to.address);
  const Delta quoted_port = put_port(quoted_l4, present, quoted.key.protocol, End::source, to.port);
  mend_checksum(quoted_l4, present, quoted.key.protocol, quoted_address, quoted_port);

  Delta change;
  change.replace(before, fold(sum_words(icmp, parsed.l4_bytes())));
  const Delta outer_address = put_address(packet.data + parsed.l3_offset, End::destination, to.address);
  mend_checksum(icmp, parsed.l4_bytes(), parsed.key.protocol, outer_address, change);
}

}  // namespace sallyport
