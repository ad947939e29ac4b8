// Query: what the policy is asked about a flow.
#pragma once

#include "classifier/decision.h"
#include "dataplane/flow/flow_key.h"

namespace sallyport::dataplane {

// `inside`: from the client to the server.
[[nodiscard]] classifier::FlowQuery query_of(const FlowKey& inside) noexcept;

}  // namespace sallyport::dataplane
