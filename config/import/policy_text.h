// A policy model as the TOML that load_policy() reads, in the order of the model.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "config/policy_model.h"

namespace sallyport::config {

// What each part of the model was made from, by the part's place. Written above the part as a comment.
class Origins {
 public:
  void add(Location at, std::string text) { texts_.insert_or_assign(key(at), std::move(text)); }
  // Empty: nothing is known.
  [[nodiscard]] std::string find(Location at) const {
    const auto known = texts_.find(key(at));
    return known == texts_.end() ? std::string{} : known->second;
  }

 private:
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  static Key key(Location at) noexcept { return {at.file, at.line, at.column}; }
  std::map<Key, std::string> texts_;
};

struct PolicyText {
  struct Table {
    std::uint32_t line = 0;  // where it starts
    Location made_from;
  };
  std::string text;
  std::vector<Table> tables;  // rising
};

// Plain tables are left out where they would say the default. `head`: comment lines for the top, each with its '#'.
[[nodiscard]] PolicyText policy_text(const PolicyModel& model, const Origins& origins, std::string head);

}  // namespace sallyport::config
