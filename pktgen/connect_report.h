// What a run of `connect` measured. Every connection attempted ends in one of: closed, reset, timed out; where the run
// was broken off it may be open still.
#pragma once

#include <cstdint>
#include <string>

#include "pktgen/latency.h"
#include "pktgen/options.h"
#include "pktgen/report.h"

namespace sallyport::pktgen {

struct ConnectReport {
  double seconds = 0;         // of opening
  double frames_seconds = 0;  // from the first frame to the last one, either way
  Rate rate;                  // connections a second, as asked for
  std::uint32_t sources = 1;  // addresses of clients
  std::uint64_t attempted = 0;
  std::uint64_t established = 0;      // SYN-ACK came
  std::uint64_t answered = 0;         // the hello was answered
  std::uint64_t closed = 0;           // FIN was answered
  std::uint64_t reset = 0;            // denied, or lost by whoever is between
  std::uint64_t reset_when_open = 0;  // of these
  std::uint64_t timed_out_syn = 0;    // no answer to it
  std::uint64_t timed_out_hello = 0;
  std::uint64_t timed_out_fin = 0;
  std::uint64_t open = 0;       // still, when the run is over
  std::uint64_t open_most = 0;  // at once
  std::uint64_t overrun = 0;    // segments that came in faster than they could be answered, and were thrown away
  Latency handshake;            // nanoseconds from SYN to SYN-ACK
  Latency hello;                // from the hello's last segment to the first byte of its answer
  Tally sent;                   // frames, of the clients alone
  Tally received;
  std::uint64_t asking = 0;  // of the frames sent: they want an answer
  std::uint64_t missed = 0;
  bool endpoints_exhausted = false;  // no client's port was free at times

  [[nodiscard]] std::uint64_t timed_out() const noexcept { return timed_out_syn + timed_out_hello + timed_out_fin; }
  // Frames that wanted an answer and got none; which of the two was lost nobody can say.
  [[nodiscard]] std::uint64_t lost() const noexcept { return timed_out(); }
  [[nodiscard]] double loss_percent() const noexcept {
    return asking == 0 ? 0 : 100.0 * static_cast<double>(lost()) / static_cast<double>(asking);
  }
};

[[nodiscard]] std::string to_text(const ConnectReport& report);
[[nodiscard]] std::string to_json(const ConnectReport& report);

}  // namespace sallyport::pktgen
