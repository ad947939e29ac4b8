#include "config/document/toml_document.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/utf8.h"

namespace sallyport::config {
namespace {

// toml++ 3.3.0 asserts what it should check ("[^" ends the process, or worse in builds without assertions). Its
// assertions throw this instead.
struct BrokenAssumption {};
constexpr void assume(bool holds) {
  if (!holds) throw BrokenAssumption();
}

}  // namespace
}  // namespace sallyport::config

// Header-only whatever pkg-config says: the settings below would not reach the shared library.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#undef NDEBUG
#define TOML_ASSERT(expression) ::sallyport::config::assume(static_cast<bool>(expression))
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace sallyport::config {
namespace {

static_assert(TOML_MAX_NESTED_VALUES == bounds::nesting);

// The place behind the character at text[i], which stands at `at`. Moves i there; what is no UTF-8 counts as a byte.
Location behind(std::string_view text, std::size_t& i, Location at) noexcept {
  const bool line_ends = text[i] == '\n';
  i += std::max<std::size_t>(1, utf8_sequence(text.substr(i)));
  return line_ends ? Location{at.file, at.line + 1, 1} : Location{at.file, at.line, at.column + 1};
}

// Valid UTF-8 without NUL bytes, which toml++ would take in strings or report with less precision.
bool check_text(std::string_view text, std::uint32_t file, Diagnostics& diagnostics) {
  Location at{file, 1, 1};
  for (std::size_t i = 0; i < text.size(); at = behind(text, i, at)) {
    if (utf8_sequence(text.substr(i)) == 0) {
      const auto byte = static_cast<unsigned char>(text[i]);
      diagnostics.error(at, "", fmt::format("byte 0x{:02x} is not UTF-8; save the file as UTF-8", byte));
      return false;
    }
    if (text[i] == '\0') {
      diagnostics.error(at, "", "a NUL byte; a TOML file is text");
      return false;
    }
  }
  return true;
}

// Dotted keys nest tables without a bound in toml++, whose destructors recurse: "a.a.a.a = 1" a million letters long
// would end the process. This counts the parts of the longest dotted key of each line, roughly: strings count as one
// part, so what looks like a key is never longer than it is.
class DottedKeyGuard {
 public:
  // The line of a key with more than `bounds::nesting` parts; 0: none.
  [[nodiscard]] static std::uint32_t find(std::string_view text) {
    std::uint32_t line = 1;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (parts(text.substr(0, end)) > bounds::nesting) return line;
      text.remove_prefix(std::min(end + 1, text.size()));
      ++line;
    }
    return 0;
  }

 private:
  static bool is_bare(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }

  // Behind the key part, bare or quoted, at the start of `line`; 0: none starts there.
  static std::size_t part_end(std::string_view line) noexcept {
    if (line.front() == '"' || line.front() == '\'') {
      const char quote = line.front();
      std::size_t i = 1;
      while (i < line.size() && line[i] != quote) i += quote == '"' && line[i] == '\\' ? 2 : 1;
      return std::min(i + 1, line.size());
    }
    std::size_t i = 0;
    while (i < line.size() && is_bare(line[i])) ++i;
    return i;
  }

  static std::size_t parts(std::string_view line) noexcept {
    std::size_t longest = 0;
    std::size_t run = 0;
    bool dot_before = false;
    while (!line.empty()) {
      if (const std::size_t end = part_end(line); end != 0) {
        run = dot_before ? run + 1 : 1;
        longest = std::max(longest, run);
        dot_before = false;
        line.remove_prefix(end);
        continue;
      }
      if (line.front() == '.' && run != 0 && !dot_before) {
        dot_before = true;
      } else if (line.front() != ' ' && line.front() != '\t') {
        run = 0;
        dot_before = false;
      }
      line.remove_prefix(1);
    }
    return longest;
  }
};

std::optional<toml::parse_result> parse_or_stumble(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const BrokenAssumption&) {
    return std::nullopt;
  }
}

// The place where toml++ stumbles over a text: the last character of the shortest part that makes it do so. It reads
// from left to right, so that part is found by halving.
Location stumbling_block(std::string_view text, std::uint32_t file) {
  std::size_t fine = 0;
  std::size_t stumbles = text.size();
  while (stumbles - fine > 1) {
    const std::size_t middle = fine + (stumbles - fine) / 2;
    (parse_or_stumble(text.substr(0, middle)) ? fine : stumbles) = middle;
  }
  Location at{file, 1, 1};
  for (std::size_t i = 0; i + 1 < stumbles;) at = behind(text, i, at);
  return at;
}

class TreeBuilder {
 public:
  TreeBuilder(std::uint32_t file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {}

  Node build(const toml::node& source, std::size_t depth) {
    Node node{place(source.source()), DateOrTime{}};
    if (depth > 2 * bounds::nesting) {
      if (!std::exchange(too_deep_, true)) {
        diagnostics_.error(node.at, "", fmt::format("nested deeper than {} tables and arrays", 2 * bounds::nesting));
      }
      return node;
    }
    if (const auto* table = source.as_table()) {
      node.is = build_table(*table, depth);
    } else if (const auto* array = source.as_array()) {
      node.is = build_array(*array, depth);
    } else if (const auto* text = source.as_string()) {
      node.is = text->get();
    } else if (const auto* integer = source.as_integer()) {
      node.is = integer->get();
    } else if (const auto* number = source.as_floating_point()) {
      node.is = number->get();
    } else if (const auto* boolean = source.as_boolean()) {
      node.is = boolean->get();
    }
    return node;
  }

 private:
  [[nodiscard]] Location place(const toml::source_region& region) const noexcept {
    return {file_, region.begin.line, region.begin.column};
  }

  // toml++ keeps keys by name; their places bring the order of the file back.
  Table build_table(const toml::table& source, std::size_t depth) {
    Table table;
    table.entries.reserve(source.size());
    for (const auto& [key, value] : source) {
      table.entries.push_back({std::string(key.str()), place(key.source()), build(value, depth + 1)});
    }
    std::stable_sort(table.entries.begin(), table.entries.end(), [](const Entry& a, const Entry& b) {
      return std::tuple(a.at.line, a.at.column) < std::tuple(b.at.line, b.at.column);
    });
    return table;
  }

  Array build_array(const toml::array& source, std::size_t depth) {
    Array array;
    array.reserve(source.size());
    for (const auto& element : source) array.push_back(build(element, depth + 1));
    return array;
  }

  std::uint32_t file_;
  Diagnostics& diagnostics_;
  bool too_deep_ = false;
};

}  // namespace

const Entry* Table::find(std::string_view key) const noexcept {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::string_view kind_of(const Node& node) noexcept {
  constexpr std::string_view kinds[] = {"a table",    "an array",  "a string",      "an integer",
                                        "a fraction", "a boolean", "a date or time"};
  static_assert(std::size(kinds) == std::variant_size_v<decltype(Node::is)>);
  return kinds[node.is.index()];
}

std::optional<Node> parse_toml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics) {
  if (text.size() > bounds::toml_bytes) {
    diagnostics.error({file, 0, 0}, "", fmt::format("larger than {} bytes", bounds::toml_bytes));
    return std::nullopt;
  }
  if (!check_text(text, file, diagnostics)) return std::nullopt;
  if (const std::uint32_t line = DottedKeyGuard::find(text); line != 0) {
    diagnostics.error({file, line, 1}, "", fmt::format("a key of more than {} parts", bounds::nesting));
    return std::nullopt;
  }
  const auto parsed = parse_or_stumble(text);
  if (!parsed) {
    diagnostics.error(stumbling_block(text, file), "", "not TOML; unexpected here");
    return std::nullopt;
  }
  if (!*parsed) {
    const auto& place = parsed->error().source().begin;
    diagnostics.error({file, place.line, place.column}, "", std::string(parsed->error().description()));
    return std::nullopt;
  }
  const std::size_t errors = diagnostics.errors();
  Node root = TreeBuilder(file, diagnostics).build(parsed->table(), 0);
  if (diagnostics.errors() != errors) return std::nullopt;
  return root;
}

}  // namespace sallyport::config
