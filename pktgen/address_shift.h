// Many flows out of few: copies of a captured frame whose addresses are moved. In copy k the addresses inside a block
// are those of the k-th block of the same size behind it:
//
//   10.1.0.0/24   copy 0: 10.1.0.7   copy 1: 10.1.1.7   copy 300: 10.2.44.7
#pragma once

#include <cstdint>
#include <span>

#include "config/address.h"

namespace sallyport::pktgen {

class AddressShift {
 public:
  explicit AddressShift(const Prefix& block) : block_(block) {}

  // Source, destination and checksums of IPv4 and IPv6; those of TCP, UDP and ICMPv6 where they follow at once.
  void apply(std::span<std::uint8_t> frame, std::uint64_t copy) const noexcept;
  // Has the frame an address inside?
  [[nodiscard]] bool applies_to(std::span<const std::uint8_t> frame) const noexcept;
  // The same of a packet without an Ethernet header.
  [[nodiscard]] bool applies_to(std::uint16_t ethertype, std::span<const std::uint8_t> packet) const noexcept;

 private:
  // False: the address is not inside.
  [[nodiscard]] bool move(std::span<std::uint8_t> address, std::uint64_t copy) const noexcept;

  Prefix block_;
};

// How many copies have addresses of their own: the block itself, and those of its size up to the last address.
[[nodiscard]] std::uint64_t copies_that_fit(const Prefix& block) noexcept;

}  // namespace sallyport::pktgen
