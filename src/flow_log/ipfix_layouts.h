// The records that are exported, as they stand in memory; ipfix_templates() says what is in them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/flow_log/ipfix_messages.h"

namespace sallyport::ipfix {

using V4 = std::uint32_t;
using V6 = std::array<std::uint8_t, 16>;

template <typename Address>
struct [[gnu::packed]] Session {
  std::uint64_t time_ms;
  std::uint8_t event;
  std::uint8_t protocol;
  Address source, outside_source, destination;
  std::uint16_t source_port, outside_source_port, destination_port;
};
struct [[gnu::packed]] Counts {
  std::uint64_t start_ms, end_ms;
  std::uint64_t octets_to_server, octets_to_client, packets_to_server, packets_to_client;
  std::uint8_t end_reason;
};
template <typename Address>
struct [[gnu::packed]] SessionEnd {
  Session<Address> session;
  Counts counts;
};
template <typename Address>
struct [[gnu::packed]] Untranslated {
  std::uint64_t time_ms;
  std::uint8_t event;
  std::uint8_t protocol;
  Address source, destination;
  std::uint16_t source_port, destination_port;
  Counts counts;
};
template <typename Address>
struct [[gnu::packed]] Block {
  std::uint64_t time_ms;
  std::uint8_t event;
  Address source, outside_source;
  std::uint16_t first, last;
};
template <typename Address>
struct [[gnu::packed]] PortsExhausted {
  std::uint64_t time_ms;
  std::uint8_t event;
  Address outside_source;
  std::uint8_t protocol;
};
template <typename Address>
struct [[gnu::packed]] QuotaOfSource {
  std::uint64_t time_ms;
  std::uint8_t event;
  std::uint32_t quota, entries_max;
  Address source;
};
template <typename Address>
struct [[gnu::packed]] Threshold {
  std::uint64_t time_ms;
  std::uint8_t event;
  std::uint32_t threshold, ports;
  Address outside_source;
};
struct [[gnu::packed]] AddressesExhausted {
  std::uint64_t time_ms;
  std::uint8_t event;
  std::uint32_t pool;
  IpfixText pool_name;
};
struct [[gnu::packed]] QuotaOfSessions {
  std::uint64_t time_ms;
  std::uint8_t event;
  std::uint32_t quota, sessions_max;
};

// The first of these are there twice, of IPv4 and then of IPv6.
enum Layout : std::uint8_t {
  session,
  session_end,
  untranslated,
  block,
  ports_exhausted,
  of_source,
  threshold,
  families
};
constexpr std::size_t addresses_exhausted = std::size_t{2} * families;
constexpr std::size_t of_sessions = addresses_exhausted + 1;

}  // namespace sallyport::ipfix

namespace sallyport {

// By Layout.
[[nodiscard]] const std::vector<IpfixTemplate>& ipfix_templates();

}  // namespace sallyport
