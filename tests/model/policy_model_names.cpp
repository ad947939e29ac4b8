// Host names as the oracle understands them.
#include <algorithm>
#include <regex>

#include "policy_model_oracle.h"

namespace sallyport::model {

namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_below(const std::string& name, const std::string& parent) { return ends_with(name, "." + parent); }

}  // namespace

std::optional<std::string> comparable_name(const std::string& shown) {
  std::string name = shown;
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (name.empty() || name.size() > 253) return std::nullopt;
  for (char& letter : name)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  static const std::regex valid("([a-z0-9_-]{1,63}\\.)*[a-z0-9_-]{1,63}");
  static const std::regex dotted_quad("[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+");
  if (!std::regex_match(name, valid) || std::regex_match(name, dotted_quad)) return std::nullopt;
  return name;
}

bool is_bound(const std::string& pattern, const Question& question) {
  for (const auto& [name, address] : question.said) {
    if (address != question.destination) continue;
    if (name == pattern) return true;
    if (pattern.starts_with("*.") && is_below(name, pattern.substr(2))) return true;
    if (pattern.starts_with(".") && (name == pattern.substr(1) || is_below(name, pattern.substr(1)))) return true;
  }
  return false;
}

// Rank: 0 exact, 1 suffix, 2 regex, 3 no host names; then the longer; then deny; then the place in the file.
void Oracle::add_takers(const config::Route& route, const std::string& name, std::vector<Taker>& takers) const {
  const std::int64_t deny = route.action == config::RouteAction::deny ? 0 : 1;
  const auto take = [&](std::int64_t kind, std::size_t length) {
    takers.push_back({&route, {kind, -static_cast<std::int64_t>(length), deny, place(route)}});
  };
  if (route.hostnames.empty() && route.hostname_sets.empty()) take(3, 0);
  if (name.empty()) return;
  for (const config::HostPattern& pattern : route.hostnames) {
    using Kind = config::HostPattern::Kind;
    const std::string& text = pattern.text;
    if (pattern.kind == Kind::exact && name == text) take(0, text.size());
    if (pattern.kind == Kind::wildcard && is_below(name, text)) take(1, text.size());
    if (pattern.kind == Kind::apex && (name == text || is_below(name, text))) take(1, text.size());
    if (pattern.kind == Kind::regex && std::regex_match(name, std::regex(text, std::regex::icase))) take(2, 0);
  }
  for (const std::string& set_name : route.hostname_sets)
    for (const config::DomainSet& set : model_.domain_sets) {
      if (set.name != set_name) continue;
      const bool subdomains = set.match == config::DomainSet::Match::subdomains;
      for (const std::string& text : set.names) {
        if (!subdomains && name == text) take(0, text.size());
        if (subdomains && (name == text || is_below(name, text))) take(1, text.size());
      }
    }
}

}  // namespace sallyport::model
