// A flow record in one line for people, and how much they should mind.
#pragma once

#include <string>

#include "classifier/identities.h"
#include "dataplane/flow_record.h"

namespace sallyport {

// RFC 5424 section 6.2.1, as far as records go.
enum class Severity : int { warning = 4, notice = 5, informational = 6 };

// Denied flows are more than allowed ones, and an address that runs out of ports is more than these.
[[nodiscard]] Severity severity_of(const dataplane::FlowRecord& record) noexcept;
// "flow", "nat_port_block", "nat_ports_high": its event_type.
[[nodiscard]] std::string_view event_of(const dataplane::FlowRecord& record) noexcept;

// "10.1.2.3:443", "[2001:db8::1]:443"; the address alone where there is no port. `port` in network byte order.
[[nodiscard]] std::string endpoint_text(const IpAddress& address, std::uint16_t port);
// "TCP", or a number.
[[nodiscard]] std::string protocol_name(dataplane::IpProtocol protocol);
// One line, whatever bytes a peer sent for a name.
[[nodiscard]] std::string record_text(const dataplane::FlowRecord& record, const classifier::Identities& identities);
// Text of one line: as in JSON, without the quotes.
[[nodiscard]] std::string one_line(std::string_view bytes);

}  // namespace sallyport
