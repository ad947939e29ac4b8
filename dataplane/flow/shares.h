// How much of what is scarce each sender has, so that one alone cannot use up what all need.
//
// Senders share a place by the keyed hash of their address: where two of them meet, they have one share between them,
// and nobody can bring that about without the key.
#pragma once

#include <algorithm>
#include <cstdint>

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

  // A share is a quarter of `all`, and no less than `least`.
  explicit Shares(std::uint64_t all, std::uint64_t least = 1) : taken_(places), most_(std::max(all / 4, least)) {}

  [[nodiscard]] bool has_room(SharePlace sender, std::uint64_t more = 1) const noexcept {
    return taken_[sender.number] + more <= most_;
  }
  void take(SharePlace sender, std::uint64_t count = 1) noexcept { taken_[sender.number] += count; }
  void give_back(SharePlace sender, std::uint64_t count = 1) noexcept { taken_[sender.number] -= count; }

  [[nodiscard]] std::size_t bytes() const noexcept { return taken_.bytes(); }

 private:
  Block<std::uint64_t> taken_;  // by place
  std::uint64_t most_;
};

}  // namespace sallyport::dataplane
