// `sallyport top`: a running gateway at a glance, refreshed every second.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode top_command(const TopOptions& options);

}  // namespace sallyport
