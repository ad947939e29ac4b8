// How messages call the elements of arrays of tables: "tls_route[2]", by their place among those of their kind and
// file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "classifier/route_order.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class ElementKeys {
 public:
  // `elements` are those of all files, in their order.
  template <typename Element>
  ElementKeys(std::string_view table, const std::vector<Element>& elements) {
    for (const Element& element : elements) add(table, element.at.file);
  }
  explicit ElementKeys(const std::vector<config::Route>& routes) {
    for (const config::Route& route : routes) add(kind_name(route.kind), route.at.file);
  }

  [[nodiscard]] std::string operator[](std::size_t element) const {
    const auto& [table, place] = keys_[element];
    return std::string(table) + "[" + std::to_string(place) + "]";
  }

 private:
  void add(std::string_view table, std::uint32_t file) { keys_.emplace_back(table, counts_[{table, file}]++); }

  std::vector<std::pair<std::string_view, std::uint32_t>> keys_;
  std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t> counts_;
};

}  // namespace sallyport::classifier
