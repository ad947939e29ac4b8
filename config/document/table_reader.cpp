#include "config/document/table_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/quoted.h"
#include "config/document/suggestion.h"

namespace sallyport::config {
namespace {

bool is_plain_key(std::string_view key) noexcept {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !key.empty() && key.find_first_not_of(plain) == std::string_view::npos;
}

std::string joined(const std::string& path, std::string_view key) {
  const std::string name = is_plain_key(key) ? std::string(key) : quoted(key);
  return path.empty() ? name : fmt::format("{}.{}", path, name);
}

}  // namespace

void report(const Item& item, Diagnostics& diagnostics, std::string message) {
  diagnostics.error(item.at(), item.path, std::move(message));
}

void report_kind(const Item& item, Diagnostics& diagnostics, std::string_view expected) {
  report(item, diagnostics, fmt::format("expected {}, this is {}", expected, kind_of(*item.node)));
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
  std::vector<Item> items;
  items.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) items.push_back({&(*array)[i], fmt::format("{}[{}]", item.path, i)});
  return items;
}

TableReader::TableReader(const Item& item, Diagnostics& diagnostics)
    : table_(std::get_if<Table>(&item.node->is)), at_(item.at()), path_(item.path), diagnostics_(diagnostics) {
  if (table_ == nullptr) report_kind(item, diagnostics, "a table");
}

TableReader::~TableReader() {
  if (table_ == nullptr) return;
  for (const Entry& entry : table_->entries) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    diagnostics_.error(entry.at, joined(path_, entry.key), "unknown key" + suggestion(entry.key, asked_));
  }
}

std::optional<Item> TableReader::find(std::string_view key) {
  asked_.push_back(key);
  const Entry* entry = table_ == nullptr ? nullptr : table_->find(key);
  if (entry == nullptr) return std::nullopt;
  return Item{&entry->value, joined(path_, key)};
}

std::optional<Item> TableReader::require(std::string_view key) {
  auto item = find(key);
  if (!item) report_missing(key);
  return item;
}

void TableReader::report_missing(std::string_view key) {
  if (table_ != nullptr) diagnostics_.error(at_, joined(path_, key), "missing; this key is required");
}

}  // namespace sallyport::config
