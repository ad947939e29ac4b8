// Follows packets for a client of the control socket, until it has had enough: a line that names the ports, then one a
// packet (sighting_json.h). The tap lives as long as the client's connection.
#pragma once

#include "dataplane/io/gateway.h"
#include "src/control_protocol.h"
#include "src/control_server.h"
#include "src/flow_outcome.h"
#include "src/reload.h"

namespace sallyport {

[[nodiscard]] End answer_tap(dataplane::Gateway& gateway, const Reloader& reloader, const ApplianceView& appliance,
                             const TapRequest& request, AnswerLines& lines);

}  // namespace sallyport
