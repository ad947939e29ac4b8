// Walks over TLS records of which nothing but their kind matters, whose bytes come in any pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sallyport::dataplane {

namespace tls_record {
inline constexpr std::uint8_t change_cipher_spec = 20, alert = 21, application_data = 23;
}

// How far it has come. Starts zeroed.
struct RecordWalk {
  std::uint32_t left;  // bytes of the present record that are still to come
  std::uint32_t head;  // the last bytes of its header
  std::uint8_t head_bytes;

  // So many of the bytes are of records whose kind is_passed(kind) says; behind them another begins, if they are not
  // all.
  template <typename IsPassed>
  [[nodiscard]] std::size_t take(std::span<const std::uint8_t> bytes, IsPassed is_passed) noexcept {
    constexpr std::uint8_t header_bytes = 5;
    std::size_t at = 0;
    while (at < bytes.size()) {
      if (left != 0) {
        const auto taken = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size() - at, left));
        left -= taken;
        at += taken;
        continue;
      }
      if (head_bytes == 0 && !is_passed(bytes[at])) break;
      head = head << 8U | bytes[at++];
      if (++head_bytes < header_bytes) continue;
      head_bytes = 0;
      left = head & 0xffffU;
    }
    return at;
  }
  [[nodiscard]] bool is_within_one() const noexcept { return left != 0 || head_bytes != 0; }
};

}  // namespace sallyport::dataplane
