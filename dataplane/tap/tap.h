// One look at the traffic: what it wants to see, and what the workers have seen for it.
//
//   control plane: makes it, has it attached to every worker, reads its rings, has it detached, destroys it
//   worker:        asks its filter, copies into its ring; a full ring costs sightings, never packets
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/counters.h"
#include "dataplane/tap/blob_ring.h"
#include "dataplane/tap/packet_filter.h"

namespace sallyport::dataplane {

struct TapSettings {
  std::unique_ptr<const PacketFilter> filter;  // null: everything, whether IP or not
  std::uint32_t snap_bytes = 0;                // of a frame that are copied at most
  // Nothing but packets that end under a reason: then the others are not even asked about.
  bool only_ended = false;
};

class Tap {
 public:
  static constexpr std::size_t ring_bytes = std::size_t{4} << 20U;  // of each worker

  Tap(TapSettings settings, std::uint32_t workers) : settings_(std::move(settings)) {
    for (std::uint32_t worker = 0; worker < workers; ++worker) seats_.push_back(std::make_unique<Seat>());
  }

  [[nodiscard]] const TapSettings& settings() const noexcept { return settings_; }

  // That worker.
  void put(std::uint32_t worker, std::span<const BlobRing::Piece> sighting) noexcept {
    if (!seats_[worker]->ring.push(sighting)) seats_[worker]->lost.add();
  }

  // One thread of the control plane.
  [[nodiscard]] BlobRing& ring(std::uint32_t worker) noexcept { return seats_[worker]->ring; }
  [[nodiscard]] std::uint32_t workers() const noexcept { return static_cast<std::uint32_t>(seats_.size()); }
  // Sightings for which there was no room.
  [[nodiscard]] std::uint64_t lost() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& seat : seats_) sum += seat->lost.get();
    return sum;
  }

 private:
  struct Seat {
    BlobRing ring{ring_bytes};
    Counter lost;  // written by the worker
  };
  const TapSettings settings_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace sallyport::dataplane
