// Unicode in its byte form, RFC 3629.
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport::config {

// Bytes of the well-formed sequence that `text` starts with, 1..4; 0 where it starts with none (also: empty).
[[nodiscard]] std::size_t utf8_sequence(std::string_view text) noexcept;

}  // namespace sallyport::config
