// What replication counts; plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

struct ReplicationStatus {
  enum class Role : std::uint8_t {
    off,        // not configured
    writing,    // this gateway is active and tells the other one
    following,  // it stands by and hears
  };

  Role role = Role::off;
  bool connected = false;
  std::string problem;  // empty: none
  std::uint64_t connects = 0;
  std::uint64_t flows_sent = 0, ends_sent = 0;  // each flow as often as it was told of
  std::uint64_t flows_received = 0, ends_received = 0;
  std::uint64_t refused = 0;      // flows that were received and found no place, or entries that cannot be read
  std::uint64_t lost_queued = 0;  // changes that found a worker's queue full
  std::uint64_t lost_away = 0;    // changes that the log did not take
  std::uint64_t whole_ms = 0;     // how long it took to tell of all open flows, the last time
  std::uint64_t lag_ms = 0;       // following: how old the latest is that was heard, by the clocks of both
};

[[nodiscard]] std::string_view to_string(ReplicationStatus::Role role);
// For those who read `sallyport ha status`.
[[nodiscard]] std::string to_text(const ReplicationStatus& status);

}  // namespace sallyport
