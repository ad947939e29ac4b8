// `sallyport run`: the gateway itself, from its files to its end.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

// Returns when a signal has ended it.
[[nodiscard]] ExitCode run_command(const RunOptions& options);

}  // namespace sallyport
