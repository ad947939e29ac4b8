// A packet as somebody who looks on sees it: read, found in the tables, and not touched.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {

// Where the gateway has it: as it came in by a port, as it leaves by one, or anywhere between.
enum class Seen : std::uint8_t { received, sent, ended };

// What the client's own address and port stand as.
enum class Form : std::uint8_t {
  as_client,    // themselves
  source,       // the packet's source is the translation
  destination,  // its destination is
};

struct Sight {
  // Offsets are from Packet::data, also of the inner packet of a tunnel.
  Parsed parsed;
  std::uint32_t ip_bytes = 0;  // from parsed.l3_offset on; 0: no IP packet
  bool sound = false;          // all of `parsed` is true; else only where the IP header is
  bool from_inside = false;    // on its way to a server
  FlowNumber flow = 0;         // 0: none that this worker knows
  Verdict verdict = Verdict::waiting;
  Form form = Form::as_client;  // with a flow
  FlowKey inside;               // of the flow: as its client knows it
};

}  // namespace sallyport::dataplane
