// Files as they stand on the disk, read once, so that what was checked is what is used.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/document/parsed.h"

namespace sallyport::config {

// The whole file. `most` is its largest size in bytes. Pipes are read to their end; folders and devices are refused.
[[nodiscard]] Parsed<std::string> read_whole_file(const std::string& path, std::size_t most);

// The same for a file that a configuration names, and for whoever may not wait: regular files only.
[[nodiscard]] Parsed<std::string> read_regular_file(const std::string& path, std::size_t most);

// `name` as seen from the folder of `base_file`; absolute names stay.
[[nodiscard]] std::string beside(std::string_view base_file, std::string_view name);

}  // namespace sallyport::config
