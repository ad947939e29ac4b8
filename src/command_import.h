// `sallyport import`: what other systems call policy, as one of ours.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode import_command(const ImportOptions& options);

}  // namespace sallyport
