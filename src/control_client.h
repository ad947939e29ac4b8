// Asks a running gateway over its control socket.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "src/control_protocol.h"

namespace sallyport {

// Hands every answer line to `take` (false: no more of them, please) and answers how it ended. Nobody there, or no
// permission, or no answer for `patience` (0: it is waited for): ExitCode::environment with a message that says what to
// do about it.
[[nodiscard]] End ask_gateway(const std::string& socket_path, const Request& request,
                              const std::function<bool(std::string_view)>& take,
                              std::chrono::milliseconds patience = std::chrono::milliseconds(0));
// The same with an answer that goes on until the client has had enough: `enough` is asked several times a second and
// after every line. What the gateway has said by then, and how it ended, still comes.
[[nodiscard]] End follow_gateway(const std::string& socket_path, const Request& request,
                                 const std::function<bool(std::string_view)>& take,
                                 const std::function<bool()>& enough);

}  // namespace sallyport
