// Records of ports: blocks of them that an inside address has from now on or no more, and egress addresses that run
// out.
#pragma once

#include <string>

#include "classifier/identities.h"
#include "dataplane/flow_record.h"
#include "src/flow_record_json.h"

namespace sallyport {

// One JSON object without a line end: "event_type":"nat_port_block" or "nat_ports_high".
void append_ports(JsonBuffer& out, const dataplane::FlowRecord& record, const classifier::Identities& identities);
// What an operator is told of an address that runs out.
[[nodiscard]] std::string ports_running_out_text(const dataplane::FlowRecord& record);

}  // namespace sallyport
