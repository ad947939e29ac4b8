// Which gateway a command asks, and what it tells of the end of the answer.
#pragma once

#include <string>

#include "src/control_protocol.h"
#include "src/exit_code.h"

namespace sallyport {

// The socket to ask: the one that is named, else that of the configuration, else the default one. Empty: the
// configuration is refused, which has been told.
[[nodiscard]] std::string socket_of(const std::string& config, const std::string& socket, ExitCode& refused);
// On stderr, unless all went well.
ExitCode tell(const End& end);

}  // namespace sallyport
