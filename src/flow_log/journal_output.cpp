#include "src/flow_log/journal_output.h"

#include <fmt/format.h>

#include "src/flow_log/record_text.h"

namespace sallyport {
namespace {

// A value may hold no line end, which begins the next field; every text that a peer or an operator wrote goes through
// one_line().
void append(std::string& entry, std::string_view field, std::string_view value) {
  if (value.empty()) return;
  entry += field;
  entry += '=';
  entry += value;
  entry += '\n';
}

void append_port(std::string& entry, std::string_view field, std::uint16_t port) {
  if (port != 0) append(entry, field, std::to_string(__builtin_bswap16(port)));
}

void append_flow(std::string& entry, const dataplane::FlowRecord& record, const classifier::Identities& identities) {
  const dataplane::FlowKey& key = record.inside;
  append(entry, "SALLYPORT_FLOW_ID", std::to_string(record.id));
  append(entry, "SALLYPORT_VERDICT", record.allowed ? "allow" : "deny");
  append(entry, "SALLYPORT_REASON", classifier::to_string(record.reason));
  append(entry, "SALLYPORT_RULE", one_line(identities.name(record.rule)));
  append(entry, "SALLYPORT_NETWORK", one_line(identities.name(record.network)));
  append(entry, "SALLYPORT_PROTOCOL", protocol_name(key.protocol));
  append_port(entry, "SALLYPORT_SOURCE_PORT", key.source_port);
  append(entry, "SALLYPORT_DESTINATION", to_string(key.destination_address()));
  append_port(entry, "SALLYPORT_DESTINATION_PORT", key.destination_port);
  append(entry, "SALLYPORT_SERVER_NAME", one_line(record.server_name()));
  append(entry, "SALLYPORT_EGRESS", one_line(identities.name(record.egress)));
}

std::string entry_of(const RecordBatch& batch, std::size_t number) {
  const dataplane::FlowRecord& record = batch.records()[number];
  const classifier::Identities& identities = batch.identities();
  const bool is_flow = record.kind == dataplane::RecordKind::flow;
  std::string entry;
  append(entry, "MESSAGE", record_text(record, identities));
  append(entry, "PRIORITY", std::to_string(static_cast<int>(severity_of(record))));
  append(entry, "SYSLOG_IDENTIFIER", "sallyport-flow");
  append(entry, "SALLYPORT_EVENT", event_of(record));
  if (is_flow) append_flow(entry, record, identities);
  if (record.kind != dataplane::RecordKind::ports_running_out)
    append(entry, "SALLYPORT_SOURCE", to_string(record.inside.source_address()));
  append(entry, "SALLYPORT_NAMESPACE", one_line(identities.name(record.namespace_name)));
  append(entry, "SALLYPORT_WORKLOAD", one_line(identities.name(record.workload)));
  if (record.translated || !is_flow) {
    append(entry, "SALLYPORT_NAT_ADDRESS", to_string(record.nat_address));
    append_port(entry, "SALLYPORT_NAT_PORT", record.nat_port);
  }
  append(entry, "SALLYPORT_RECORD", batch.line(number));
  return entry;
}

}  // namespace

JournalOutput::JournalOutput(std::string socket)
    : socket_({config::LogTarget::By::unix_socket, std::move(socket), {}, 0}) {}

std::size_t JournalOutput::write(const RecordBatch& batch) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < batch.records().size(); ++i)
    taken += !batch.line(i).empty() && socket_.send(entry_of(batch, i)) ? 1 : 0;
  return taken;
}

}  // namespace sallyport
