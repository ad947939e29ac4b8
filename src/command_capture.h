// `sallyport capture`: packets of a running gateway as pcapng, what became of each beside it as its comment.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode capture_command(const CaptureOptions& options);

}  // namespace sallyport
