// What a worker counts. Written by its worker alone, read by the control plane at any time: relaxed atomics, which on
// the worker's side are plain additions.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "classifier/decision.h"
#include "dataplane/dns_event.h"
#include "dataplane/drop.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n) noexcept { value_.store(get() - n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct PortCounters {
  Counter received_packets, received_bytes;        // frames taken from the port
  Counter transmitted_packets, transmitted_bytes;  // frames handed to the port, those made by the gateway included
};

// Packet counts are in received packets: a datagram that came in three fragments counts three wherever it ends.
// Always: received = transmitted + held + sum(drops).
struct Counters {
  Counter received;
  Counter transmitted;  // forwarded
  Counter held;         // waiting: for a name, for fragments, for a neighbour
  Counter originated;   // made by the gateway itself: resets, ICMP errors; outside the sum above
  std::array<Counter, drop_count> drops;
  std::array<PortCounters, ports_max> ports;
  Counter flows_opened, flows_allowed, flows_denied, flows_ended;
  Counter flows_live, held_bytes;
  Counter names_seen, names_not_stored;
  // New flows that the shadow policy was asked about, and of these: denied but for it, allowed but for it, denied
  // before they could show the name that it wants.
  Counter shadow_decided, shadow_allows, shadow_denies, shadow_needs_name;
  std::array<Counter, classifier::reason_count> denied_by_reason;
  std::array<Counter, dns_event_count> dns;

  void note(DnsEvent event) noexcept { dns[static_cast<std::size_t>(event)].add(); }
};

}  // namespace sallyport::dataplane
