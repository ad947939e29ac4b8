// `sallyport check`: is this configuration, is this policy valid, and if not, everything that is wrong with it.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode check_command(const CheckOptions& options);

}  // namespace sallyport
