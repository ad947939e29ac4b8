#include "src/capture_link.h"

#include <algorithm>
#include <array>

#include "dataplane/wire/decapsulate.h"
#include "dataplane/wire/headers.h"

namespace sallyport {
namespace {

using namespace dataplane::wire;
using Bytes = std::span<const std::uint8_t>;
using Found = std::optional<LinkPayload>;

std::uint16_t u16(Bytes frame, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(frame[at] << 8U | frame[at + 1]);
}

Found ethernet(Bytes) noexcept { return LinkPayload{0, ethertype_ethernet}; }
Found ipv4(Bytes) noexcept { return LinkPayload{0, ethertype_ipv4}; }
Found ipv6(Bytes) noexcept { return LinkPayload{0, ethertype_ipv6}; }

Found ip_of_either_version(Bytes frame) noexcept {
  if (frame.empty()) return std::nullopt;
  switch (frame[0] >> 4U) {
    case 4:
      return ipv4(frame);
    case 6:
      return ipv6(frame);
    default:
      return std::nullopt;
  }
}

// A device of ARPHRD_IPGRE has the GRE protocol in the field, which is an EtherType as well.
Found cooked_v1(Bytes frame) noexcept {
  if (frame.size() < 16) return std::nullopt;
  return LinkPayload{16, u16(frame, 14)};
}

Found cooked_v2(Bytes frame) noexcept {
  if (frame.size() < 20) return std::nullopt;
  return LinkPayload{20, u16(frame, 0)};
}

// An address family in the byte order of whoever wrote it. AF_INET is 2 everywhere; AF_INET6 differs: 10 Linux, 24
// NetBSD and OpenBSD, 28 FreeBSD, 30 macOS.
Found loopback(Bytes frame) noexcept {
  if (frame.size() < 4) return std::nullopt;
  const std::uint16_t upper = u16(frame, 0);
  const unsigned family = upper != 0 ? frame[0] : frame[3];
  if (family == 2) return LinkPayload{4, ethertype_ipv4};
  if (family == 10 || family == 24 || family == 28 || family == 30) return LinkPayload{4, ethertype_ipv6};
  return std::nullopt;
}

Found ppp(Bytes) noexcept { return LinkPayload{0, ethertype_ppp}; }

// The first byte is the direction instead of PPP's address.
Found ppp_with_direction(Bytes frame) noexcept {
  if (frame.empty()) return std::nullopt;
  const bool control_left = frame.size() > 1 && frame[1] == 0x03;
  return LinkPayload{control_left ? 2U : 1U, ethertype_ppp};
}

Found pppoe(Bytes) noexcept { return LinkPayload{0, ethertype_pppoe}; }

Found cisco_hdlc(Bytes frame) noexcept {
  if (frame.size() < 4) return std::nullopt;
  return LinkPayload{4, u16(frame, 2)};
}

struct LinkLayer {
  std::uint32_t type;
  Found (*find)(Bytes) noexcept;
};

constexpr std::array<LinkLayer, 16> layers = {{
    {link_type_ethernet, ethernet},
    {0, loopback},                // NULL
    {9, ppp},                     // PPP
    {12, ip_of_either_version},   // DLT_RAW of most systems
    {14, ip_of_either_version},   // DLT_RAW of OpenBSD
    {50, ppp},                    // PPP_HDLC
    {51, pppoe},                  // PPP_ETHER
    {101, ip_of_either_version},  // RAW
    {104, cisco_hdlc},            // C_HDLC
    {108, loopback},              // LOOP
    {113, cooked_v1},             // LINUX_SLL
    {166, ppp_with_direction},    // PPP_PPPD
    {204, ppp_with_direction},    // PPP_WITH_DIR
    {228, ipv4},
    {229, ipv6},
    {276, cooked_v2},  // LINUX_SLL2
}};

const LinkLayer* find_layer(std::uint32_t link_type) noexcept {
  const auto* layer =
      std::find_if(layers.begin(), layers.end(), [=](const LinkLayer& l) { return l.type == link_type; });
  return layer == layers.end() ? nullptr : layer;
}

}  // namespace

bool is_known_link_type(std::uint32_t link_type) noexcept { return find_layer(link_type) != nullptr; }

std::optional<LinkPayload> find_link_payload(std::uint32_t link_type, std::span<const std::uint8_t> frame) noexcept {
  const LinkLayer* layer = find_layer(link_type);
  return layer == nullptr ? std::nullopt : layer->find(frame);
}

}  // namespace sallyport
