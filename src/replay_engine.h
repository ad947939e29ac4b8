// One pipeline in a capture's time: what both ways of replaying share.
//
// Time goes on with the packets and never back. Where nothing was captured for a while it is walked through in steps,
// so that timeouts happen when they are due and in order, not all at the next packet.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/pipeline.h"
#include "dataplane/snapshot.h"
#include "src/replay_world.h"

namespace sallyport {

// What came of the packets: the pipeline's counters and what ended before it.
struct ReplayTotals {
  std::uint64_t received = 0;
  std::uint64_t transmitted = 0;
  std::uint64_t originated = 0;
  std::uint64_t held = 0;
  std::array<std::uint64_t, dataplane::drop_count> drops{};
  std::uint64_t flows = 0;
  std::uint64_t flows_allowed = 0;
  std::uint64_t flows_denied = 0;
  std::uint64_t names_seen = 0;
  std::array<std::uint64_t, classifier::reason_count> denied_by_reason{};

  [[nodiscard]] std::uint64_t dropped() const noexcept;
};

class ReplayEngine {
 public:
  // Throws std::bad_alloc. `world` outlives it.
  ReplayEngine(const dataplane::PipelineSettings& settings, dataplane::Snapshot snapshot, ReplayWorld& world);

  // To the time of the next packet; an earlier time changes nothing.
  void bring_to(dataplane::Instant time);
  [[nodiscard]] dataplane::Instant now() const noexcept { return now_; }

  // A buffer for a packet that was received. Where there is none the packet ends here: false.
  [[nodiscard]] bool take_buffer(dataplane::Packet& packet) noexcept;
  void process(dataplane::PortIndex port, dataplane::Packet packet) noexcept;
  // Ends before the pipeline.
  void drop(const dataplane::Packet& packet, dataplane::Drop why) noexcept;
  // The same for `count` packets whose buffers are given back already.
  void count_dropped(std::uint64_t count, dataplane::Drop why) noexcept;
  void give_back(const dataplane::Packet& packet) noexcept { world_.give_back(packet); }

  [[nodiscard]] std::optional<dataplane::Translation> translation(const dataplane::FlowKey& inside) const noexcept {
    return pipeline_.translation(inside);
  }
  void foresee(const dataplane::FlowKey& inside, dataplane::Pipeline::Foresight what) const noexcept {
    pipeline_.foresee(inside, what);
  }
  // The capture's end. Nothing may follow.
  void finish();
  [[nodiscard]] ReplayTotals totals() const noexcept;

 private:
  void step_to(dataplane::Instant time);

  ReplayWorld& world_;
  dataplane::Snapshot snapshot_;
  dataplane::Pipeline pipeline_;
  dataplane::Instant longest_timeout_;
  dataplane::Instant now_ = 0;
  dataplane::Instant advanced_ = 0;  // timeouts were looked for
  bool started_ = false;
  std::array<std::uint64_t, dataplane::drop_count> drops_{};
};

}  // namespace sallyport
