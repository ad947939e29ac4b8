// What becomes of DNS that goes by: counted, never logged; docs/OPERATIONS.md says what to do about each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::dataplane {

// X(name, description)
#define SALLYPORT_DNS_EVENTS(X)                                                                               \
  X(answers_learned, "an answer of a trusted server to a query that passed here")                             \
  X(answers_unasked, "an answer of a trusted server that repeats no pending query: late, repeated or forged") \
  X(answers_malformed, "what came from a trusted server is no DNS message")                                   \
  X(answers_truncated, "says to ask again over TCP: nothing is learned of it")                                \
  X(bindings_learned, "a name was bound to an address, or bound for longer")                                  \
  X(bindings_refused, "no room for one more: names_max, or over 1024 addresses in an answer")                 \
  X(queries_forgotten, "a query gave way to a newer one before its answer came")                              \
  X(streams_lost, "a conversation over TCP is not read: midstream, out of step, or no room")                  \
  X(names_not_bound, "a flow showed a server name that is not bound to its destination: audited or denied")

enum class DnsEvent : std::uint8_t {
#define SALLYPORT_DNS_ENUMERATOR(name, description) name,
  SALLYPORT_DNS_EVENTS(SALLYPORT_DNS_ENUMERATOR)
#undef SALLYPORT_DNS_ENUMERATOR
};

#define SALLYPORT_DNS_COUNT(name, description) +1
inline constexpr std::size_t dns_event_count = 0 SALLYPORT_DNS_EVENTS(SALLYPORT_DNS_COUNT);
#undef SALLYPORT_DNS_COUNT

[[nodiscard]] std::string_view to_string(DnsEvent event) noexcept;
[[nodiscard]] std::string_view description(DnsEvent event) noexcept;

}  // namespace sallyport::dataplane
