#include "src/flow_log/ipfix_events.h"

#include <string>
#include <type_traits>

#include "src/flow_log/ipfix_layouts.h"

namespace sallyport {
namespace {

using namespace ipfix;
using dataplane::FlowEnd;
using dataplane::FlowRecord;
using dataplane::RecordKind;

// natEvent (element 230).
enum class NatEvent : std::uint8_t {
  translation_create = 1,
  translation_delete = 2,
  addresses_exhausted = 3,
  nat44_create = 4,
  nat44_delete = 5,
  ports_exhausted = 12,
  quota_exceeded = 13,
  block_allocated = 16,
  block_released = 17,
  threshold_reached = 18
};
// firewallEvent (element 233).
enum class FirewallEvent : std::uint8_t { deleted = 2, denied = 3 };
// natQuotaExceededEvent (466), natThresholdEvent (467).
constexpr std::uint32_t quota_of_sessions = 1;
constexpr std::uint32_t quota_of_source = 3;
constexpr std::uint32_t threshold_of_ports = 3;

// flowEndReason (element 136).
std::uint8_t end_reason(FlowEnd end) {
  switch (end) {
    case FlowEnd::timeout:
      return 1;
    case FlowEnd::fin:
    case FlowEnd::rst:
    case FlowEnd::replaced:
      return 3;
    case FlowEnd::denied:
    case FlowEnd::shutdown:
    case FlowEnd::none:
      break;
  }
  return 4;  // forced
}

template <typename Address>
Address address_of(const IpAddress& address) {
  if constexpr (std::is_same_v<Address, V4>) {
    return address.to_v4();
  } else {
    return address.bytes;
  }
}

std::uint64_t milliseconds(std::uint64_t ns) { return ns / 1'000'000; }
std::uint16_t host_order(std::uint16_t port) { return __builtin_bswap16(port); }
std::uint8_t number(NatEvent event) { return static_cast<std::uint8_t>(event); }

Counts counts_of(const FlowRecord& record) {
  return {milliseconds(record.start_ns),
          milliseconds(record.end_ns),
          record.bytes[0],
          record.bytes[1],
          record.packets[0],
          record.packets[1],
          end_reason(record.end)};
}

// Of one family.
template <typename Address>
class Events {
 public:
  Events(IpfixMessages& messages, const FlowRecord& record) : messages_(messages), record_(record) {}

  bool translation_begun() const {
    return add(session, session_with(is_v4 ? NatEvent::nat44_create : NatEvent::translation_create));
  }

  bool flow() const {
    if (!record_.translated) return untranslated_flow();
    const NatEvent event = is_v4 ? NatEvent::nat44_delete : NatEvent::translation_delete;
    return add(session_end, SessionEnd<Address>{session_with(event), counts_of(record_)});
  }

  bool port_block() const {
    const bool given = record_.kind == RecordKind::ports_given;
    const std::uint16_t first = host_order(record_.nat_port);
    return add(block,
               Block<Address>{time(), number(given ? NatEvent::block_allocated : NatEvent::block_released), source(),
                              outside_source(), first, static_cast<std::uint16_t>(first + record_.ports - 1)});
  }

  bool no_port() const {
    return add(ports_exhausted,
               PortsExhausted<Address>{time(), number(NatEvent::ports_exhausted), outside_source(), protocol()});
  }

  bool source_limit(std::uint32_t entries_max) const {
    return add(of_source, QuotaOfSource<Address>{time(), number(NatEvent::quota_exceeded), quota_of_source, entries_max,
                                                 source()});
  }

  bool running_out() const {
    return add(threshold, Threshold<Address>{time(), number(NatEvent::threshold_reached), threshold_of_ports,
                                             record_.ports, outside_source()});
  }

 private:
  static constexpr bool is_v4 = std::is_same_v<Address, V4>;

  template <typename Record>
  bool add(Layout layout, const Record& record) const {
    return messages_.add(layout + (is_v4 ? 0 : families), record);
  }

  [[nodiscard]] std::uint64_t time() const { return milliseconds(record_.written_ns); }
  [[nodiscard]] std::uint8_t protocol() const { return static_cast<std::uint8_t>(record_.inside.protocol); }
  [[nodiscard]] Address source() const { return address_of<Address>(record_.inside.source_address()); }
  [[nodiscard]] Address destination() const { return address_of<Address>(record_.inside.destination_address()); }
  [[nodiscard]] Address outside_source() const { return address_of<Address>(record_.nat_address); }

  [[nodiscard]] Session<Address> session_with(NatEvent event) const {
    return {time(),
            number(event),
            protocol(),
            source(),
            outside_source(),
            destination(),
            host_order(record_.inside.source_port),
            host_order(record_.nat_port),
            host_order(record_.inside.destination_port)};
  }

  bool untranslated_flow() const {
    const FirewallEvent event = record_.allowed ? FirewallEvent::deleted : FirewallEvent::denied;
    return add(untranslated, Untranslated<Address>{time(), static_cast<std::uint8_t>(event), protocol(), source(),
                                                   destination(), host_order(record_.inside.source_port),
                                                   host_order(record_.inside.destination_port), counts_of(record_)});
  }

  IpfixMessages& messages_;
  const FlowRecord& record_;
};

// Why a flow was denied, where RFC 8158 has an event for it.
template <typename Address>
bool add_refusal(IpfixMessages& messages, const FlowRecord& record, const classifier::Identities& identities,
                 const config::Limits& limits) {
  const std::uint64_t time = milliseconds(record.written_ns);
  switch (record.reason) {
    case classifier::Reason::no_egress_address: {
      const std::string& name = identities.name(record.egress);
      return messages.add(
          addresses_exhausted,
          AddressesExhausted{time, number(NatEvent::addresses_exhausted), record.egress, {name.size(), name.data()}});
    }
    case classifier::Reason::flows_exhausted:
      return messages.add(of_sessions,
                          QuotaOfSessions{time, number(NatEvent::quota_exceeded), quota_of_sessions, limits.flows});
    case classifier::Reason::source_limit:
      return Events<Address>(messages, record).source_limit(limits.flows_per_source);
    default:
      return false;
  }
}

template <typename Address>
bool add_events_of(IpfixMessages& messages, const FlowRecord& record, const classifier::Identities& identities,
                   const config::Limits& limits) {
  const Events<Address> events(messages, record);
  switch (record.kind) {
    case RecordKind::translation_begun:
      return events.translation_begun();
    case RecordKind::ports_given:
    case RecordKind::ports_taken_back:
      return events.port_block();
    case RecordKind::ports_running_out:
      return events.running_out();
    case RecordKind::ports_exhausted:
      return events.no_port();
    case RecordKind::flow:
      break;
  }
  // A restart does not end it: its translation goes on.
  if (record.end == FlowEnd::shutdown) return false;
  const bool why = !record.allowed && add_refusal<Address>(messages, record, identities, limits);
  return events.flow() || why;
}

}  // namespace

bool add_events(IpfixMessages& messages, const FlowRecord& record, const classifier::Identities& identities,
                const config::Limits& limits) {
  return record.inside.family == Family::v4 ? add_events_of<V4>(messages, record, identities, limits)
                                            : add_events_of<V6>(messages, record, identities, limits);
}

}  // namespace sallyport
