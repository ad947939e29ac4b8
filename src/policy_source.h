// A policy file all the way to a compiled policy: what check, explain, run and reload have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "classifier/identities.h"
#include "classifier/policy.h"
#include "config/appliance_model.h"
#include "config/diagnostics.h"
#include "config/load.h"
#include "src/exit_code.h"

namespace sallyport {

struct CompiledPolicy {
  std::unique_ptr<const classifier::Policy> policy;  // absent when there are errors
  std::vector<std::string> files;                    // what the diagnostics' locations point into
  config::Diagnostics diagnostics;                   // of loading and of compiling, sorted
};

// `identities` outlives the policy; `previous` may lend what is compiled already. Errors of reading are diagnostics,
// too.
[[nodiscard]] CompiledPolicy compile_policy_file(const std::string& path, classifier::Identities& identities,
                                                 const classifier::Policy* previous = nullptr,
                                                 config::Pipes pipes = config::Pipes::read);

// Warns of what a valid policy says of addresses that the ports of the gateway do not have.
void warn_of_addresses(const config::ApplianceModel& appliance, CompiledPolicy& policy);

// "file:line:column: key.path: message" each.
[[nodiscard]] std::vector<std::string> lines(const config::Diagnostics& diagnostics,
                                             const std::vector<std::string>& files);
// What is wrong with a document of errors: what stands in it (no), or that it cannot be read at all (environment).
[[nodiscard]] ExitCode exit_code(const config::Diagnostics& diagnostics);
// The same, told on stderr: every line, and in the last one what to do. For commands that cannot go on without it.
ExitCode refuse_document(const config::Diagnostics& diagnostics, const std::vector<std::string>& files,
                         const std::string& path);
// "2 errors, 1 warning"
[[nodiscard]] std::string count_text(const config::Diagnostics& diagnostics);

}  // namespace sallyport
