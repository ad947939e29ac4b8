// How many flows each rule decided, and how many an audit route noted. Written by its worker alone, read by the control
// plane at any time. Numbers of rules (classifier::Id) are never used twice, so a counter outlives reloads; there is
// room for the first rules that decide something, and the flows of others are counted together.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "classifier/identities.h"
#include "dataplane/counters.h"

namespace sallyport::dataplane {

class RuleCounters {
 public:
  static constexpr std::uint32_t capacity = 4096;  // a power of two

  void decided(classifier::Id rule) noexcept { entry(rule).decided.add(); }
  void audited(classifier::Id rule) noexcept { entry(rule).audited.add(); }

  // visit(rule, decided, audited); rule 0: those that found no room.
  template <typename Visit>
  void each(Visit visit) const {
    for (const Entry& entry : entries_) {
      const classifier::Id rule = entry.rule.load(std::memory_order_acquire);
      if (rule != 0) visit(rule, entry.decided.get(), entry.audited.get());
    }
    visit(classifier::Id{0}, others_.decided.get(), others_.audited.get());
  }

 private:
  static constexpr std::uint32_t probes_max = 16;
  struct Entry {
    std::atomic<classifier::Id> rule{0};
    Counter decided, audited;
  };

  [[nodiscard]] Entry& entry(classifier::Id rule) noexcept {
    const std::uint32_t home = rule * 0x9e3779b1U >> 20U;
    for (std::uint32_t probe = 0; probe < probes_max; ++probe) {
      Entry& found = entries_[(home + probe) % capacity];
      const classifier::Id owner = found.rule.load(std::memory_order_relaxed);
      if (owner == rule) return found;
      if (owner != 0) continue;
      found.rule.store(rule, std::memory_order_release);
      return found;
    }
    return others_;
  }

  std::array<Entry, capacity> entries_;
  Entry others_;
};

}  // namespace sallyport::dataplane
