#include "pktgen/address_shift.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "pktgen/payload.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Bytes = std::span<std::uint8_t>;

constexpr std::uint8_t protocol_icmp6 = 58;

// Where the checksum that covers the addresses stands, behind the header of IP.
std::optional<std::size_t> checksum_offset(std::uint8_t protocol) noexcept {
  if (protocol == protocol_tcp) return offsetof(wire::Tcp, checksum);
  if (protocol == protocol_udp) return offsetof(wire::Udp, checksum);
  if (protocol == protocol_icmp6) return offsetof(wire::Icmp, checksum);
  return std::nullopt;
}

void update_transport(Bytes transport, std::uint8_t protocol, const wire::Delta& delta) noexcept {
  const std::optional<std::size_t> offset = checksum_offset(protocol);
  if (!offset || transport.size() < *offset + sizeof(wire::Be16)) return;
  auto& checksum = wire::at<wire::Be16>(transport.data() + *offset);
  if (protocol == protocol_udp) {
    wire::update_udp(checksum, delta);
  } else {
    wire::update(checksum, delta);
  }
}

}  // namespace

bool AddressShift::move(Bytes address, std::uint64_t copy) const noexcept {
  if (!block_.contains(IpAddress::from_bytes(block_.address.family, address.data()))) return false;
  // copy * 2^(bits behind the prefix), added from the lowest byte that it touches on.
  const unsigned host_bits = static_cast<unsigned>(address.size() * 8) - block_.length;
  std::uint64_t carry = copy << (host_bits % 8);
  for (std::size_t i = address.size() - host_bits / 8; i-- > 0 && carry != 0;) {
    carry += address[i];
    address[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  return true;
}

void AddressShift::apply(Bytes frame, std::uint64_t copy) const noexcept {
  const std::optional<Network> found = find_network(frame);
  if (!found || found->family != block_.address.family) return;
  const Bytes packet = frame.subspan(found->ip);
  const bool v4 = found->family == Family::v4;
  const std::size_t bytes = address_bytes(found->family);
  const Bytes addresses = packet.subspan(v4 ? offsetof(wire::Ipv4, source) : offsetof(wire::Ipv6, source), 2 * bytes);
  std::array<std::uint8_t, 32> before{};
  std::copy(addresses.begin(), addresses.end(), before.begin());
  const bool source = move(addresses.first(bytes), copy);
  const bool destination = move(addresses.last(bytes), copy);
  if (!source && !destination) return;
  wire::Delta delta;
  delta.replace(before.data(), addresses.data(), addresses.size());
  if (!v4)
    return update_transport(packet.subspan(sizeof(wire::Ipv6)), wire::at<wire::Ipv6>(packet.data()).next_header, delta);
  auto& ip = wire::at<wire::Ipv4>(packet.data());
  wire::update(ip.checksum, delta);
  if ((ip.fragment.get() & wire::Ipv4::offset_mask) != 0 || ip.header_bytes() > packet.size()) return;
  update_transport(packet.subspan(ip.header_bytes()), ip.protocol, delta);
}

bool AddressShift::applies_to(std::span<const std::uint8_t> frame) const noexcept {
  const std::optional<Network> found = find_network(frame);
  if (!found) return false;
  return applies_to(found->family == Family::v4 ? wire::ethertype_ipv4 : wire::ethertype_ipv6,
                    frame.subspan(found->ip));
}

bool AddressShift::applies_to(std::uint16_t ethertype, std::span<const std::uint8_t> packet) const noexcept {
  const Family family = block_.address.family;
  const bool v4 = family == Family::v4;
  if (ethertype != (v4 ? wire::ethertype_ipv4 : wire::ethertype_ipv6)) return false;
  if (packet.size() < (v4 ? sizeof(wire::Ipv4) : sizeof(wire::Ipv6))) return false;
  const std::uint8_t* const source = packet.data() + (v4 ? offsetof(wire::Ipv4, source) : offsetof(wire::Ipv6, source));
  return block_.contains(IpAddress::from_bytes(family, source)) ||
         block_.contains(IpAddress::from_bytes(family, source + address_bytes(family)));
}

std::uint64_t copies_that_fit(const Prefix& block) noexcept {
  // One bit after the other: is a block behind this one, in the half that the bit chooses?
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / 2;
  std::uint64_t behind = 0;
  for (unsigned bit = 0; bit < block.length; ++bit) {
    const bool set = (block.address.bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0;
    behind = std::min(2 * behind + (set ? 0 : 1), most / 2);
  }
  return behind + 1;
}

}  // namespace sallyport::pktgen
