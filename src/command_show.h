// `sallyport show`, `reload` and `ha`: the commands that talk to a running gateway.
#pragma once

#include "src/exit_code.h"
#include "src/options.h"

namespace sallyport {

[[nodiscard]] ExitCode show_command(ShowOptions options);
// Waits for the result; refused: ExitCode::no.
[[nodiscard]] ExitCode reload_command(const ReloadOptions& options);

// A gateway that does not answer in good time is an error of the environment.
[[nodiscard]] ExitCode ha_command(const HaOptions& options);

}  // namespace sallyport
