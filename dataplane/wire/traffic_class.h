// The byte of DSCP (upper six bits, RFC 2474) and ECN (lower two, RFC 3168) of an IP header of either family.
#pragma once

#include <cstdint>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {

inline constexpr std::uint8_t ecn_bits = 3;

[[nodiscard]] inline std::uint8_t traffic_class(const std::uint8_t* l3) noexcept {
  if (l3[0] >> 4U == 4) return at<Ipv4>(l3).service;
  return static_cast<std::uint8_t>(at<Ipv6>(l3).version_class_flow.get() >> 20U);
}

// The header's checksum follows (RFC 1624).
inline void set_traffic_class(std::uint8_t* l3, std::uint8_t value) noexcept {
  if (l3[0] >> 4U != 4) {
    auto& first = at<Ipv6>(l3).version_class_flow;
    first = (first.get() & ~(0xffU << 20U)) | std::uint32_t{value} << 20U;
    return;
  }
  auto& ip = at<Ipv4>(l3);
  std::uint16_t before;
  std::memcpy(&before, l3, sizeof before);
  ip.service = value;
  std::uint16_t after;
  std::memcpy(&after, l3, sizeof after);
  Delta delta;
  delta.replace(before, after);
  update(ip.checksum, delta);
}

}  // namespace sallyport::dataplane::wire
