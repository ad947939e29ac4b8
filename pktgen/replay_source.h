// `replay`: the frames of a capture, at its own pace or another.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/routing.h"
#include "pktgen/address_shift.h"
#include "pktgen/options.h"
#include "pktgen/pace.h"
#include "pktgen/payload_times.h"
#include "pktgen/traffic.h"
#include "src/capture_reader.h"

namespace sallyport::pktgen {

// Every frame of a capture, looked up once. What is no Ethernet but IP of another link layer gets an Ethernet header.
class CapturedFrames {
 public:
  struct Entry {
    std::uint64_t time_ns = 0;  // since the first one; never runs back
    std::span<const std::uint8_t> bytes;
    std::uint16_t ethertype = 0;  // of what has no Ethernet header; 0: it has
  };
  explicit CapturedFrames(const std::string& path);

  [[nodiscard]] const std::vector<Entry>& all() const noexcept { return all_; }
  // Frames of a link layer that is not known, or too short for theirs.
  [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }
  // What was wrong with the file; what stood before that place is there.
  [[nodiscard]] const std::optional<CaptureError>& error() const noexcept { return reader_.error(); }

 private:
  CaptureReader reader_;  // holds the bytes
  std::vector<Entry> all_;
  std::uint64_t unreadable_ = 0;
};

class ReplaySource final : public Source {
 public:
  // `destination` is written into every frame where it is given.
  ReplaySource(const ReplayOptions& options, const CapturedFrames& frames, std::uint32_t frame_bytes_max,
               const dataplane::MacAddress& own, std::optional<dataplane::MacAddress> destination);

  std::optional<std::size_t> due(std::uint64_t now_cycles, std::size_t most) override;
  std::uint32_t write(std::uint64_t now_cycles, std::uint8_t* bytes) override;
  bool recognise(std::span<const std::uint8_t> frame, std::optional<std::uint64_t>& sent_cycles) override;

 private:
  [[nodiscard]] std::size_t due_by_time(std::uint64_t now_cycles, std::size_t most);
  // Of the `number`th frame that is sent in a loop, copies counted.
  [[nodiscard]] const CapturedFrames::Entry& entry(std::size_t number) const {
    return frames_[number / options_.copies];
  }

  const ReplayOptions options_;
  const std::vector<CapturedFrames::Entry>& frames_;
  const std::uint32_t frame_bytes_max_;
  const dataplane::MacAddress own_;
  const std::optional<dataplane::MacAddress> destination_;
  Pace pace_;
  PayloadTimes times_;
  std::optional<AddressShift> shift_;
  const double cycles_a_nanosecond_;
  std::size_t next_ = 0;
  std::uint64_t loop_ = 0;
  std::uint64_t loop_began_ = 0;  // cycles; 0: not yet
};

}  // namespace sallyport::pktgen
