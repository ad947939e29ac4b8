// SipHash-2-4 (Aumasson & Bernstein, 2012): a keyed 64-bit hash that nobody without the key can steer.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace sallyport::classifier {

[[nodiscard]] std::uint64_t siphash(const std::array<std::uint8_t, 16>& key,
                                    std::span<const std::uint8_t> message) noexcept;

}  // namespace sallyport::classifier
