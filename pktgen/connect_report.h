// What a run of `connect` measured. Every connection attempted ends in one of: closed, reset, timed out.
#pragma once

#include <cstdint>
#include <string>

#include "pktgen/latency.h"
#include "pktgen/report.h"

namespace sallyport::pktgen {

struct ConnectReport {
  double seconds = 0;  // of opening
  std::uint64_t attempted = 0;
  std::uint64_t established = 0;      // SYN-ACK came
  std::uint64_t answered = 0;         // the hello was answered
  std::uint64_t closed = 0;           // FIN was answered
  std::uint64_t reset = 0;            // denied, or lost by whoever is between
  std::uint64_t reset_when_open = 0;  // of these
  std::uint64_t timed_out_syn = 0;    // no answer to it
  std::uint64_t timed_out_hello = 0;
  std::uint64_t timed_out_fin = 0;
  std::uint64_t open = 0;
  std::uint64_t open_most = 0;  // at once
  std::uint64_t overrun = 0;    // segments that came in faster than they could be answered, and were thrown away
  Latency handshake;            // nanoseconds from SYN to SYN-ACK
  Latency hello;                // from the hello's last segment to the first byte of its answer
  Tally sent;                   // frames, of the clients alone
  Tally received;
  std::uint64_t missed = 0;

  [[nodiscard]] std::uint64_t timed_out() const noexcept { return timed_out_syn + timed_out_hello + timed_out_fin; }
};

[[nodiscard]] std::string to_text(const ConnectReport& report);
[[nodiscard]] std::string to_json(const ConnectReport& report);

}  // namespace sallyport::pktgen
