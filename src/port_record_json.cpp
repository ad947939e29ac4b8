#include "src/port_record_json.h"

#include <iterator>

#include <fmt/compile.h>

namespace sallyport {
namespace {

using dataplane::FlowRecord;
using dataplane::RecordKind;

void append(JsonBuffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

std::uint16_t host_order(std::uint16_t network_order) noexcept { return __builtin_bswap16(network_order); }

bool towards_server(const FlowRecord& record) { return record.inside.destination_port != 0; }

void append_beginning(JsonBuffer& out, const FlowRecord& record, std::string_view event) {
  append(out, "{\"timestamp\":");
  append_json_time(out, record.written_ns);
  append(out, ",\"event_type\":");
  append_json_string(out, event);
}

// The fields of RFC 8158, port block allocation and de-allocation; nat_event as IANA numbers it.
void append_block(JsonBuffer& out, const FlowRecord& record, const classifier::Identities& identities) {
  const bool given = record.kind == RecordKind::ports_given;
  append_beginning(out, record, "nat_port_block");
  append(out, ",\"src_ip\":\"");
  append(out, to_string(record.inside.source_address()));
  append(out, "\"");
  append_source_member(out, identities.name(record.namespace_name), identities.name(record.workload));
  const std::uint16_t first = host_order(record.nat_port);
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE(",\"port_block\":{{\"action\":\"{}\",\"nat_event\":{},\"src_ip\":\"{}\","
                             "\"first_port\":{},\"last_port\":{}}}}}"),
                 given ? "allocated" : "released", given ? 16 : 17, to_string(record.nat_address), first,
                 first + record.ports - 1);
}

// The server and the protocol are left out where it is all of them.
void append_load(JsonBuffer& out, const FlowRecord& record) {
  append_beginning(out, record, "nat_ports_high");
  append(out, ",\"port_load\":{\"src_ip\":\"");
  append(out, to_string(record.nat_address));
  append(out, "\"");
  if (towards_server(record)) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(",\"dest_ip\":\"{}\",\"dest_port\":{}"),
                   to_string(record.inside.destination_address()), host_order(record.inside.destination_port));
  }
  const std::string_view protocol = protocol_text(record.inside.protocol);
  if (!protocol.empty()) fmt::format_to(std::back_inserter(out), FMT_COMPILE(",\"proto\":\"{}\""), protocol);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(",\"used\":{},\"of\":{}}}}}"), record.ports, record.ports_of);
}

}  // namespace

void append_ports(JsonBuffer& out, const FlowRecord& record, const classifier::Identities& identities) {
  if (record.kind == RecordKind::ports_running_out) {
    append_load(out, record);
  } else {
    append_block(out, record, identities);
  }
}

std::string ports_running_out_text(const FlowRecord& record) {
  std::string text = fmt::format("egress address {} runs out of ports: {} of {}", to_string(record.nat_address),
                                 record.ports, record.ports_of);
  const std::string_view protocol = protocol_text(record.inside.protocol);
  if (!protocol.empty()) text += fmt::format(" of {}", protocol);
  if (towards_server(record)) {
    text += fmt::format(" towards {} port {}", to_string(record.inside.destination_address()),
                        host_order(record.inside.destination_port));
  }
  return text + " are in use; add addresses to the egress (`sallyport show egress`)";
}

}  // namespace sallyport
