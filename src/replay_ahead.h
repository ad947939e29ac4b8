// Reads a capture a little ahead of its replay, so that what a packet will need of memory is on its way when its turn
// comes: its own bytes, the side its sender is on, its flow. Waiting for these one after the other is most of what a
// packet costs otherwise. Only fetches; what is foreseen wrongly is looked up as ever.
#pragma once

#include <array>
#include <cstddef>

#include "dataplane/flow/flow_key.h"
#include "src/capture_reader.h"
#include "src/replay_engine.h"
#include "src/replay_sides.h"

namespace sallyport {

class ReplayAhead {
 public:
  // All of these outlive it.
  ReplayAhead(CaptureReader& capture, const ReplayEngine& engine, const ReplaySides& sides)
      : capture_(capture), engine_(engine), sides_(sides) {}

  // The capture's next frame, or nullptr at its end (or an error of the reader). Valid until the next call.
  [[nodiscard]] const CapturedFrame* next();

 private:
  static constexpr std::size_t places = 32;  // so many frames ahead bytes are fetched; a quarter less each further step
  struct Place {
    CapturedFrame frame;
    dataplane::FlowKey key;  // the packet's, then the flow's inside key
    bool followed = false;
  };

  void fill();
  [[nodiscard]] Place* ahead(std::size_t distance) noexcept;
  void read_key(Place& place) const noexcept;
  void find_side(Place& place) const noexcept;
  void find_flow(const Place& place) const noexcept;

  CaptureReader& capture_;
  const ReplayEngine& engine_;
  const ReplaySides& sides_;
  std::array<Place, places> ring_;
  std::size_t read_ = 0;
  std::size_t taken_ = 0;
  bool ended_ = false;
};

}  // namespace sallyport
