// Where a worker's traffic can be looked at. Around the pipeline, so the packet path has no part in it and costs what
// it always does; while there is no tap, the worker's loop pays one branch a burst.
//
// Theory of operation. A packet that a tap wants goes through the pipeline alone: whatever is sent, held, counted or
// decided meanwhile is because of it. What others have in the same burst goes through in one piece before and after it,
// in order. So a story is complete, and only its own packets pay for it.
//
//   burst    a b c D e f G        D and G match
//   calls    [a b c] [D] [e f] [G]
//
// A tap that wants nothing but packets that end asks about these when they are given back, and about no other.
//
// A packet matches as it is on the wire or as its client knows it: an answer to 203.0.113.8 that is translated back to
// 10.1.2.3 is found under either address.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "dataplane/pipeline.h"
#include "dataplane/tap/onlooker.h"
#include "dataplane/tap/story.h"
#include "dataplane/tap/tap.h"
#include "dataplane/world.h"

namespace sallyport::dataplane {

class TapPoint final : public Onlooker {
 public:
  static constexpr std::size_t taps_max = 4;

  // Both outlive it.
  TapPoint(std::uint32_t worker, World& world, Pipeline& pipeline);

  // All of it on the worker's thread. False: there are taps_max.
  [[nodiscard]] bool attach(Tap& tap) noexcept;
  void detach(const Tap& tap) noexcept;
  [[nodiscard]] bool idle() const noexcept { return taps_ == 0; }

  // Instead of the pipeline's.
  void process(PortIndex port, std::span<Packet> burst, Instant now, const Snapshot& snapshot) noexcept;
  void advance(Instant now, const Snapshot& snapshot) noexcept;

  // Onlooker
  void sent(PortIndex port, std::span<const Packet> packets) noexcept override;
  void refused(PortIndex port, std::span<const Packet> packets) noexcept override;
  void released(std::span<const Packet> packets) noexcept override;
  void went_to_kernel(PortIndex port, const Packet& packet) noexcept override;
  void handed_over(std::uint32_t worker, std::span<const Packet> packets) noexcept override;

 private:
  using Mask = std::uint8_t;  // a bit for each tap
  using Drops = std::array<std::uint64_t, drop_count>;
  enum class Mode : std::uint8_t {
    crowd,   // packets that nobody follows
    single,  // one packet that somebody follows
    time,    // what time brings
  };

  [[nodiscard]] Mask all(bool only_ended) const noexcept;
  [[nodiscard]] Mask accepting(Mask among, const Packet& packet, const Sight& sight) const noexcept;
  // Those of `among` that want the packet; and what was seen of it on the way to the answer.
  [[nodiscard]] Mask wanted(Mask among, PortIndex port, const Packet& packet, Seen seen, Sight& sight) const noexcept;

  void crowd(PortIndex port, std::span<Packet> packets) noexcept;
  void single(PortIndex port, Packet& packet, Mask mask, Sight& sight) noexcept;
  void tell_flow(PortIndex port, Sight& sight) noexcept;
  [[nodiscard]] Drops drops() const noexcept;
  void tell_ends(const Drops& before) noexcept;
  // A story of one frame.
  void tell_aside(Mask among, PortIndex port, const Packet& packet, Seen seen, const Drop* why) noexcept;
  void put(const Story& story, Mask mask) noexcept;

  const std::uint32_t worker_;
  World& world_;
  Pipeline& pipeline_;
  std::array<Tap*, taps_max> tap_{};
  std::size_t taps_ = 0;
  std::uint32_t snap_bytes_ = 0;  // the longest of theirs

  // The present call.
  Mode mode_ = Mode::crowd;
  Instant now_ = 0;
  const Snapshot* snapshot_ = nullptr;
  Story story_;
  Story aside_;  // of what happens meanwhile
};

}  // namespace sallyport::dataplane
