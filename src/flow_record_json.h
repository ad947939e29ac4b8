// Flow records as JSON lines, with the field names of Suricata's EVE (eve.json, "event_type":"flow").
//
// Names that peers sent stand in records as sent, valid or not, and yet every line is valid JSON and valid UTF-8:
// well-formed UTF-8 is kept, control characters, line separators and every other byte become \u00XX. Nothing here
// allocates beyond the buffer that the caller keeps, so a log of a hundred thousand records a second costs a few per
// cent of a core.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "classifier/identities.h"
#include "config/address.h"
#include "dataplane/flow_record.h"

namespace sallyport {

using JsonBuffer = fmt::memory_buffer;

// One JSON object without a line end. What is not known is left out: `app_proto` and the name's object without a name
// or protocol, `verdict.rule`, `verdict.network` and `verdict.layer` where none decided, `source` for nobody's address,
// `nat` for an untranslated flow, `nat.egress` for [snat], `flow.reason` while the flow lives, `shadow` where a shadow
// policy says the same, or there is none. A living flow that waits for its name has the action "waiting" and no
// `verdict.reason`: nothing is decided yet.
//
// Records of ports are lines of their own (port_record_json.h).
//
// Ports of ICMP echo: src_port is the identifier, dest_port 0, with icmp_type and icmp_code of the request.
void append_json(JsonBuffer& out, const dataplane::FlowRecord& record, const classifier::Identities& identities);

// "TCP", "IPv6-ICMP"; empty: it goes by its number.
[[nodiscard]] std::string_view protocol_text(dataplane::IpProtocol protocol) noexcept;

// `"verdict":{..}`, `,"source":{..}`: members as in a flow record, for whoever answers with some of them alone.
struct VerdictText {
  std::string_view action;                   // "allow", "deny", "waiting"
  std::optional<classifier::Reason> reason;  // absent: left out
  classifier::Layer layer = classifier::Layer::none;
  std::string_view rule;     // empty: left out
  std::string_view network;  // empty: left out
  bool audited = false;
};
void append_verdict_member(JsonBuffer& out, const VerdictText& verdict);
// Appends nothing where both are empty.
void append_source_member(JsonBuffer& out, std::string_view namespace_name, std::string_view workload);

// The text in quotes.
void append_json_string(JsonBuffer& out, std::string_view bytes);
// "2026-01-02T03:04:05.678901+0000" in quotes; always UTC.
void append_json_time(JsonBuffer& out, std::uint64_t since_epoch_ns);

}  // namespace sallyport
