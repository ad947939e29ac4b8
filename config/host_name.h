// Host names as operators write them, in the one form that is compared: lower case, A-labels, no trailing dot.
// The door to libidn2.
#pragma once

#include <string>
#include <string_view>

#include "config/document/parsed.h"
#include "config/policy_model.h"

namespace sallyport::config {

// One trailing dot is dropped, U-labels are converted (UTS 46, non-transitional). Labels of 1 to 63 letters, digits,
// '-' and '_', 253 bytes in all (RFC 1035 section 2.3.4); an IP address is no name.
[[nodiscard]] Parsed<std::string> normalize_host_name(std::string_view text);

// "example.com", "*.example.com" or ".example.com"; `at` of the answer is left alone.
[[nodiscard]] Parsed<HostPattern> parse_host_pattern(std::string_view text);

}  // namespace sallyport::config
