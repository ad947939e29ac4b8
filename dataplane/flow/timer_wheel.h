// When flows may end: a coarse wheel of lists threaded through the flows.
//
// A packet does not touch the wheel; it only refreshes Flow::last_seen. When a flow's slot comes up, its deadline is
// computed anew and a flow that lives on is put further ahead. Whether a flow is over is decided exactly wherever it is
// looked up (see ended_by_time()), so the coarseness shows only in when its memory comes back.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/flow/flow_table.h"

namespace sallyport::dataplane {

class TimerWheel {
 public:
  static constexpr std::uint32_t slot_ms = 256;
  static constexpr std::uint32_t slot_count = 1024;  // 262 s round; later deadlines come by once a round

  explicit TimerWheel(FlowTable& flows) noexcept : flows_(flows) {}

  void start(Tick now) noexcept { turned_to_ = now / slot_ms; }

  // In `delay_ms` from now, rounded up to a slot.
  void add(FlowNumber number, Tick now, std::uint32_t delay_ms) noexcept {
    const std::uint32_t ahead = std::min(delay_ms / slot_ms + 1, slot_count - 1);
    const std::uint16_t slot = static_cast<std::uint16_t>((now / slot_ms + ahead) % slot_count);
    FlowFacts& flow = flows_.facts(number);
    flow.wheel_slot = slot;
    flow.wheel_previous = 0;
    flow.wheel_next = heads_[slot];
    if (heads_[slot] != 0) flows_.facts(heads_[slot]).wheel_previous = number;
    heads_[slot] = number;
  }

  void remove(FlowNumber number) noexcept {
    const FlowFacts& flow = flows_.facts(number);
    if (flow.wheel_next != 0) flows_.facts(flow.wheel_next).wheel_previous = flow.wheel_previous;
    if (flow.wheel_previous != 0) {
      flows_.facts(flow.wheel_previous).wheel_next = flow.wheel_next;
      return;
    }
    heads_[flow.wheel_slot] = flow.wheel_next;
    if (flow.wheel_next != 0) flows_.facts(flow.wheel_next).wheel_slot = flow.wheel_slot;
  }

  // Calls `due(number)` for the flows of every slot that has come up, at most `budget` of them; the rest comes with the
  // next call. `due` removes the flow, and may add it again. `expect(number)` is told which comes after it, with its
  // line and its facts on their way.
  template <typename Due, typename Expect>
  void turn(Tick now, std::uint32_t budget, const Due& due, const Expect& expect) noexcept {
    const std::uint32_t target = now / slot_ms;
    // After a long silence every slot comes up once.
    if (target - turned_to_ > slot_count) turned_to_ = target - slot_count;
    for (;;) {
      while (heads_[up] != 0) {
        if (budget-- == 0) return;
        look_ahead(heads_[up], expect);
        due(heads_[up]);
      }
      if (turned_to_ == target) return;
      const std::uint32_t slot = ++turned_to_ % slot_count;
      heads_[up] = heads_[slot];
      heads_[slot] = 0;
      if (heads_[up] != 0) flows_.facts(heads_[up]).wheel_slot = up;
    }
  }

 private:
  static constexpr std::uint16_t up = slot_count;  // the list that has come up

  // The next but one is on its way from memory while the next one is looked at.
  template <typename Expect>
  void look_ahead(FlowNumber number, const Expect& expect) const noexcept {
    const FlowNumber next = flows_.facts(number).wheel_next;
    if (next == 0) return;
    flows_.prefetch_flow(flows_.facts(next).wheel_next);
    expect(next);
  }

  FlowTable& flows_;
  // Only the head of a list knows for sure in which one it stands.
  std::array<FlowNumber, slot_count + 1> heads_{};
  std::uint32_t turned_to_ = 0;
};

}  // namespace sallyport::dataplane
