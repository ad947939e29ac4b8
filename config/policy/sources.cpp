#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

// Kubernetes gives every namespace this label.
constexpr const char* name_label = "kubernetes.io/metadata.name";

}  // namespace

Namespace read_namespace(const Item& item, Diagnostics& diagnostics) {
  Namespace result;
  result.at = item.at();
  TableReader table(item, diagnostics);
  table.required("name", result.name, object_name);
  const auto labels = table.find("labels");
  if (labels) result.labels = read_labels(*labels, diagnostics).value_or(Labels{});
  table.each("addresses", result.addresses, source_prefix);
  const auto [label, added] = result.labels.emplace(name_label, result.name);
  if (!added && label->second != result.name && !result.name.empty()) {
    const Node& written = std::get<Table>(labels->node->is).find(name_label)->value;
    report({&written, fmt::format("{}.{}", labels->path, in_quotes(name_label))}, diagnostics,
           fmt::format("{}; this label always is the namespace's name, {}", in_quotes(label->second),
                       in_quotes(result.name)));
  }
  return result;
}

Workload read_workload(const Item& item, Diagnostics& diagnostics) {
  Workload result;
  result.at = item.at();
  TableReader table(item, diagnostics);
  table.required("namespace", result.namespace_name, object_name);
  table.required("name", result.name, object_name);
  table.optional("labels", result.labels, read_labels);
  table.required_each("addresses", result.addresses, source_prefix);
  if (const auto addresses = table.find("addresses"); addresses && is_empty_array(*addresses))
    diagnostics.warning(addresses->at(), addresses->path, "empty: no source is of this workload");
  return result;
}

}  // namespace sallyport::config
