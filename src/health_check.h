// The health of the gateway that runs.
#pragma once

#include "dataplane/io/gateway.h"
#include "src/health.h"
#include "src/reload.h"

namespace sallyport {

// Takes a millisecond, or half a second where a worker stands still.
[[nodiscard]] Health health_of(const dataplane::Gateway& gateway, const LivePolicy& live);

}  // namespace sallyport
