#include "src/policy_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "src/outside_addresses.h"
#include "src/sender_networks.h"

namespace sallyport {

CompiledPolicy compile_policy_file(const std::string& path, classifier::Identities& identities,
                                   const classifier::Policy* previous, config::Pipes pipes) {
  config::Loaded<config::PolicyModel> loaded = config::load_policy_file(path, classifier::Policy::find_errors, pipes);
  CompiledPolicy result{nullptr, std::move(loaded.files), std::move(loaded.diagnostics)};
  if (loaded.model) {
    auto compiled = classifier::Policy::compile(std::move(*loaded.model), identities, previous);
    result.policy = std::move(compiled.policy);
    result.diagnostics.append(compiled.diagnostics);
  }
  result.diagnostics.sort();
  return result;
}

void warn_of_addresses(const config::ApplianceModel& appliance, CompiledPolicy& policy) {
  warn_of_addresses_elsewhere(appliance, policy.policy->model(), policy.diagnostics);
  warn_of_senders_elsewhere(appliance, policy.policy->model(), policy.diagnostics);
  policy.diagnostics.sort();
}

std::vector<std::string> lines(const config::Diagnostics& diagnostics, const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  for (const config::Diagnostic& diagnostic : diagnostics.all()) texts.push_back(to_text(diagnostic, files));
  return texts;
}

ExitCode exit_code(const config::Diagnostics& diagnostics) {
  const auto& all = diagnostics.all();
  const bool unreadable = std::any_of(all.begin(), all.end(), [](const config::Diagnostic& diagnostic) {
    return diagnostic.severity == config::Severity::error && diagnostic.at.line == 0;
  });
  return unreadable ? ExitCode::environment : ExitCode::no;
}

ExitCode refuse_document(const config::Diagnostics& diagnostics, const std::vector<std::string>& files,
                         const std::string& path) {
  const ExitCode code = exit_code(diagnostics);
  if (code == ExitCode::environment && diagnostics.all().size() == 1) {
    fmt::print(stderr, "sallyport: {}; name another file, or let this user read it\n",
               to_text(diagnostics.all().front(), files));
    return code;
  }
  for (const std::string& line : lines(diagnostics, files)) fmt::print(stderr, "{}\n", line);
  fmt::print(stderr, "sallyport: {} is not valid ({}): mend the lines named above and ask again\n", path,
             count_text(diagnostics));
  return code;
}

std::string count_text(const config::Diagnostics& diagnostics) {
  const std::size_t errors = diagnostics.errors();
  const std::size_t warnings = diagnostics.all().size() - errors;
  return fmt::format("{} error{}, {} warning{}", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

}  // namespace sallyport
