// What was probably meant where a text is no TOML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::config {

// "; a text stands in quotes", by what the parser says and the line that it points to (from 1). Empty: nothing comes to
// mind.
[[nodiscard]] std::string syntax_hint(std::string_view text, std::uint32_t line, std::string_view description);

}  // namespace sallyport::config
