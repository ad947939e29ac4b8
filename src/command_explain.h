// `sallyport explain`: what would the gateway do with this flow, and why.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode explain_command(const ExplainOptions& options);

}  // namespace sallyport
