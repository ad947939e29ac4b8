// Senders by number: another address with every number, and when all have had their turn, another port. So neighbours
// in time are strangers to a gateway's tables, and a packet that comes back says by its destination whose it is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "config/address.h"

namespace sallyport::pktgen {

class Endpoints {
 public:
  static constexpr std::uint16_t first_port = 1024;
  static constexpr std::uint64_t ports_each = 64512;  // 1024..65535
  static constexpr std::uint32_t addresses_max = 1U << 24U;

  // `addresses` of them from `first` on, going on over the ends of bytes.
  Endpoints(const IpAddress& first, std::uint32_t addresses) noexcept : first_(first), addresses_(addresses) {}

  [[nodiscard]] Family family() const noexcept { return first_.family; }
  [[nodiscard]] std::uint64_t count() const noexcept { return addresses_ * ports_each; }
  // In the first 4 or 16 bytes. Numbers beyond the count begin anew.
  [[nodiscard]] std::array<std::uint8_t, 16> address(std::uint64_t number) const noexcept;
  [[nodiscard]] std::uint16_t port(std::uint64_t number) const noexcept {
    return static_cast<std::uint16_t>(first_port + number / addresses_ % ports_each);
  }
  // `address`: 4 or 16 bytes.
  [[nodiscard]] std::optional<std::uint64_t> number_of(std::span<const std::uint8_t> address,
                                                       std::uint16_t port) const noexcept;

 private:
  IpAddress first_;
  std::uint32_t addresses_;
};

}  // namespace sallyport::pktgen
