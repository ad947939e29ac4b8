#include "src/policy_source.h"

#include <utility>

#include <fmt/format.h>

#include "config/load.h"

namespace sallyport {

CompiledPolicy compile_policy_file(const std::string& path, classifier::Identities& identities,
                                   const classifier::Policy* previous) {
  config::Loaded<config::PolicyModel> loaded = config::load_policy_file(path, classifier::Policy::find_errors);
  CompiledPolicy result{nullptr, std::move(loaded.files), std::move(loaded.diagnostics)};
  if (loaded.model) {
    auto compiled = classifier::Policy::compile(std::move(*loaded.model), identities, previous);
    result.policy = std::move(compiled.policy);
    result.diagnostics.append(compiled.diagnostics);
  }
  result.diagnostics.sort();
  return result;
}

std::vector<std::string> lines(const config::Diagnostics& diagnostics, const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  for (const config::Diagnostic& diagnostic : diagnostics.all()) texts.push_back(to_text(diagnostic, files));
  return texts;
}

std::string count_text(const config::Diagnostics& diagnostics) {
  const std::size_t errors = diagnostics.errors();
  const std::size_t warnings = diagnostics.all().size() - errors;
  return fmt::format("{} error{}, {} warning{}", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

}  // namespace sallyport
