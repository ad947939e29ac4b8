// Which objects a document defines and which ones it speaks of.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/diagnostics.h"
#include "config/document/table_reader.h"
#include "config/policy_model.h"

namespace sallyport::config {

class NameBook {
 public:
  explicit NameBook(const std::vector<std::string>& files) : files_(files) {}

  // An element of the array `table`, called by its keys namespace (where there is one) and name. Twice: an error.
  void define(std::string_view table, const Item& object, Diagnostics& diagnostics);
  // The parents, sets and pools that an element of `table` names.
  void refer(std::string_view table, const Item& object);

  // References to what is nowhere defined, and routes in a namespace where they may not be.
  void check(const std::string& global_namespace, Diagnostics& diagnostics) const;

 private:
  struct Reference {
    std::string_view table;  // what is wanted: "egress_network"
    std::string name;        // "namespace/name", or "name"
    Location at;
    std::string path;
  };
  struct Parent {
    std::string route_namespace;
    std::string parent_namespace;
    Location at;
    std::string path;
  };

  void refer_to_parent(const Item& route, const Item& parent);
  [[nodiscard]] std::string hint(const Reference& reference) const;

  const std::vector<std::string>& files_;
  std::unordered_map<std::string, Location> defined_;                     // by "table namespace/name"
  std::unordered_map<std::string_view, std::vector<std::string>> names_;  // by table, in file order
  std::vector<Reference> references_;
  std::vector<Parent> parents_;
};

}  // namespace sallyport::config
