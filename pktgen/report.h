// What a run measured.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pktgen/latency.h"

namespace sallyport::pktgen {

struct Tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // of frames, without preamble and check sequence
};

struct Report {
  std::string mode;
  double seconds = 0;  // of sending
  Tally sent;
  Tally received;                          // each packet once
  std::uint64_t repeated = 0;              // came back once more; not among the received
  std::uint64_t foreign = 0;               // came in, but was not sent by this run; not among the received
  std::optional<std::uint64_t> reordered;  // received behind one that was sent later; absent: they bear no number
  std::uint64_t missed = 0;                // came in, but found the generator's own receive queue full
  std::uint64_t skipped = 0;               // captured frames over the MTU, or of an unknown link layer
  std::uint64_t skipped_control = 0;       // captured ARP, neighbour discovery and the like
  std::string order;                       // of the flows; empty: none
  Latency latency;                         // nanoseconds

  [[nodiscard]] double loss_percent() const noexcept {
    return sent.packets == 0 ? 0 : 100.0 * static_cast<double>(lost()) / static_cast<double>(sent.packets);
  }
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return sent.packets > received.packets ? sent.packets - received.packets : 0;
  }
};

[[nodiscard]] std::string to_text(const Report& report);
// One object. latency_us is null where nothing was measured.
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace sallyport::pktgen
