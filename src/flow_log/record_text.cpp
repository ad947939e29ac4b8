#include "src/flow_log/record_text.h"

#include <fmt/format.h>

#include "src/flow_record_json.h"
#include "src/port_record_json.h"

namespace sallyport {
namespace {

using dataplane::FlowRecord;
using dataplane::RecordKind;

std::string block_text(const FlowRecord& record) {
  const unsigned first = __builtin_bswap16(record.nat_port);
  return fmt::format("{} {} ports {}-{} of {}", to_string(record.inside.source_address()),
                     record.kind == RecordKind::ports_given ? "has" : "gave back", first, first + record.ports - 1,
                     to_string(record.nat_address));
}

std::string flow_text(const FlowRecord& record, const classifier::Identities& identities) {
  const dataplane::FlowKey& key = record.inside;
  std::string text = fmt::format(
      "{} {} -> {} {}", record.allowed ? "allow" : "deny", endpoint_text(key.source_address(), key.source_port),
      endpoint_text(key.destination_address(), key.destination_port), protocol_name(key.protocol));
  if (record.name_length != 0) text += " " + one_line(record.server_name());
  text += fmt::format(": {}", classifier::to_string(record.reason));
  if (record.rule != 0) return text + fmt::format(" by {}", identities.name(record.rule));
  return record.network != 0 ? text + fmt::format(" in {}", identities.name(record.network)) : text;
}

}  // namespace

Severity severity_of(const FlowRecord& record) noexcept {
  if (record.kind == RecordKind::ports_running_out) return Severity::warning;
  return record.kind == RecordKind::flow && !record.allowed ? Severity::notice : Severity::informational;
}

std::string_view event_of(const FlowRecord& record) noexcept {
  if (record.kind == RecordKind::flow) return "flow";
  return record.kind == RecordKind::ports_running_out ? "nat_ports_high" : "nat_port_block";
}

std::string endpoint_text(const IpAddress& address, std::uint16_t port) {
  if (port == 0) return to_string(address);
  return fmt::format(fmt::runtime(address.family == Family::v6 ? "[{}]:{}" : "{}:{}"), to_string(address),
                     __builtin_bswap16(port));
}

std::string protocol_name(dataplane::IpProtocol protocol) {
  const std::string_view name = protocol_text(protocol);
  return name.empty() ? fmt::format("protocol {}", static_cast<unsigned>(protocol)) : std::string(name);
}

std::string record_text(const FlowRecord& record, const classifier::Identities& identities) {
  if (record.kind == RecordKind::flow) return flow_text(record, identities);
  return record.kind == RecordKind::ports_running_out ? ports_running_out_text(record) : block_text(record);
}

std::string one_line(std::string_view bytes) {
  JsonBuffer quoted;
  append_json_string(quoted, bytes);
  return {quoted.data() + 1, quoted.size() - 2};
}

}  // namespace sallyport
