#include "config/policy/name_book.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/document/suggestion.h"

namespace sallyport::config {
namespace {

// suggestion() gives up above it.
constexpr std::size_t most_candidates = 1000;

struct Text {
  std::string_view value;
  Location at;
};

// A text under `key`, wherever it is one; what is wrong with it is the reader's matter.
std::optional<Text> text_of(const Item& object, std::string_view key) {
  const auto* table = std::get_if<Table>(&object.node->is);
  const Entry* entry = table == nullptr ? nullptr : table->find(key);
  const auto* string = entry == nullptr ? nullptr : std::get_if<std::string>(&entry->value.is);
  if (string == nullptr || string->empty()) return std::nullopt;
  return Text{*string, entry->value.at};
}

std::string joined(const std::optional<Text>& namespace_name, std::string_view name) {
  return namespace_name ? fmt::format("{}/{}", namespace_name->value, name) : std::string(name);
}

const Array* array_of(const Item& object, std::string_view key) {
  const auto* table = std::get_if<Table>(&object.node->is);
  const Entry* entry = table == nullptr ? nullptr : table->find(key);
  return entry == nullptr ? nullptr : std::get_if<Array>(&entry->value.is);
}

constexpr std::array<std::string_view, 4> namespaced{"workload", "network_policy", "network_set", "egress_network"};

bool is_namespaced(std::string_view table) {
  return table.ends_with("_route") || std::find(namespaced.begin(), namespaced.end(), table) != namespaced.end();
}

}  // namespace

void NameBook::define(std::string_view table, const Item& object, Diagnostics& diagnostics) {
  const auto name = text_of(object, "name");
  const auto namespace_name = is_namespaced(table) ? text_of(object, "namespace") : std::nullopt;
  const bool without = is_namespaced(table) && !namespace_name && table != "network_set";
  if (!name || without) return;
  const std::string full = joined(namespace_name, name->value);
  const auto [first, added] = defined_.emplace(fmt::format("{} {}", table, full), name->at);
  if (added) {
    auto& names = names_[table];
    if (names.size() <= most_candidates) names.push_back(full);
    return;
  }
  diagnostics.error(name->at, object.path + ".name",
                    fmt::format("{} {} is defined already, at {}:{}", table, in_quotes(full),
                                files_[first->second.file], first->second.line));
}

void NameBook::refer(std::string_view table, const Item& object) {
  if (table.ends_with("_route")) {
    if (const Array* parents = array_of(object, "parent_refs")) {
      for (std::size_t i = 0; i < parents->size(); ++i) {
        refer_to_parent(object, {&(*parents)[i], fmt::format("{}.parent_refs[{}]", object.path, i)});
      }
    }
    if (const Array* sets = array_of(object, "hostname_sets")) {
      for (std::size_t i = 0; i < sets->size(); ++i) {
        const Node& node = (*sets)[i];
        if (const auto* name = std::get_if<std::string>(&node.is); name != nullptr && !name->empty()) {
          references_.push_back({"domain_set", *name, node.at, fmt::format("{}.hostname_sets[{}]", object.path, i)});
        }
      }
    }
  } else if (table == "egress") {
    if (const auto pool = text_of(object, "egress_pool")) {
      references_.push_back({"egress_pool", std::string(pool->value), pool->at, object.path + ".egress_pool"});
    }
  }
}

void NameBook::refer_to_parent(const Item& route, const Item& parent) {
  const auto route_namespace = text_of(route, "namespace");
  const auto own = text_of(parent, "namespace");
  const auto name = text_of(parent, "name");
  const auto parent_namespace = own ? own : route_namespace;
  if (!name || !parent_namespace) return;
  references_.push_back({"egress_network", joined(parent_namespace, name->value), name->at, parent.path + ".name"});
  if (!own || !route_namespace) return;
  parents_.push_back(
      {std::string(route_namespace->value), std::string(own->value), own->at, parent.path + ".namespace"});
}

std::string NameBook::hint(const Reference& reference) const {
  const auto known = names_.find(reference.table);
  if (known == names_.end()) return fmt::format("; there is no [[{}]] at all", reference.table);
  const std::vector<std::string_view> candidates(known->second.begin(), known->second.end());
  return suggestion(reference.name, candidates);
}

void NameBook::check(const std::string& global_namespace, Diagnostics& diagnostics) const {
  for (const Reference& reference : references_) {
    if (defined_.contains(fmt::format("{} {}", reference.table, reference.name))) continue;
    diagnostics.error(reference.at, reference.path,
                      fmt::format("no {} is called {}{}", reference.table, in_quotes(reference.name), hint(reference)));
  }
  for (const Parent& parent : parents_) {
    if (parent.route_namespace == parent.parent_namespace || parent.route_namespace == global_namespace) continue;
    diagnostics.error(parent.at, parent.path,
                      fmt::format("a route of namespace {} names a parent in {}; only routes of the global namespace, "
                                  "{}, may have parents elsewhere",
                                  in_quotes(parent.route_namespace), in_quotes(parent.parent_namespace),
                                  in_quotes(global_namespace)));
  }
}

}  // namespace sallyport::config
