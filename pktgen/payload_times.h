// When a payload was sent: how replayed packets, which carry no stamp, are known again behind a translator.
//
// A table of fixed size by a hash of the payload. A payload that is sent again while its first time is remembered (a
// retransmission, a repeated question) cannot be told apart, and is not measured.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace sallyport::pktgen {

class PayloadTimes {
 public:
  PayloadTimes() : slots_(slots) {}

  void sent(std::span<const std::uint8_t> payload, std::uint64_t cycles) noexcept {
    if (payload.size() < payload_least) return;
    const std::uint64_t hash = hash_of(payload);
    Slot& slot = slots_[hash % slots];
    slot = {hash, slot.hash == hash ? 0 : cycles};
  }
  [[nodiscard]] std::optional<std::uint64_t> received(std::span<const std::uint8_t> payload) noexcept {
    if (payload.size() < payload_least) return std::nullopt;
    const std::uint64_t hash = hash_of(payload);
    const Slot& slot = slots_[hash % slots];
    if (slot.hash != hash || slot.cycles == 0) return std::nullopt;
    return slot.cycles;
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t cycles = 0;  // 0: sent more than once
  };
  static constexpr std::size_t slots = std::size_t{1} << 16U;
  static constexpr std::size_t payload_least = 16;
  static constexpr std::size_t looked_at = 64;

  // Of its beginning and its length; multiply and fold, eight bytes at a time, the last eight overlapping.
  [[nodiscard]] static std::uint64_t hash_of(std::span<const std::uint8_t> payload) noexcept {
    std::uint64_t hash = payload.size() * 0x9e3779b97f4a7c15U;
    const std::size_t end = std::min(payload.size(), looked_at);
    for (std::size_t at = 0; at < end; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, payload.data() + std::min(at, end - 8), 8);
      hash = (hash ^ word) * 0xff51afd7ed558ccdU;
      hash ^= hash >> 32U;
    }
    return hash;
  }

  std::vector<Slot> slots_;
};

}  // namespace sallyport::pktgen
