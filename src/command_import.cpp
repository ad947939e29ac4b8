#include "src/command_import.h"

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "classifier/identities.h"
#include "classifier/policy.h"
#include "config/bounds.h"
#include "config/import.h"
#include "config/source_file.h"
#include "src/terminal.h"

namespace sallyport {
namespace {

// Absent: a file cannot be read, which was said.
std::optional<std::vector<config::SourceText>> read_files(const std::vector<std::string>& names) {
  std::vector<config::SourceText> sources;
  for (const std::string& name : names) {
    auto text = config::read_whole_file(name == "-" ? "/dev/stdin" : name, config::bounds::yaml_bytes);
    if (!text) {
      fmt::print(stderr, "sallyport: import: {}: {}; name another file, or let this user read it\n", name, text.error);
      return std::nullopt;
    }
    sources.push_back({name, std::move(*text.value)});
  }
  return sources;
}

// What only compiling finds: expressions that are none, routes and networks that hide one another.
void check_compiled(config::ImportedPolicy& imported) {
  if (!imported.toml) return;
  auto loaded = config::load_policy({{"policy.toml", *imported.toml}});
  classifier::Identities identities;
  const auto compiled = classifier::Policy::compile(std::move(*loaded.model), identities);
  imported.report(compiled.diagnostics);
  if (compiled.diagnostics.has_errors()) imported.toml.reset();
}

void print_reports(const config::ImportedPolicy& imported) {
  const Style style(STDERR_FILENO);
  for (const config::Diagnostic& report : imported.reports.all()) {
    const bool lost = report.severity == config::Severity::error;
    fmt::print(stderr, "{}\n", style.paint(lost ? Colour::red : Colour::yellow, to_text(report, imported.files)));
  }
}

}  // namespace

ExitCode import_command(const ImportOptions& options) {
  if (options.files.size() > config::bounds::import_files) {
    fmt::print(stderr, "sallyport: import: more than {} files: import them in parts\n", config::bounds::import_files);
    return ExitCode::usage;
  }
  const auto sources = read_files(options.files);
  if (!sources) return ExitCode::environment;
  config::ImportedPolicy imported;
  {
    const Progress progress("importing");
    imported = config::import_kubernetes(*sources, options.snat);
    check_compiled(imported);
  }
  print_reports(imported);
  if (!imported.toml) {
    fmt::print(stderr, "sallyport: import: no policy came of it: mend the lines named above and import again\n");
    return ExitCode::no;
  }
  fmt::print("{}", *imported.toml);
  if (!options.strict || !imported.reports.has_errors()) return ExitCode::done;
  fmt::print(stderr, "sallyport: import: {} lines above say what is not kept exactly (--strict)\n",
             imported.reports.errors());
  return ExitCode::no;
}

}  // namespace sallyport
