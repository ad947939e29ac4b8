#include "config/policy/key_paths.h"

#include <map>
#include <tuple>

#include <fmt/format.h>

namespace sallyport::config {
namespace {

struct Earlier {
  bool operator()(const Location& a, const Location& b) const noexcept {
    return std::tuple(a.file, a.line, a.column) < std::tuple(b.file, b.line, b.column);
  }
};
using PathsByPlace = std::map<Location, std::string, Earlier>;

// Keeps the path in one string that grows and shrinks along the walk.
class Walk {
 public:
  explicit Walk(PathsByPlace& wanted) : wanted_(wanted) {}

  void visit(const Node& node) {
    if (const auto found = wanted_.find(node.at); found != wanted_.end()) found->second = path_;
    const std::size_t length = path_.size();
    if (const auto* table = std::get_if<Table>(&node.is)) {
      for (const Entry& entry : table->entries) {
        path_ += path_.empty() ? entry.key : "." + entry.key;
        visit(entry.value);
        path_.resize(length);
      }
    } else if (const auto* array = std::get_if<Array>(&node.is)) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        path_ += fmt::format("[{}]", i);
        visit((*array)[i]);
        path_.resize(length);
      }
    }
  }

 private:
  PathsByPlace& wanted_;
  std::string path_;
};

}  // namespace

void append_with_key_paths(const Diagnostics& found, std::span<const Node> roots, Diagnostics& into) {
  if (found.all().empty()) return;
  PathsByPlace paths;
  for (const Diagnostic& diagnostic : found.all()) paths.emplace(diagnostic.at, std::string());
  for (const Node& root : roots) Walk(paths).visit(root);
  for (const Diagnostic& diagnostic : found.all()) {
    const std::string& path = paths.at(diagnostic.at);
    if (diagnostic.severity == Severity::error) {
      into.error(diagnostic.at, path, diagnostic.message);
    } else {
      into.warning(diagnostic.at, path, diagnostic.message);
    }
  }
}

}  // namespace sallyport::config
