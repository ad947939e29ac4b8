#include "config/document/syntax_hint.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "config/root_keys.h"

namespace sallyport::config {
namespace {

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// The bare word behind the first '=': letters, digits, '_', '-', '.'.
std::string_view bare_value(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return {};
  line.remove_prefix(std::min(line.find_first_not_of(" \t[", equals + 1), line.size()));
  const auto* end = std::find_if(line.begin(), line.end(), [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '_' && letter != '-' && letter != '.' &&
           letter != '/' && letter != ':';
  });
  return line.substr(0, static_cast<std::size_t>(end - line.begin()));
}

bool is_truth(std::string_view word) {
  std::string small(word);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return small == "true" || small == "false" || small == "yes" || small == "no" || small == "on" || small == "off";
}

// The name in a header "[name]".
std::string_view header_name(std::string_view line) {
  const std::size_t open = line.find_first_not_of(" \t");
  if (open == std::string_view::npos || line[open] != '[') return {};
  const std::size_t close = line.find(']');
  const bool is_header = open != std::string_view::npos && close != std::string_view::npos && open + 1 < close;
  return is_header ? line.substr(open + 1, close - open - 1) : std::string_view();
}

}  // namespace

std::string syntax_hint(std::string_view text, std::uint32_t line, std::string_view description) {
  const auto says = [&](std::string_view part) { return description.find(part) != std::string_view::npos; };
  const std::string_view written = line_of(text, line);
  if (says("expected '=', saw ':'")) return "; a key and its value are joined by \"=\"";
  if (says("parsing inline table") && says("saw '\\n'")) {
    return "; a table in { } stands on one line: close it here, or write it as a [table] of its own";
  }
  if (says("cannot redefine existing")) {
    const std::string_view name = header_name(written);
    if (name.empty()) return "; it has a value above already: one of the two is to go";
    if (std::ranges::find(single_tables, name) != single_tables.end()) {
      return fmt::format("; [{}] stands above already: its keys belong there", name);
    }
    return fmt::format("; several of a kind are written [[{}]], each of them", name);
  }
  if (says("could not determine value type") || says("parsing boolean") || says("parsing floating-point") ||
      says("parsing integer")) {
    const std::string_view word = bare_value(written);
    if (is_truth(word)) return "; a truth value is true or false, in small letters";
    if (!word.empty()) return fmt::format("; a text stands in quotes: \"{}\"", word);
  }
  return {};
}

}  // namespace sallyport::config
