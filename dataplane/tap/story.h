// A sighting in the making: what becomes of one packet, noted as it happens, then put into the taps that want it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "dataplane/pipeline.h"
#include "dataplane/tap/sighting.h"
#include "dataplane/tap/tap.h"

namespace sallyport::dataplane {

class Story {
 public:
  // Bytes of frames that it can hold; they are not touched before they are needed.
  explicit Story(std::size_t store_bytes);

  // `received`: it begins with a packet that came in.
  void begin(Instant now, std::uint32_t worker, bool received, const Sight& sight) noexcept;
  [[nodiscard]] SightingHead& head() noexcept { return head_; }
  // At most `snap_bytes` of the frame are kept.
  void add_frame(PortIndex port, const Packet& packet, Seen seen, const Sight& sight,
                 std::uint32_t snap_bytes) noexcept;
  void forget_last_frames(std::size_t count) noexcept;
  // `packets`: in received ones.
  void add_end(Drop why, std::uint64_t packets) noexcept;
  // As it stands now; `sight` says how that is.
  void set_flow(const Sight& sight, const FlowRecord& flow) noexcept;

  void put_into(Tap& tap) const noexcept;

 private:
  static constexpr std::size_t frames_max = 9;

  const std::size_t store_bytes_;
  const std::unique_ptr<std::uint8_t[]> store_;
  SightingHead head_;
  FlowRecord flow_;
  std::array<FrameHead, frames_max> frames_;
  std::array<std::size_t, frames_max> at_{};  // where the frame's bytes begin in the store
  std::size_t stored_ = 0;
};

}  // namespace sallyport::dataplane
