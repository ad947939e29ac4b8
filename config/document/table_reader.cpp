#include "config/document/table_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/suggestion.h"

namespace sallyport::config {
namespace {

bool is_plain_key(std::string_view key) noexcept {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !key.empty() && key.find_first_not_of(plain) == std::string_view::npos;
}

std::string joined(const std::string& path, std::string_view key) {
  const std::string name = is_plain_key(key) ? std::string(key) : in_quotes(key);
  return path.empty() ? name : fmt::format("{}.{}", path, name);
}

}  // namespace

void report(const Item& item, Diagnostics& diagnostics, std::string message) {
  diagnostics.error(item.at(), item.path, std::move(message));
}

void report_kind(const Item& item, Diagnostics& diagnostics, std::string_view expected) {
  report(item, diagnostics, fmt::format("expected {}, this is {}", expected, kind_of(*item.node)));
}

std::optional<Item> member(const Item& table, std::string_view key) {
  const auto* entries = std::get_if<Table>(&table.node->is);
  const Entry* entry = entries == nullptr ? nullptr : entries->find(key);
  if (entry == nullptr) return std::nullopt;
  return Item{&entry->value, joined(table.path, key)};
}

bool is_empty_array(const Item& item) noexcept {
  const auto* array = std::get_if<Array>(&item.node->is);
  return array != nullptr && array->empty();
}

std::vector<Item> elements(const Item& array) {
  const auto& nodes = std::get<Array>(array.node->is);
  std::vector<Item> items;
  items.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) items.push_back({&nodes[i], fmt::format("{}[{}]", array.path, i)});
  return items;
}

std::vector<Item> elements(const Item& item, Diagnostics& diagnostics) {
  return elements(item, bounds::array_elements, diagnostics);
}

std::vector<Item> elements(const Item& item, std::size_t most, Diagnostics& diagnostics) {
  const auto* array = std::get_if<Array>(&item.node->is);
  if (array == nullptr) {
    report_kind(item, diagnostics, "an array");
    return {};
  }
  if (array->size() > most) {
    report(item, diagnostics, fmt::format("{} elements, at most {} are allowed", array->size(), most));
    return {};
  }
  return elements(item);
}

TableReader::TableReader(const Item& item, Diagnostics& diagnostics) : item_(item), diagnostics_(diagnostics) {
  if (!is_table()) report_kind(item, diagnostics, "a table");
}

TableReader::~TableReader() {
  if (!is_table()) return;
  for (const Entry& entry : std::get<Table>(item_.node->is).entries) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    const bool is_elsewhere = std::find(elsewhere_.begin(), elsewhere_.end(), entry.key) != elsewhere_.end();
    std::string hint = is_elsewhere ? "; it belongs into " + std::string(where_) : suggestion(entry.key, asked_);
    if (hint.empty()) hint = remark_;
    diagnostics_.error(entry.at, joined(item_.path, entry.key), "unknown key" + hint);
  }
}

std::optional<Item> TableReader::find(std::string_view key) {
  asked_.push_back(key);
  return member(item_, key);
}

std::optional<Item> TableReader::require(std::string_view key) {
  auto item = find(key);
  if (!item) report_missing(key);
  return item;
}

void TableReader::report_missing(std::string_view key) {
  if (is_table()) diagnostics_.error(item_.at(), joined(item_.path, key), "missing; this key is required");
}

}  // namespace sallyport::config
