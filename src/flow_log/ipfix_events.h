// Flow records as IPFIX records: NAT events (RFC 8158), and firewall events (IANA element 233) of flows that have no
// translation.
//
//   a translation begins, ends     natEvent 4, 5; of IPv6, for which RFC 8158 has no number, the older 1 and 2
//   no port, no address            natEvent 12, 3          a limit              natEvent 13
//   a block of ports               natEvent 16, 17         ports run out        natEvent 18
//   a flow is denied, ends         firewallEvent 3, 2
#pragma once

#include "classifier/identities.h"
#include "config/appliance_model.h"
#include "dataplane/flow_record.h"
#include "src/flow_log/ipfix_messages.h"

namespace sallyport {

// Adds what is to be said of a record to the messages. False: nothing.
bool add_events(IpfixMessages& messages, const dataplane::FlowRecord& record, const classifier::Identities& identities,
                const config::Limits& limits);

}  // namespace sallyport
