// What every command answers to the shell; the same numbers for all of them.
#pragma once

#include <cstdint>

namespace sallyport {

enum class ExitCode : std::uint8_t {
  done = 0,         // or: allowed
  no = 1,           // invalid policy, denied, refused, a check that fails
  usage = 2,        // the command line is wrong
  environment = 3,  // no device, no memory, no permission, nobody answers
};

// For all but `done` a command has written one line to stderr that says what to do about it.
[[nodiscard]] constexpr int status(ExitCode code) noexcept { return static_cast<int>(code); }

}  // namespace sallyport
