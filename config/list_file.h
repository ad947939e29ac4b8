// Long lists beside the policy: one entry a line, '#' starts a comment, blank lines count for nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/document/parsed.h"
#include "config/policy_model.h"

namespace sallyport::config {

// A CIDR or a single address a line. Lines that are wrong are reported and left out.
void read_prefix_list(std::string_view text, std::uint32_t file, std::vector<LocatedPrefix>& into,
                      Diagnostics& diagnostics);

// Names in any of three forms, which may be mixed: "name", "*.name", and those of a hosts file, "0.0.0.0 name name".
// "*.name" means the name and all below it, so it is an error where the set is matched exactly.
void read_name_list(std::string_view text, std::uint32_t file, DomainSet::Match match, std::vector<std::string>& into,
                    Diagnostics& diagnostics);

// One name of a set, "name" or "*.name".
[[nodiscard]] Parsed<std::string> parse_set_name(std::string_view text, DomainSet::Match match);

}  // namespace sallyport::config
