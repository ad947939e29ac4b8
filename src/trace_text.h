// A sighting (sighting_json.h) for people: a block of lines, a stage each, or one line beside a packet of a capture.
#pragma once

#include <string>
#include <string_view>

#include "src/json_values.h"
#include "src/terminal.h"

namespace sallyport {

// "08:12:03.123456 TCP 10.1.2.3:41000 > 198.51.100.7:443 [S] 74 bytes, in by inside" and what became of it.
[[nodiscard]] std::string trace_text(const Json& sighting, const Style& style);
// "ended: policy_denied; deny (network_default) in ns/all, policy.toml:12"
[[nodiscard]] std::string trace_comment(const Json& sighting);

}  // namespace sallyport
