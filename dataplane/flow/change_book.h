// Which flows another gateway has to hear of: those that opened, once they are worth it, and those that it has heard of
// and that are over. Numbers and keys only; who asks (stages/replicate.h) finds the rest in the table.
//
// A flow is looked at 50 ms after it opened, so that what is over by then is never spoken of, and again every 100 ms
// while it still waits for its handshake or its name. Each queue has one waiting time, so it is in order by itself.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/counters.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/memory.h"
#include "dataplane/flow/saved_flow.h"

namespace sallyport::dataplane {

class ChangeBook {
 public:
  static constexpr std::uint32_t opened_max = 65536, ended_max = 16384;
  static constexpr std::int32_t settle_ms = 50, again_ms = 100;
  static constexpr std::uint16_t looks_max = 50;  // then it is left to those who read the whole table

  struct Opening {
    std::uint64_t started;
    FlowNumber flow;
    Tick since;  // in its queue
    std::uint16_t looks;
  };

  explicit ChangeBook(bool enabled)
      : fresh_(enabled ? opened_max : 0), waiting_(enabled ? opened_max : 0), ended_(enabled ? ended_max : 0) {}

  [[nodiscard]] bool enabled() const noexcept { return ended_.capacity() != 0; }

  void opened(FlowNumber flow, std::uint64_t started, Tick now) noexcept { keep(fresh_, {started, flow, now, 0}); }
  void look_again(Opening opening, Tick now) noexcept {
    if (++opening.looks == looks_max) return;
    opening.since = now;
    keep(waiting_, opening);
  }
  void ended(const EndedFlow& flow) noexcept {
    if (!ended_.push(flow)) lost_.add();
  }

  // The next one whose time has come, out of its queue.
  [[nodiscard]] bool take_opening(Tick now, Opening& out) noexcept {
    return take_due(waiting_, again_ms, now, out) || take_due(fresh_, settle_ms, now, out);
  }
  [[nodiscard]] bool take_ended(EndedFlow& out) noexcept { return ended_.pop(out); }

  // Openings and ends that found their queue full. Read by anybody.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.get(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return fresh_.bytes() + waiting_.bytes() + ended_.bytes(); }

 private:
  template <typename T>
  class Queue {
   public:
    explicit Queue(std::uint32_t capacity) : values_(capacity) {}

    [[nodiscard]] std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(values_.size()); }
    [[nodiscard]] bool push(const T& value) noexcept {
      if (last_ - first_ == capacity()) return false;
      values_[last_++ & (capacity() - 1)] = value;
      return true;
    }
    [[nodiscard]] const T* front() const noexcept {
      return last_ == first_ ? nullptr : &values_[first_ & (capacity() - 1)];
    }
    [[nodiscard]] bool pop(T& out) noexcept {
      const T* value = front();
      if (value == nullptr) return false;
      out = *value;
      ++first_;
      return true;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return values_.bytes(); }

   private:
    Block<T> values_;  // a power of two
    std::uint32_t first_ = 0, last_ = 0;
  };

  void keep(Queue<Opening>& queue, const Opening& opening) noexcept {
    if (!queue.push(opening)) lost_.add();
  }
  [[nodiscard]] static bool take_due(Queue<Opening>& queue, std::int32_t after_ms, Tick now, Opening& out) noexcept {
    const Opening* opening = queue.front();
    return opening != nullptr && dataplane::since(opening->since, now) >= after_ms && queue.pop(out);
  }

  Queue<Opening> fresh_, waiting_;
  Queue<EndedFlow> ended_;
  Counter lost_;
};

}  // namespace sallyport::dataplane
