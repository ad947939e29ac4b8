#include "src/options_grammar.h"

#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/document/suggestion.h"
#include "src/explain_words.h"

namespace sallyport {
namespace {

using Wrong = WrongOption;

// "unknown option --polcy, did you mean "--policy"?"
std::string unknown_option(const std::string& wrong, const po::options_description& known) {
  std::vector<std::string> names;
  for (const auto& option : known.options()) names.push_back("--" + option->long_name());
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return fmt::format("unknown option {}{}", wrong, config::suggestion(wrong, candidates));
}

}  // namespace

Grammar::Grammar(std::string_view name) : command(name), options("Options") {
  options.add_options()("help,h", "this text");
}

Grammar& Grammar::text(const char* name, const char* value_name, const char* help) {
  options.add_options()(name, po::value<std::string>()->value_name(value_name), help);
  return *this;
}

Grammar& Grammar::list(const char* name, const char* value_name, const char* help) {
  options.add_options()(name, po::value<Arguments>()->value_name(value_name), help);
  return *this;
}

Grammar& Grammar::words(const char* name, const char* value_name, const char* help) {
  options.add_options()(name, po::value<Arguments>()->multitoken()->value_name(value_name), help);
  return *this;
}

Grammar& Grammar::flag(const char* name, const char* help) {
  options.add_options()(name, help);
  return *this;
}

Values::Values(const Grammar& grammar, const std::vector<std::string>& arguments) : command_(grammar.command) {
  po::options_description all;
  all.add(grammar.options).add(grammar.hidden);
  all.add_options()("surplus", po::value<Arguments>());  // words that nobody asked for
  po::positional_options_description positions = grammar.positions;
  const bool is_open = positions.max_total_count() == std::numeric_limits<unsigned>::max();
  if (!is_open) positions.add("surplus", -1);
  constexpr int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(arguments).options(all).positional(positions).style(style).run(), values_);
  } catch (const po::unknown_option& e) {
    throw Wrong{fmt::format("{}: {}", command_, unknown_option(e.get_option_name(), grammar.options))};
  } catch (const po::error& e) {
    throw Wrong{fmt::format("{}: {}", command_, e.what())};
  }
  if (has("surplus")) {
    throw Wrong{
        fmt::format("{}: \"{}\": a word too many; options start with \"--\"", command_, texts("surplus").front())};
  }
}

std::string Values::text(const char* name, std::string otherwise) const {
  return has(name) ? given(name) : std::move(otherwise);
}

Arguments Values::texts(const char* name) const { return has(name) ? values_[name].as<Arguments>() : Arguments{}; }

std::string Values::required(const char* name) const {
  if (!has(name)) throw Wrong{fmt::format("{}: --{} is missing", command_, name)};
  return given(name);
}

IpAddress Values::required_address(const char* name) const {
  const std::string text = required(name);
  const std::optional<IpAddress> address = parse_address(text);
  if (!address) throw Wrong{fmt::format("{}: --{}: \"{}\" is no IPv4 or IPv6 address", command_, name, text)};
  return *address;
}

std::string Values::given(const char* name) const {
  std::string value = values_[name].as<std::string>();
  if (value.empty()) throw Wrong{fmt::format("{}: --{} is empty", command_, name)};
  return value;
}

}  // namespace sallyport
