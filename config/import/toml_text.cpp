#include "config/import/toml_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace sallyport::config {
namespace {

constexpr std::size_t widest_line = 110;

std::string pair(std::string_view key, std::string_view value) { return fmt::format("{} = {}", key, value); }

template <typename T, typename ToText>
std::vector<std::string> mapped(const std::vector<T>& values, ToText to_text) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(to_text(value));
  return texts;
}

std::string_view operator_text(SelectorTerm::Operator op) noexcept {
  switch (op) {
    case SelectorTerm::Operator::in:
      return "In";
    case SelectorTerm::Operator::not_in:
      return "NotIn";
    case SelectorTerm::Operator::exists:
      return "Exists";
    case SelectorTerm::Operator::does_not_exist:
      return "DoesNotExist";
  }
  return "";
}

std::string_view type_text(StringMatch::Type type) noexcept {
  switch (type) {
    case StringMatch::Type::exact:
      return "Exact";
    case StringMatch::Type::path_prefix:
      return "PathPrefix";
    case StringMatch::Type::regular_expression:
      return "RegularExpression";
  }
  return "";
}

std::string term_text(const SelectorTerm& term) {
  std::vector<std::string> pairs{pair("key", toml_string(term.key)),
                                 pair("operator", toml_string(operator_text(term.op)))};
  if (!term.values.empty()) {
    pairs.push_back(pair("values", fmt::format("[{}]", fmt::join(mapped(term.values, toml_string), ", "))));
  }
  return toml_inline_table(pairs);
}

std::string path_text(const StringMatch& path) {
  return toml_inline_table({pair("type", toml_string(type_text(path.type))), pair("value", toml_string(path.value))});
}

std::string named_text(const NamedMatch& named) {
  std::vector<std::string> pairs{pair("name", toml_string(named.name))};
  if (named.match.type != StringMatch::Type::exact) {
    pairs.push_back(pair("type", toml_string(type_text(named.match.type))));
  }
  pairs.push_back(pair("value", toml_string(named.match.value)));
  return toml_inline_table(pairs);
}

std::string named_list(const std::vector<NamedMatch>& list) {
  return fmt::format("[{}]", fmt::join(mapped(list, named_text), ", "));
}

std::string grpc_method_text(const HttpMatch& match) {
  std::vector<std::string> pairs;
  if (match.grpc_type != StringMatch::Type::exact)
    pairs.push_back(pair("type", toml_string(type_text(match.grpc_type))));
  if (match.grpc_service) pairs.push_back(pair("service", toml_string(*match.grpc_service)));
  if (match.grpc_method) pairs.push_back(pair("method", toml_string(*match.grpc_method)));
  return toml_inline_table(pairs);
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string toml_key(std::string_view text) {
  constexpr std::string_view bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const bool is_bare = !text.empty() && text.find_first_not_of(bare) == std::string_view::npos;
  return is_bare ? std::string(text) : toml_string(text);
}

std::string toml_array(const std::vector<std::string>& values, std::size_t indent) {
  std::size_t width = indent;
  for (const std::string& value : values) width += value.size() + 2;
  if (width > widest_line) return toml_tall_array(values, indent);
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string toml_tall_array(const std::vector<std::string>& values, std::size_t indent) {
  std::string text = "[\n";
  for (const std::string& value : values) text += fmt::format("{:{}}{},\n", "", indent + 2, value);
  return text + fmt::format("{:{}}]", "", indent);
}

std::string toml_inline_table(const std::vector<std::string>& pairs) {
  return pairs.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(pairs, ", "));
}

std::string toml_strings(const std::vector<std::string>& texts, std::size_t indent) {
  return toml_array(mapped(texts, toml_string), indent);
}

std::string toml_prefixes(const std::vector<Prefix>& prefixes, std::size_t indent) {
  return toml_array(mapped(prefixes, [](const Prefix& prefix) { return toml_string(to_string(prefix)); }), indent);
}

std::string toml_labels(const Labels& labels) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : labels) pairs.push_back(pair(toml_key(key), toml_string(value)));
  return toml_inline_table(pairs);
}

std::string toml_selector(const Selector& selector) {
  std::vector<std::string> pairs;
  if (!selector.match_labels.empty()) pairs.push_back(pair("match_labels", toml_labels(selector.match_labels)));
  if (!selector.match_expressions.empty()) {
    pairs.push_back(
        pair("match_expressions", fmt::format("[{}]", fmt::join(mapped(selector.match_expressions, term_text), ", "))));
  }
  return toml_inline_table(pairs);
}

std::string toml_block(const CidrBlock& block) {
  std::vector<std::string> pairs{pair("cidr", toml_string(to_string(block.cidr)))};
  if (!block.except.empty()) {
    const auto texts = mapped(block.except, [](const Prefix& prefix) { return toml_string(to_string(prefix)); });
    pairs.push_back(pair("except", fmt::format("[{}]", fmt::join(texts, ", "))));
  }
  return toml_inline_table(pairs);
}

std::string toml_range(const AddressRange& range) {
  if (range.first == range.last) return toml_string(to_string(range.first));
  // As a CIDR where it is one.
  for (unsigned length = address_bits(range.first.family); length-- > 0;) {
    const Prefix prefix{range.first, static_cast<std::uint8_t>(length)};
    if (prefix.last() == range.last) return toml_string(to_string(prefix));
    if (prefix.last() > range.last) break;
  }
  return toml_string(fmt::format("{}-{}", to_string(range.first), to_string(range.last)));
}

std::string toml_host(const HostPattern& pattern) {
  switch (pattern.kind) {
    case HostPattern::Kind::exact:
      return toml_string(pattern.text);
    case HostPattern::Kind::wildcard:
      return toml_string("*." + pattern.text);
    case HostPattern::Kind::apex:
      return toml_string("." + pattern.text);
    case HostPattern::Kind::regex:
      return toml_inline_table({pair("regex", toml_string(pattern.text))});
  }
  return "";
}

std::string toml_match(const HttpMatch& match, RouteKind kind) {
  std::vector<std::string> pairs;
  if (kind == RouteKind::grpc && (match.grpc_service || match.grpc_method)) {
    pairs.push_back(pair("method", grpc_method_text(match)));
  }
  if (match.path) pairs.push_back(pair("path", path_text(*match.path)));
  if (match.method) pairs.push_back(pair("method", toml_string(*match.method)));
  if (!match.headers.empty()) pairs.push_back(pair("headers", named_list(match.headers)));
  if (!match.query_params.empty()) pairs.push_back(pair("query_params", named_list(match.query_params)));
  return toml_inline_table(pairs);
}

}  // namespace sallyport::config
