#include "config/not_enforced.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

namespace sallyport::config {
namespace {

bool always(const Node&) { return true; }

constexpr std::array<NotEnforced, 0> policy_list{};  // a policy is enforced whole

constexpr auto appliance_list = std::to_array<NotEnforced>({
    {"metrics.listen", always},
});

class Search {
 public:
  Search(const NotEnforced& what, Diagnostics& diagnostics) : what_(what), diagnostics_(diagnostics) {}

  void visit(const Node& node, std::string_view rest, const std::string& path) {
    if (const auto* array = std::get_if<Array>(&node.is); array != nullptr && (!rest.empty() || is_of_tables(*array))) {
      for (std::size_t i = 0; i < array->size(); ++i) visit((*array)[i], rest, fmt::format("{}[{}]", path, i));
      return;
    }
    if (rest.empty()) {
      if (what_.refused(node)) diagnostics_.error(node.at, path, std::string(not_enforced_message));
      return;
    }
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    const std::string_view key = rest.substr(0, dot);
    const auto* table = std::get_if<Table>(&node.is);
    const Entry* entry = table == nullptr ? nullptr : table->find(key);
    if (entry == nullptr) return;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
    visit(entry->value, rest, path.empty() ? std::string(key) : fmt::format("{}.{}", path, key));
  }

 private:
  static bool is_of_tables(const Array& array) {
    return !array.empty() && std::holds_alternative<Table>(array.front().is);
  }

  const NotEnforced& what_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::span<const NotEnforced> policy_not_enforced() noexcept { return policy_list; }
std::span<const NotEnforced> appliance_not_enforced() noexcept { return appliance_list; }

void refuse_not_enforced(const Node& root, std::span<const NotEnforced> list, Diagnostics& diagnostics) {
  for (const NotEnforced& what : list) Search(what, diagnostics).visit(root, what.path, "");
}

}  // namespace sallyport::config
