// Foreign text as a message shows it.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::config {

// In double quotes; control characters and bytes that are no UTF-8 as \xNN, and no more than the first 80 bytes.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace sallyport::config
