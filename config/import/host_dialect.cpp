#include "config/import/host_dialect.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/host_name.h"

namespace sallyport::config {
namespace {

using Rewritten = Parsed<RewrittenHost>;
using Kind = HostPattern::Kind;

// One character of a label.
constexpr std::string_view label_letter = "[a-z0-9_-]";

Rewritten everything() { return RewrittenHost{true, {}}; }

Rewritten not_of(std::string_view text, std::string_view why) {
  return Rewritten::failure(fmt::format("{}: {}", in_quotes(text), why));
}

Rewritten pattern_of(Kind kind, std::string_view name) {
  auto normalized = normalize_host_name(name);
  if (!normalized) return Rewritten::failure(normalized.error);
  return RewrittenHost{false, {kind, std::move(*normalized.value), {}}};
}

// A pattern with stars as a regular expression; each star stands for `star`. The text around the stars has to be what a
// name can hold, so the name is checked with letters in their place.
Rewritten starred(std::string_view text, std::string_view star) {
  std::string sample;
  std::string regex;
  for (const char c : text) sample += c == '*' ? 'x' : c;
  const auto normalized = normalize_host_name(sample);
  if (!normalized) return Rewritten::failure(fmt::format("{}: {}", in_quotes(text), normalized.error));
  if ((*normalized).size() + (text.ends_with('.') ? 1 : 0) != text.size()) {
    return not_of(text, "stars and letters that are not ASCII do not go together");
  }
  for (std::size_t i = 0; i < (*normalized).size(); ++i) {
    if (text[i] == '*') {
      regex += star;
    } else if ((*normalized)[i] == '.') {
      regex += "\\.";
    } else {
      regex += (*normalized)[i];
    }
  }
  return RewrittenHost{false, {Kind::regex, std::move(regex), {}}};
}

bool has_star(std::string_view text) noexcept { return text.find('*') != std::string_view::npos; }

Rewritten of_gateway_api(std::string_view text) {
  if (text.starts_with("*.")) return pattern_of(Kind::wildcard, text.substr(2));
  return pattern_of(Kind::exact, text);
}

// "*", "name", "*.name", each perhaps behind "namespace/", which chooses VirtualServices and says nothing of the name.
Rewritten of_istio(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  return name == "*" ? everything() : of_gateway_api(name);
}

Rewritten of_one_label(std::string_view text) {
  if (!text.starts_with("*.")) return pattern_of(Kind::exact, text);
  if (has_star(text.substr(2))) return not_of(text, "a star stands as the whole first label only");
  return starred(text, fmt::format("{}+", label_letter));
}

Rewritten of_cilium(std::string_view text) {
  if (text == "*") return everything();
  if (!has_star(text)) return pattern_of(Kind::exact, text);
  if (text.starts_with("**.") && !has_star(text.substr(3))) return pattern_of(Kind::wildcard, text.substr(3));
  if (text.find("**") != std::string_view::npos) {
    return not_of(text, "\"**\" stands as the whole first label only");
  }
  return starred(text, fmt::format("{}*", label_letter));
}

Rewritten of_antrea(std::string_view text) {
  if (text == "*") return everything();
  if (!has_star(text)) return pattern_of(Kind::exact, text);
  if (text.starts_with("*.") && !has_star(text.substr(2))) return pattern_of(Kind::wildcard, text.substr(2));
  return starred(text, ".*");
}

Rewritten of_aws(std::string_view text) {
  if (text.starts_with('.')) return pattern_of(Kind::apex, text.substr(1));
  return pattern_of(Kind::exact, text);
}

}  // namespace

Rewritten rewrite_host(HostDialect dialect, std::string_view text) {
  switch (dialect) {
    case HostDialect::gateway_api:
      return of_gateway_api(text);
    case HostDialect::istio:
      return of_istio(text);
    case HostDialect::one_label:
      return of_one_label(text);
    case HostDialect::cilium:
      return of_cilium(text);
    case HostDialect::antrea:
      return of_antrea(text);
    case HostDialect::aws:
      return of_aws(text);
  }
  return everything();
}

}  // namespace sallyport::config
