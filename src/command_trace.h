// `sallyport trace`: follows packets of a running gateway through its stages.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode trace_command(const TraceOptions& options);

}  // namespace sallyport
