// TOML text as a tree of our own. The only door to toml++, which stands behind toml_document.cpp.
//
// Every node knows its place. Keys keep their order in the file. Columns count characters, not bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/diagnostics.h"

namespace sallyport::config {

struct Node;
struct Entry;

using Array = std::vector<Node>;

struct Table {
  std::vector<Entry> entries;                                            // in file order
  [[nodiscard]] const Entry* find(std::string_view key) const noexcept;  // null: not there
};

struct DateOrTime {};  // no key of ours takes one

struct Node {
  Location at;
  std::variant<Table, Array, std::string, std::int64_t, double, bool, DateOrTime> is;
};

struct Entry {
  std::string key;
  Location at;  // of the key; for [a.b] the place of the word in the brackets
  Node value;
};

// "a table", "an array", "a string", ...
[[nodiscard]] std::string_view kind_of(const Node& node) noexcept;

// The table at the root. Absent when the text is not UTF-8, holds a NUL byte, is not TOML, or goes over a bound; the
// place and the reason are added to `diagnostics` then. `file` goes into the locations.
[[nodiscard]] std::optional<Node> parse_toml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics);

}  // namespace sallyport::config
