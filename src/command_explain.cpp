#include "src/command_explain.h"

#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "config/load.h"
#include "src/explanation.h"
#include "src/policy_source.h"
#include "src/state_folder.h"
#include "src/terminal.h"

namespace sallyport {

ExitCode explain_command(const ExplainOptions& options) {
  ApplianceView appliance;
  std::string policy_path = options.policy;
  if (!options.config.empty()) {
    const auto loaded = config::load_appliance_file(options.config);
    if (!loaded.model) return refuse_document(loaded.diagnostics, loaded.files, options.config);
    appliance = view_of(*loaded.model);
    if (policy_path.empty()) policy_path = loaded.model->policy_path;
  }
  const std::string unless_named = options.config.empty() ? "" : default_state_folder;
  if (const std::string problem = find_pool_key(appliance.pool_key, options.state_folder, unless_named);
      !problem.empty()) {
    fmt::print(stderr, "sallyport: {}\n", problem);
    return ExitCode::environment;
  }
  classifier::Identities identities;
  CompiledPolicy compiled;
  {
    const Progress progress(fmt::format("compiling {}", policy_path));
    compiled = compile_policy_file(policy_path, identities);
  }
  if (!compiled.policy) return refuse_document(compiled.diagnostics, compiled.files, policy_path);

  const FlowAnswer answer = explain_flow(*compiled.policy, identities, appliance, options);
  if (options.json) {
    fmt::print("{}\n", to_json(answer));
  } else {
    fmt::print("{}", to_text(answer, options, Style(STDOUT_FILENO)));
  }
  if (answer.exit_code() == ExitCode::no) fmt::print(stderr, "sallyport: {}\n", advice(answer, options));
  return answer.exit_code();
}

}  // namespace sallyport
