// Requests as routes describe them, after the Gateway API's HTTPRouteMatch and GRPCRouteMatch.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

using Type = StringMatch::Type;

constexpr std::array<Choice<Type>, 3> path_types{
    {{"Exact", Type::exact}, {"PathPrefix", Type::path_prefix}, {"RegularExpression", Type::regular_expression}}};
constexpr std::array<Choice<Type>, 2> value_types{
    {{"Exact", Type::exact}, {"RegularExpression", Type::regular_expression}}};

// RFC 9110 section 5.6.2.
bool is_token(std::string_view word) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
  });
}

std::optional<std::string> token(const Item& item, Diagnostics& diagnostics) {
  auto word = text(item, diagnostics);
  if (word && !is_token(*word)) {
    report(item, diagnostics,
           fmt::format("{}: expected one word, as HTTP writes methods and header names", in_quotes(*word)));
    return std::nullopt;
  }
  return word;
}

// Methods are compared as they are written (RFC 9110 section 9.1), and those in use are in capitals.
std::optional<std::string> method_name(const Item& item, Diagnostics& diagnostics) {
  auto word = token(item, diagnostics);
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  if (!word || std::none_of(word->begin(), word->end(), is_small)) return word;
  std::string capitals = *word;
  for (char& c : capitals) c = is_small(c) ? static_cast<char>(c - 'a' + 'A') : c;
  report(item, diagnostics,
         fmt::format("{}: methods are written in capitals; did you mean {}?", in_quotes(*word), in_quotes(capitals)));
  return std::nullopt;
}

std::optional<StringMatch> read_path(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  StringMatch match{Type::path_prefix, "/"};
  table.optional("type", match.type, one_of(path_types));
  const auto value = table.find("value");
  if (!value) return match;
  auto written = filled_text(*value, diagnostics);
  if (!written) return std::nullopt;
  match.at = value->at();
  if (match.type != Type::regular_expression) {
    if (!written->starts_with('/'))
      report(*value, diagnostics, fmt::format("{}: a path starts with \"/\"", in_quotes(*written)));
    if (written->find_first_of("?#") != std::string::npos)
      report(*value, diagnostics,
             fmt::format("{}: no path holds \"?\" or \"#\"; what follows \"?\" is asked for by query_params",
                         in_quotes(*written)));
  }
  match.value = std::move(*written);
  return match;
}

template <typename ReadName>
auto named_match(ReadName read_name) {
  return [read_name](const Item& item, Diagnostics& diagnostics) -> std::optional<NamedMatch> {
    TableReader table(item, diagnostics);
    NamedMatch match;
    table.required("name", match.name, read_name);
    table.optional("type", match.match.type, one_of(value_types));
    table.required("value", match.match.value, text);
    if (const auto value = table.find("value")) match.match.at = value->at();
    return match;
  };
}

void read_grpc_method(const Item& item, HttpMatch& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("type", into.grpc_type, one_of(value_types));
  table.optional("service", into.grpc_service, filled_text);
  table.optional("method", into.grpc_method, filled_text);
  if (const auto service = table.find("service")) into.grpc_service_at = service->at();
  if (const auto method = table.find("method")) into.grpc_method_at = method->at();
  if (table.is_table() && !into.grpc_service && !into.grpc_method) {
    report(item, diagnostics, "expected a service, a method, or both");
  }
}

std::optional<HttpMatch> read_match(RouteKind kind, const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  HttpMatch match;
  match.at = item.at();
  match.key = item.path;
  table.each("headers", match.headers, named_match(token));
  if (kind == RouteKind::grpc) {
    if (const auto method = table.find("method")) read_grpc_method(*method, match, diagnostics);
    return match;
  }
  table.optional("path", match.path, read_path);
  table.optional("method", match.method, method_name);
  table.each("query_params", match.query_params, named_match(filled_text));
  return match;
}

}  // namespace

void read_http_matches(const Item& rules, RouteKind kind, std::vector<HttpMatch>& into, Diagnostics& diagnostics) {
  for (const Item& rule : elements(rules, diagnostics)) {
    const std::size_t before = into.size();
    TableReader table(rule, diagnostics);
    table.each("matches", into,
               [kind](const Item& item, Diagnostics& errors) { return read_match(kind, item, errors); });
    if (into.size() != before) continue;
    into.emplace_back();  // a rule without matches matches every request
    into.back().at = rule.at();
  }
}

}  // namespace sallyport::config
