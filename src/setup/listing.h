// What setup shows of a machine: for people as a table, for programs as one JSON object.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "src/setup/huge_pages.h"
#include "src/setup/port_list.h"

namespace sallyport::setup {

[[nodiscard]] std::string listing_text(const std::vector<Port>& ports, const std::vector<HugePages>& pages);
[[nodiscard]] nlohmann::json listing_json(const std::vector<Port>& ports, const std::vector<HugePages>& pages);

}  // namespace sallyport::setup
