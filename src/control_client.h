// Asks a running gateway over its control socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "src/control_protocol.h"

namespace sallyport {

// Hands every answer line to `take` (false: no more of them, please) and answers how it ended. Nobody there, or no
// permission: ExitCode::environment with a message that says what to do about it.
[[nodiscard]] End ask_gateway(const std::string& socket_path, const Request& request,
                              const std::function<bool(std::string_view)>& take);

}  // namespace sallyport
