#include <array>
#include <utility>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

using Operator = SelectorTerm::Operator;

constexpr std::array<Choice<Operator>, 4> operators{{{"In", Operator::in},
                                                     {"NotIn", Operator::not_in},
                                                     {"Exists", Operator::exists},
                                                     {"DoesNotExist", Operator::does_not_exist}}};

std::optional<std::string> label_key(const Item& item, Diagnostics& diagnostics) {
  auto key = filled_text(item, diagnostics);
  if (key && key->size() > bounds::label_key_bytes) {
    report(item, diagnostics, fmt::format("a label's key has at most {} bytes", bounds::label_key_bytes));
    return std::nullopt;
  }
  return key;
}

std::optional<std::string> label_value(const Item& item, Diagnostics& diagnostics) {
  if (std::holds_alternative<Table>(item.node->is)) {
    report(item, diagnostics, "expected a string, this is a table; a label key with dots is written in quotes");
    return std::nullopt;
  }
  auto value = text(item, diagnostics);
  if (value && value->size() > bounds::label_value_bytes) {
    report(item, diagnostics, fmt::format("a label's value has at most {} bytes", bounds::label_value_bytes));
    return std::nullopt;
  }
  return value;
}

std::optional<SelectorTerm> read_term(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  SelectorTerm term;
  table.required("key", term.key, label_key);
  const bool known = table.required("operator", term.op, one_of(operators));
  const auto values = table.find("values");
  if (values) {
    for (const Item& element : elements(*values, diagnostics)) {
      if (auto value = label_value(element, diagnostics)) term.values.push_back(std::move(*value));
    }
  }
  if (!known) return std::nullopt;
  const bool wants_values = term.op == Operator::in || term.op == Operator::not_in;
  if (wants_values && !values) {
    table.report_missing("values");
  } else if (wants_values && is_empty_array(*values)) {
    report(*values, diagnostics, "empty; In and NotIn compare with at least one value");
  } else if (!wants_values && values && !is_empty_array(*values)) {
    report(*values, diagnostics, "Exists and DoesNotExist take no values");
  }
  return term;
}

}  // namespace

std::optional<Labels> read_labels(const Item& item, Diagnostics& diagnostics) {
  const auto* table = std::get_if<Table>(&item.node->is);
  if (table == nullptr) {
    report_kind(item, diagnostics, "a table of labels");
    return std::nullopt;
  }
  if (table->entries.size() > bounds::labels) {
    report(item, diagnostics, fmt::format("more than {} labels", bounds::labels));
    return std::nullopt;
  }
  Labels labels;
  for (const Entry& entry : table->entries) {
    const Node key{entry.at, entry.key};
    const std::string path = fmt::format("{}.{}", item.path, in_quotes(entry.key));
    const bool usable = label_key({&key, path}, diagnostics).has_value();
    auto value = label_value({&entry.value, path}, diagnostics);
    if (usable && value) labels.emplace(entry.key, std::move(*value));
  }
  return labels;
}

std::optional<Selector> read_selector(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  table.remark("; labels stand in match_labels = { .. }");
  Selector selector;
  table.optional("match_labels", selector.match_labels, read_labels);
  table.each("match_expressions", selector.match_expressions, read_term);
  return selector;
}

}  // namespace sallyport::config
