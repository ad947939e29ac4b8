// CRC32c of SCTP packets (RFC 9260 appendix A).
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include <nmmintrin.h>

namespace sallyport::dataplane::wire {

[[nodiscard]] inline std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes) noexcept {
  std::uint64_t state = crc;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    state = _mm_crc32_u64(state, word);
  }
  for (; i < bytes.size(); ++i) state = _mm_crc32_u8(static_cast<std::uint32_t>(state), bytes[i]);
  return static_cast<std::uint32_t>(state);
}

// Of a whole packet whose checksum field, at offset 8, counts as zero.
[[nodiscard]] inline std::uint32_t sctp_checksum(std::span<const std::uint8_t> packet) noexcept {
  constexpr std::uint8_t zeros[4] = {};
  std::uint32_t crc = crc32c(~0U, packet.first(8));
  crc = crc32c(crc, zeros);
  return ~crc32c(crc, packet.subspan(12));
}

}  // namespace sallyport::dataplane::wire
