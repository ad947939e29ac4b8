// The command lines of `top`, `trace` and `capture`. They throw WrongOption.
#pragma once

#include <optional>

#include "src/options.h"
#include "src/options_grammar.h"

namespace sallyport {

[[nodiscard]] CommandLine parse_top(const Arguments& arguments);
[[nodiscard]] CommandLine parse_trace(const Arguments& arguments);
[[nodiscard]] CommandLine parse_capture(const Arguments& arguments);

// In options.cpp, which has every command's text.
[[nodiscard]] std::optional<HelpText> help_asked(const Grammar& grammar, const Values& values);

}  // namespace sallyport
