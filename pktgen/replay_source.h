// `replay`: the frames of a capture, at its own pace or another.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/routing.h"
#include "pktgen/address_shift.h"
#include "pktgen/captured_frames.h"
#include "pktgen/options.h"
#include "pktgen/pace.h"
#include "pktgen/sent_frames.h"
#include "pktgen/traffic.h"

namespace sallyport::pktgen {

class ReplaySource final : public Source {
 public:
  // `frames`: none larger than the devices send. `destination` is written into every frame where it is given.
  ReplaySource(const ReplayOptions& options, const CapturedFrames& frames, const dataplane::MacAddress& own,
               std::optional<dataplane::MacAddress> destination);

  std::optional<std::size_t> due(std::uint64_t now_cycles, std::size_t most) override;
  std::uint32_t write(std::uint64_t now_cycles, std::uint8_t* bytes) override;
  Recognised recognise(std::span<const std::uint8_t> frame, std::optional<std::uint64_t>& sent_cycles) override;

 private:
  [[nodiscard]] std::size_t due_by_time(std::uint64_t now_cycles, std::size_t most);
  // Of the `number`th frame that is sent in a loop, copies counted.
  [[nodiscard]] const CapturedFrames::Entry& entry(std::size_t number) const {
    return frames_[number / options_.copies];
  }

  const ReplayOptions options_;
  const std::vector<CapturedFrames::Entry>& frames_;
  const dataplane::MacAddress own_;
  const std::optional<dataplane::MacAddress> destination_;
  Pace pace_;
  SentFrames sent_;
  std::optional<AddressShift> shift_;
  const double cycles_a_nanosecond_;
  std::size_t next_ = 0;
  std::uint64_t loop_ = 0;
  std::uint64_t loop_began_ = 0;  // cycles; 0: not yet
};

}  // namespace sallyport::pktgen
