#include "src/command_check.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "config/load.h"
#include "dataplane/io/environment_error.h"
#include "src/policy_elsewhere.h"
#include "src/policy_source.h"
#include "src/terminal.h"

namespace sallyport {
namespace {

using Json = nlohmann::ordered_json;

// One document, the configuration or the policy, with what is to be said about it.
struct Checked {
  std::string path;
  std::vector<std::string> files;
  config::Diagnostics diagnostics;
  std::string hash;  // of a valid policy
};

std::vector<Checked> check_documents(const CheckOptions& options) {
  std::vector<Checked> checked;
  std::vector<std::string> policies;
  std::optional<config::ApplianceModel> ports;
  if (!options.policy.empty()) policies.push_back(options.policy);
  if (!options.config.empty()) {
    auto appliance = config::load_appliance_file(options.config);
    ports = appliance.model;
    if (appliance.model && policies.empty()) {
      policies.push_back(appliance.model->policy_path);
      // The gateway runs without a valid shadow; whoever checks wants to know.
      if (!appliance.model->shadow_policy.empty()) policies.push_back(appliance.model->shadow_policy_path);
    }
    checked.push_back({options.config, std::move(appliance.files), std::move(appliance.diagnostics), {}});
  }
  for (const std::string& path : policies) {
    const Progress progress(fmt::format("compiling {}", path));
    classifier::Identities identities;
    CompiledPolicy policy = compile_policy_file(path, identities);
    if (ports && policy.policy) warn_of_addresses(*ports, policy);
    std::string hash = policy.policy ? policy.policy->hash() : "";
    checked.push_back({path, std::move(policy.files), std::move(policy.diagnostics), std::move(hash)});
  }
  return checked;
}

std::string file_of(const config::Diagnostic& diagnostic, const std::vector<std::string>& files) {
  return diagnostic.at.file < files.size() ? files[diagnostic.at.file] : std::string{};
}

void print_json(const std::vector<Checked>& checked, bool valid) {
  Json files = Json::array();
  Json diagnostics = Json::array();
  for (const Checked& document : checked) {
    for (const std::string& file : document.files) files.push_back(file);
    for (const config::Diagnostic& d : document.diagnostics.all()) {
      diagnostics.push_back({{"severity", d.severity == config::Severity::error ? "error" : "warning"},
                             {"file", file_of(d, document.files)},
                             {"line", d.at.line},
                             {"column", d.at.column},
                             {"key_path", d.key_path},
                             {"message", d.message}});
    }
  }
  const Json all = {{"valid", valid}, {"files", std::move(files)}, {"diagnostics", std::move(diagnostics)}};
  fmt::print("{}\n", all.dump(2, ' ', false, Json::error_handler_t::replace));
}

void print_text(const std::vector<Checked>& checked, bool strict) {
  const Style style(STDOUT_FILENO);
  for (const Checked& document : checked) {
    for (const config::Diagnostic& d : document.diagnostics.all()) {
      const bool error = d.severity == config::Severity::error;
      fmt::print("{}\n", style.paint(error ? Colour::red : Colour::yellow, to_text(d, document.files)));
    }
    const bool warned = !document.diagnostics.all().empty();
    if (!document.diagnostics.has_errors() && !(strict && warned)) {
      fmt::print("{}: {} ({})\n", document.path, style.paint(Colour::green, "valid"), count_text(document.diagnostics));
    }
  }
}

// The policy itself comes before its shadow.
std::string hash_of(const std::vector<Checked>& checked) {
  for (const Checked& document : checked) {
    if (!document.hash.empty()) return document.hash;
  }
  return {};
}

ExitCode compare(const CheckOptions& options, const std::string& hash) {
  try {
    const Progress progress(fmt::format("asking {}", options.against));
    const std::optional<std::string> there = policy_hash_at(options.against, options.token_file);
    if (there == hash) {
      if (!options.json) fmt::print("{}: the same policy ({})\n", options.against, hash);
      return ExitCode::done;
    }
    fmt::print(stderr, "sallyport: {}: {}; this one is {}\n", options.against,
               there ? fmt::format("another policy, {}", *there) : "no policy is loaded there, or none is told of",
               hash);
    return ExitCode::no;
  } catch (const dataplane::EnvironmentError& error) {
    fmt::print(stderr, "sallyport: {}\n", error.what());
    return ExitCode::environment;
  }
}

}  // namespace

ExitCode check_command(const CheckOptions& options) {
  const std::vector<Checked> checked = check_documents(options);
  config::Diagnostics all;
  for (const Checked& document : checked) all.append(document.diagnostics);
  const bool too_strict = options.strict && !all.all().empty();
  const bool valid = !all.has_errors() && !too_strict;
  if (options.json) {
    print_json(checked, valid);
  } else {
    print_text(checked, options.strict);
  }
  if (valid && !options.against.empty()) return compare(options, hash_of(checked));
  if (valid) return ExitCode::done;
  if (exit_code(all) == ExitCode::environment) {
    fmt::print(stderr, "sallyport: a file named above cannot be read: name another, or let this user read it\n");
    return ExitCode::environment;
  }
  fmt::print(stderr, "sallyport: not valid: {}; mend the lines named above and check again\n", count_text(all));
  return ExitCode::no;
}

}  // namespace sallyport
