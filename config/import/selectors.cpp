// Kubernetes label selectors.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/import/importer.h"

namespace sallyport::config {
namespace {

using Operator = SelectorTerm::Operator;

bool read_operator(std::string_view text, Operator& into) noexcept {
  constexpr std::array<std::pair<std::string_view, Operator>, 4> known{{{"In", Operator::in},
                                                                        {"NotIn", Operator::not_in},
                                                                        {"Exists", Operator::exists},
                                                                        {"DoesNotExist", Operator::does_not_exist}}};
  for (const auto& [name, op] : known) {
    if (name != text) continue;
    into = op;
    return true;
  }
  return false;
}

// Cilium writes where a label comes from before it.
std::string without_source(const std::string& key) { return key.starts_with("k8s:") ? key.substr(4) : key; }

// False: not valid, which was reported.
bool read_term(const YamlNode& node, const ObjectReport& report, Selector& into) {
  Fields fields(&node, report);
  const std::string key = fields.text("key").value_or("");
  const std::string written = fields.text("operator").value_or("");
  SelectorTerm term{without_source(key), Operator::exists, fields.texts("values")};
  if (!fields.whole()) return false;
  if (key.empty() || !read_operator(written, term.op)) {
    report.lost(node.at, "not a term of a label selector: it needs a key and In, NotIn, Exists or DoesNotExist");
    return false;
  }
  const bool wants_values = term.op == Operator::in || term.op == Operator::not_in;
  if (wants_values == term.values.empty()) {
    report.lost(node.at, fmt::format("{} {} values", in_quotes(written), wants_values ? "needs" : "takes no"));
    return false;
  }
  const auto too_long = [](const std::string& value) { return value.size() > bounds::label_value_bytes; };
  if (key.size() > bounds::label_key_bytes || std::any_of(term.values.begin(), term.values.end(), too_long)) {
    report.lost(node.at, "longer than a label may be");
    return false;
  }
  into.match_expressions.push_back(std::move(term));
  return true;
}

}  // namespace

std::optional<Selector> import_selector(const YamlNode* node, const ObjectReport& report) {
  Selector selector;
  if (node == nullptr || node->kind == YamlNode::Kind::null) return selector;
  if (node->kind != YamlNode::Kind::mapping) {
    report.lost(node->at, fmt::format("expected a label selector, this is {}", kind_of(*node)));
    return std::nullopt;
  }
  Fields fields(node, report);
  const YamlNode* labels = fields.find("matchLabels");
  for (const auto& [key, value] : read_label_map(labels, report)) {
    selector.match_labels.emplace(without_source(key), value);
  }
  // A label that could not be read would make the selector select more.
  if (labels != nullptr && selector.match_labels.size() != labels->entries.size()) return std::nullopt;
  for (const YamlNode& term : fields.list("matchExpressions")) {
    if (!read_term(term, report, selector)) return std::nullopt;
  }
  return fields.whole() ? std::optional(std::move(selector)) : std::nullopt;
}

}  // namespace sallyport::config
