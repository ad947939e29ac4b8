// `sallyport show` and `sallyport reload`: the commands that talk to a running gateway.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode show_command(ShowOptions options);
// Waits for the result; refused: ExitCode::no.
[[nodiscard]] ExitCode reload_command(const ReloadOptions& options);

}  // namespace sallyport
