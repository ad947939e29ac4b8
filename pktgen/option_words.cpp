#include "pktgen/option_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "config/document/suggestion.h"

namespace sallyport::pktgen {
namespace {

const KnownOption& find(std::string_view name, std::span<const KnownOption> known) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const KnownOption& o) { return o.name == name; });
  if (found != known.end()) return *found;
  std::vector<std::string_view> names;
  for (const KnownOption& option : known) names.push_back(option.name);
  throw Wrong{fmt::format("unknown option --{}{}", name, config::suggestion(name, names))};
}

}  // namespace

OptionWords::OptionWords(std::span<const char* const> arguments, std::span<const KnownOption> known) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word == "-h") word = "--help";
    if (!word.starts_with("--")) throw Wrong{fmt::format("\"{}\": options start with \"--\"", word)};
    const std::size_t equals = word.find('=');
    const KnownOption& option = find(word.substr(2, equals == std::string_view::npos ? equals : equals - 2), known);
    std::string value;
    if (equals != std::string_view::npos) {
      if (option.value_name.empty()) throw Wrong{fmt::format("--{} takes no value", option.name)};
      value = word.substr(equals + 1);
    } else if (!option.value_name.empty()) {
      if (i + 1 == arguments.size()) throw Wrong{fmt::format("--{} wants a value", option.name)};
      value = arguments[++i];
    }
    if (!values_.emplace(option.name, value).second) throw Wrong{fmt::format("--{} is given twice", option.name)};
  }
}

std::optional<std::string> OptionWords::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  if (found->second.empty()) throw Wrong{fmt::format("--{} is empty", name)};
  return found->second;
}

std::string OptionWords::required(std::string_view name) const {
  const std::optional<std::string> value = text(name);
  if (!value) throw Wrong{fmt::format("--{} is missing", name)};
  return *value;
}

std::optional<std::uint64_t> OptionWords::number(std::string_view name, std::uint64_t least, std::uint64_t most) const {
  const std::optional<std::string> value = text(name);
  if (!value) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc{} && stopped == end && number >= least && number <= most) return number;
  throw Wrong{fmt::format("--{}: \"{}\" is no number from {} to {}", name, *value, least, most)};
}

std::optional<double> OptionWords::positive(std::string_view name) const {
  const std::optional<std::string> value = text(name);
  if (!value) return std::nullopt;
  double number = 0;
  const char* end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc{} && stopped == end && std::isfinite(number) && number > 0) return number;
  throw Wrong{fmt::format("--{}: \"{}\" is no number above 0", name, *value)};
}

std::optional<double> OptionWords::seconds(std::string_view name) const {
  constexpr double most = 1e9;
  const std::optional<double> value = positive(name);
  if (value && *value > most) throw Wrong{fmt::format("--{}: at most {:.0f} seconds, which are 31 years", name, most)};
  return value;
}

std::string help_lines(std::span<const KnownOption> known) {
  std::string lines;
  for (const KnownOption& option : known) {
    const std::string words = fmt::format("--{} {}", option.name, option.value_name);
    lines += fmt::format("  {:<26}{}\n", words, option.help);
  }
  return lines;
}

}  // namespace sallyport::pktgen
