// From a place in a document back to its key path. Checks over a whole model know where a value stands but not what
// it is called there; the few that complain are looked up together, in one walk.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/document/toml_document.h"

namespace sallyport::config {

// Adds the found diagnostics to `into`, each with the key path of the value that stands at its location. Where several
// stand there (a table and its first element), the innermost counts; where none does (a list file), the path is empty.
void append_with_key_paths(const Diagnostics& found, std::span<const Node> roots, Diagnostics& into);

}  // namespace sallyport::config
