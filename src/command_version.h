// `sallyport version`, `sallyport --version`.
#pragma once

#include "src/exit_code.h"

namespace sallyport {

[[nodiscard]] ExitCode version_command();

}  // namespace sallyport
