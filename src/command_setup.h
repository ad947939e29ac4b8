// `sallyport setup`: from a machine to a first gateway. Lists the ports that there are, hands one to vfio-pci after
// asking, reserves huge pages, and writes a first sallyport.toml.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

ExitCode setup_command(const SetupOptions& options);

}  // namespace sallyport
