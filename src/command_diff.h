// sallyport explain --diff: which recorded flows another policy would decide otherwise.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode diff_command(const DiffOptions& options);

}  // namespace sallyport
