// Lists in sentences: "a, b, c".
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

template <typename Texts>
[[nodiscard]] std::string list_text(const Texts& texts, std::string_view separator = ", ") {
  std::string list;
  for (const std::string_view text : texts) {
    if (!list.empty()) list += separator;
    list += text;
  }
  return list;
}

}  // namespace sallyport
