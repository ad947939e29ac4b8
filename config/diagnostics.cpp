#include "config/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace sallyport::config {

void Diagnostics::error(Location at, std::string key_path, std::string message) {
  all_.push_back({Severity::error, at, std::move(key_path), std::move(message)});
  ++errors_;
}

void Diagnostics::warning(Location at, std::string key_path, std::string message) {
  all_.push_back({Severity::warning, at, std::move(key_path), std::move(message)});
}

void Diagnostics::sort() {
  const auto place = [](const Diagnostic& d) { return std::tuple(d.at.file, d.at.line, d.at.column); };
  std::stable_sort(all_.begin(), all_.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
}

void Diagnostics::append(const Diagnostics& other) {
  all_.insert(all_.end(), other.all_.begin(), other.all_.end());
  errors_ += other.errors_;
}

std::string to_text(const Diagnostic& diagnostic, const std::vector<std::string>& files) {
  const std::string_view file = diagnostic.at.file < files.size() ? std::string_view(files[diagnostic.at.file]) : "?";
  const std::string_view kind = diagnostic.severity == Severity::warning ? "warning: " : "";
  const std::string_view separator = diagnostic.key_path.empty() ? "" : ": ";
  const std::string place = diagnostic.at.line == 0
                                ? std::string(file)
                                : fmt::format("{}:{}:{}", file, diagnostic.at.line, diagnostic.at.column);
  return fmt::format("{}: {}{}{}{}", place, diagnostic.key_path, separator, kind, diagnostic.message);
}

}  // namespace sallyport::config
