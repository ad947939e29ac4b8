// A sighting as a line of JSON: what `trace` and `capture` are told over the control socket.
//
//   {"timestamp":..,"event_type":"trace","worker":0,"direction":"to_server",
//    "received":{"port":"inside","proto":"TCP","src_ip":..,"src_port":..,"dest_ip":..,"dest_port":..,"tcp_flags":"S",
//                "length":74},
//    "flow":{"before":"none","after":"denied"},
//    "record":{..},                                        the flow's, as in the flow log (flow_record_json.h)
//    "decided_at":{"file":"policy.toml","line":12},        the rule's place
//    "steps":[{"what":..,"result":..,"file":..,"line":..}],  as of `explain`, where the flow was opened or is denied
//    "sent":[{"port":"inside",..,"by_gateway":true}],
//    "outcome":"ended","reasons":{"policy_denied":1}}
//
// Frames carry their bytes in hexadecimal, "bytes", as far as the tap captured any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/io/gateway.h"
#include "dataplane/tap/sighting.h"
#include "src/flow_outcome.h"
#include "src/reload.h"

namespace sallyport {

// What the numbers in a sighting mean.
struct SightingNames {
  std::vector<std::string> ports;          // by PortIndex
  std::shared_ptr<const LivePolicy> live;  // taken after the sighting was
  const ApplianceView& appliance;
};

[[nodiscard]] std::string to_json(const dataplane::Sighting& sighting, const SightingNames& names);

}  // namespace sallyport
