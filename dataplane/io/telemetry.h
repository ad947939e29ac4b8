// The gateway's counters on DPDK's own telemetry socket, for dpdk-telemetry.py and what is built on it:
//
//   /sallyport/reasons    received, transmitted, held, originated, and each drop reason
//   /sallyport/flows      flows opened, allowed, denied by reason, live; what the shadow policy says otherwise
//   /sallyport/workers    of each worker: packets, flows, load
//   /sallyport/ports      of each port: packets and bytes both ways, and what was lost where
//   /sallyport/policy     generation and hash of the policy that runs
#pragma once

namespace sallyport::dataplane {

class Gateway;

// From now on the commands speak of this gateway; null: they answer that there is none. A command cannot be taken back.
// Call after the environment stands, and with null before the gateway goes.
void serve_telemetry(const Gateway* gateway);

}  // namespace sallyport::dataplane
