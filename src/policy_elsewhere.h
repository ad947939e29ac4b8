// Which policy runs on another gateway, by its hash: of one fleet, all should decide alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// In what /metrics or `sallyport show policy --json` says; none: no policy is loaded there, or it says neither.
[[nodiscard]] std::optional<std::string> policy_hash_in(std::string_view text);

// Of the gateway at `where`: an address as monitor/web_client.h takes it, or "-", then the standard input has what it
// said. `token_file` empty: none. Throws dataplane::EnvironmentError.
[[nodiscard]] std::optional<std::string> policy_hash_at(const std::string& where, const std::string& token_file);

}  // namespace sallyport
