// What the language already knows and this version does not enforce yet. Such a key is read, validated and then
// refused: a policy that is taken is a policy that holds. Whoever makes one of them work removes its line here.
#pragma once

#include <span>
#include <string_view>

#include "config/diagnostics.h"
#include "config/document/toml_document.h"

namespace sallyport::config {

struct NotEnforced {
  std::string_view path;         // keys from the root, joined by '.'; arrays on the way are gone through
  bool (*refused)(const Node&);  // which values
};

[[nodiscard]] std::span<const NotEnforced> policy_not_enforced() noexcept;
[[nodiscard]] std::span<const NotEnforced> appliance_not_enforced() noexcept;

// What the error of such a value says.
inline constexpr std::string_view not_enforced_message = "not enforced by this version";

// One error for each refused value of the document.
void refuse_not_enforced(const Node& root, std::span<const NotEnforced> list, Diagnostics& diagnostics);

}  // namespace sallyport::config
