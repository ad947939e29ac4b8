// YAML text as a tree of our own. The only door to yaml-cpp, which stands behind yaml_document.cpp.
//
// Every node knows its place. Keys keep their order in the file; a key that stands twice in one mapping is refused, as
// the API server refuses it. Aliases are expanded, and what they expand to counts: no file makes more nodes than the
// bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"

namespace sallyport::config {

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  bool quoted = false;  // a scalar that is text whatever it looks like
  Location at;
  std::string text;                // of a scalar
  std::vector<YamlNode> items;     // of a sequence
  std::vector<YamlEntry> entries;  // of a mapping

  // Null: no mapping, no such key.
  [[nodiscard]] const YamlNode* find(std::string_view key) const noexcept;
};

struct YamlEntry {
  std::string key;
  Location at;  // of the key
  YamlNode value;
};

// The documents of a text, in their order. Absent when it is no YAML or goes over a bound; the place and the reason are
// added to `diagnostics` then. `file` goes into the locations.
[[nodiscard]] std::optional<std::vector<YamlNode>> parse_yaml(std::string_view text, std::uint32_t file,
                                                              Diagnostics& diagnostics);

// "a mapping", "a list", ...
[[nodiscard]] std::string_view kind_of(const YamlNode& node) noexcept;

}  // namespace sallyport::config
