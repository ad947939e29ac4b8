// Dotted keys nest tables without a bound in toml++, whose destructors recurse: "a.a.a.a = 1" a million letters long
// would end the process. So such keys are looked for before toml++ sees the text.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::config {

// The line, from 1, of a dotted key with more than bounds::nesting parts; 0: there is none.
//
// Looks at each line alone and at no more of TOML than strings: a string is one part of a key, so what only looks like
// a key, in a comment or in a value, is never counted longer than it is written.
[[nodiscard]] std::uint32_t find_deep_key(std::string_view text) noexcept;

}  // namespace sallyport::config
