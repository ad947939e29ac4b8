// Tables into structs, one line a key:
//
//   TableReader table(item, diagnostics);
//   table.required("name", port.name, object_name);
//   table.optional("mtu", port.mtu, integer<std::uint16_t>(68, 9216));
//
// Whoever reads a table this way names every key it may hold; the destructor reports the keys that nobody asked for.
// A value reader is called as read(item, diagnostics) and answers an optional; it has reported what is wrong when
// that is empty. Reading goes on after an error, so that all errors of a document are found.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/document/toml_document.h"

namespace sallyport::config {

// A value of a document and what messages call it. Points into the document.
struct Item {
  const Node* node = nullptr;
  std::string path;  // "egress_network[0].networks[1].cidr"

  [[nodiscard]] Location at() const noexcept { return node->at; }
};

void report(const Item& item, Diagnostics& diagnostics, std::string message);
// "expected a string, this is an integer"
void report_kind(const Item& item, Diagnostics& diagnostics, std::string_view expected);

// The value under a key, without a word where there is none or no table.
[[nodiscard]] std::optional<Item> member(const Item& table, std::string_view key);

[[nodiscard]] bool is_empty_array(const Item& item) noexcept;
// The elements of an array.
[[nodiscard]] std::vector<Item> elements(const Item& array);
// The elements; nothing, and a report, where it is no array or over `most` elements long.
[[nodiscard]] std::vector<Item> elements(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] std::vector<Item> elements(const Item& item, std::size_t most, Diagnostics& diagnostics);

class TableReader {
 public:
  // Reports where the item is no table; every key is absent then and none is missed.
  TableReader(const Item& item, Diagnostics& diagnostics);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  [[nodiscard]] bool is_table() const noexcept { return std::holds_alternative<Table>(item_.node->is); }
  [[nodiscard]] Diagnostics& diagnostics() noexcept { return diagnostics_; }

  // The value of a key, if it is there.
  std::optional<Item> find(std::string_view key);
  // The same; its absence is reported at the table.
  std::optional<Item> require(std::string_view key);
  void report_missing(std::string_view key);

  // What is said of unknown keys besides: of some of them, where they stand; of what resembles no key, anything. Texts
  // and lists outlive this.
  void tell_where(std::span<const std::string_view> keys, std::string_view where) {
    elsewhere_ = keys;
    where_ = where;
  }
  void remark(std::string_view remark) { remark_ = remark; }

  // Absent or wrong: `into` keeps what it holds. True: a right value was there.
  template <typename T, typename Read>
  bool optional(std::string_view key, T& into, Read&& read) {
    return assign(find(key), into, read);
  }
  template <typename T, typename Read>
  bool required(std::string_view key, T& into, Read&& read) {
    return assign(require(key), into, read);
  }

  // Arrays, element by element; elements that are wrong are left out. True: the key was there and an array.
  template <typename T, typename Read>
  bool each(std::string_view key, std::vector<T>& into, Read&& read) {
    return append(find(key), into, read);
  }
  template <typename T, typename Read>
  bool required_each(std::string_view key, std::vector<T>& into, Read&& read) {
    return append(require(key), into, read);
  }

 private:
  template <typename T, typename Read>
  bool assign(const std::optional<Item>& item, T& into, Read& read) {
    if (!item) return false;
    auto value = read(*item, diagnostics_);
    if (!value) return false;
    into = std::move(*value);
    return true;
  }

  template <typename T, typename Read>
  bool append(const std::optional<Item>& item, std::vector<T>& into, Read& read) {
    if (!item || !std::holds_alternative<Array>(item->node->is)) {
      if (item) report_kind(*item, diagnostics_, "an array");
      return false;
    }
    for (const Item& element : elements(*item, diagnostics_)) {
      if (auto value = read(element, diagnostics_)) into.push_back(std::move(*value));
    }
    return true;
  }

  Item item_;
  Diagnostics& diagnostics_;
  std::span<const std::string_view> elsewhere_;
  std::string_view where_;
  std::string_view remark_;
  std::vector<std::string_view> asked_;  // the keys of whoever reads; they are literals
};

}  // namespace sallyport::config
