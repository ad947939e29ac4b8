// How much of what is scarce each sender has, so that one alone cannot use up what all need: as much as is left free
// (Choudhury and Hahne, Dynamic Queue Length Thresholds for Shared-Memory Packet Switches, 1998, with alpha 1). A lone
// sender has half, of two each a third, and whoever comes then finds a third free.
//
// Senders share a place by the keyed hash of their address: where two of them meet, they have one share between them,
// and nobody can bring that about without the key.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/flow/flow.h"
#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {

// A sender's place among the shares.
struct SharePlace {
  std::uint16_t number = 0;
};

class Shares {
 public:
  static constexpr std::uint32_t places = 4096;

  [[nodiscard]] static SharePlace place_of(std::uint64_t hash) noexcept {
    return {static_cast<std::uint16_t>(hash % places)};
  }

  // A share is no less than `least`.
  explicit Shares(std::uint64_t all, std::uint64_t least = 1) : taken_(places), all_(all), least_(least) {}

  [[nodiscard]] bool has_room(SharePlace sender, std::uint64_t more = 1) const noexcept {
    const std::uint64_t free = all_ - std::min(all_taken_, all_);
    return taken_[sender.number] + more <= std::max(free, least_);
  }
  void take(SharePlace sender, std::uint64_t count = 1) noexcept {
    taken_[sender.number] += count;
    all_taken_ += count;
  }
  void give_back(SharePlace sender, std::uint64_t count = 1) noexcept {
    taken_[sender.number] -= count;
    all_taken_ -= count;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return taken_.bytes(); }

 private:
  Block<std::uint64_t> taken_;  // by place
  std::uint64_t all_taken_ = 0;
  std::uint64_t all_, least_;
};

// So many a second, shared alike.
class SharedRateLimit {
 public:
  explicit SharedRateLimit(std::uint32_t per_second) : by_place_(Shares::places), per_second_(per_second) {}

  // Nobody is admitted any more in this second, whoever asks.
  [[nodiscard]] bool used_up(Tick now) const noexcept { return used_ >= per_second_ && !is_over(now); }
  [[nodiscard]] bool admit(SharePlace sender, Tick now) noexcept {
    if (is_over(now)) {
      since_ = now;
      used_ = 0;
      ++second_;
    }
    Used& own = by_place_[sender.number];
    if (own.second != second_) own = {second_, 0};
    if (used_ >= per_second_ || own.count >= per_second_ - used_) return false;
    ++used_;
    ++own.count;
    return true;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return by_place_.bytes(); }

 private:
  struct Used {
    std::uint32_t second;  // in which `count` was counted
    std::uint32_t count;
  };
  // Unsigned: it may be weeks since the last one.
  [[nodiscard]] bool is_over(Tick now) const noexcept { return now - since_ >= 1000; }

  Block<Used> by_place_;
  std::uint32_t per_second_;
  std::uint32_t used_ = 0;
  std::uint32_t second_ = 1;
  Tick since_ = 0;
};

}  // namespace sallyport::dataplane
