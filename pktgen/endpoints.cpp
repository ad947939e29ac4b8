#include "pktgen/endpoints.h"

#include <algorithm>

namespace sallyport::pktgen {
namespace {

// The last four bytes: more addresses than they number there are never.
std::uint32_t low_bytes(std::span<const std::uint8_t> address) noexcept {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : address.last(4)) value = value << 8U | byte;
  return value;
}

}  // namespace

std::array<std::uint8_t, 16> Endpoints::address(std::uint64_t number) const noexcept {
  std::array<std::uint8_t, 16> bytes = first_.bytes;
  std::uint64_t carry = number % addresses_;
  for (unsigned i = address_bytes(first_.family); i-- > 0 && carry != 0;) {
    carry += bytes[i];
    bytes[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  return bytes;
}

std::optional<std::uint64_t> Endpoints::number_of(std::span<const std::uint8_t> address,
                                                  std::uint16_t port) const noexcept {
  if (port < first_port || address.size() != address_bytes(first_.family)) return std::nullopt;
  const std::uint32_t offset = low_bytes(address) - low_bytes(std::span(first_.bytes).first(address.size()));
  if (offset >= addresses_) return std::nullopt;
  const std::array<std::uint8_t, 16> expected = this->address(offset);
  if (!std::equal(address.begin(), address.end(), expected.begin())) return std::nullopt;
  return std::uint64_t{port - std::uint32_t{first_port}} * addresses_ + offset;
}

}  // namespace sallyport::pktgen
