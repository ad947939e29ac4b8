// Numbers that look random and come back: Sebastiano Vigna's splitmix64.
#pragma once

#include <cstdint>

namespace sallyport::pktgen {

[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

}  // namespace sallyport::pktgen
