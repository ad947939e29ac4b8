// The frames on their way, by frame_key(): how often each was sent and has not come back, and since when. So what comes
// in is known as one of ours or as foreign, though a captured frame bears no stamp, and never more come back than went.
//
// A table of fixed size in groups of sixteen slots. What finds no slot of its own in its group any more is counted in
// the group's last one together with its like, and not told from them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "pktgen/recognised.h"

namespace sallyport::pktgen {

class SentFrames {
 public:
  // For so many captured frames and so many copies of each, as far as memory allows: 256 MiB, 64 MiB for copies.
  SentFrames(std::uint64_t frames, std::uint64_t copies) : slots_(size_for(frames, copies)) {}

  void sent(std::uint64_t key, std::uint64_t cycles) noexcept {
    Slot& slot = place_for(key);
    slot.sent_cycles = slot.on_the_way == 0 ? cycles : not_told_apart;
    if (slot.on_the_way != std::numeric_limits<std::uint32_t>::max()) ++slot.on_the_way;
  }
  // `sent_cycles` is set unless the same was sent again while it was on its way.
  [[nodiscard]] Recognised received(std::uint64_t key, std::optional<std::uint64_t>& sent_cycles) noexcept {
    const std::span<Slot> group = group_of(key);
    Slot* own = own_slot(group, tag_of(key));
    Slot* slot = own != nullptr && own->on_the_way != 0 ? own : &group.back();
    if (slot->on_the_way == 0) return own != nullptr ? Recognised::repeated : Recognised::foreign;
    --slot->on_the_way;
    if (slot->sent_cycles != not_told_apart && slot == own) sent_cycles = slot->sent_cycles;
    return Recognised::ours;
  }

 private:
  struct Slot {
    std::uint32_t tag = free;
    std::uint32_t on_the_way = 0;
    std::uint64_t sent_cycles = 0;
  };
  static_assert(sizeof(Slot) == 16);
  static constexpr std::uint32_t free = 0;  // tags of frames are odd
  static constexpr std::uint64_t not_told_apart = 0;
  static constexpr std::size_t group_slots = 16;
  static constexpr std::uint64_t slots_least = std::uint64_t{1} << 12U;
  static constexpr std::uint64_t slots_most = std::uint64_t{1} << 24U;
  static constexpr std::uint64_t slots_most_of_copies = std::uint64_t{1} << 22U;

  [[nodiscard]] static std::size_t size_for(std::uint64_t frames, std::uint64_t copies) noexcept {
    const std::uint64_t alone = std::bit_ceil(std::clamp(2 * frames, slots_least, slots_most));
    const std::uint64_t all = copies > slots_most_of_copies / (2 * frames + 1) ? slots_most_of_copies
                                                                               : std::bit_ceil(2 * frames * copies + 1);
    return static_cast<std::size_t>(std::max(alone, all));
  }
  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t key) noexcept {
    return static_cast<std::uint32_t>(key >> 32U) | 1U;
  }
  [[nodiscard]] std::span<Slot> group_of(std::uint64_t key) noexcept {
    return std::span(slots_).subspan((key & (slots_.size() - 1)) / group_slots * group_slots, group_slots);
  }
  [[nodiscard]] static Slot* own_slot(std::span<Slot> group, std::uint32_t tag) noexcept {
    for (Slot& slot : group.first(group_slots - 1)) {
      if (slot.tag == tag) return &slot;
      if (slot.tag == free) return nullptr;
    }
    return nullptr;
  }
  // Its own; else a free one, or one whose frames have all come back; else the common one.
  [[nodiscard]] Slot& place_for(std::uint64_t key) noexcept {
    const std::span<Slot> group = group_of(key);
    const std::uint32_t tag = tag_of(key);
    Slot* done = nullptr;
    for (Slot& slot : group.first(group_slots - 1)) {
      if (slot.tag == free) slot.tag = tag;
      if (slot.tag == tag) return slot;
      if (slot.on_the_way == 0) done = &slot;
    }
    if (done == nullptr) return group.back();
    done->tag = tag;
    return *done;
  }

  std::vector<Slot> slots_;
};

}  // namespace sallyport::pktgen
