// What the tests of the importers share: YAML in, TOML, its model and the reports out.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/import.h"

namespace sallyport::config {

inline ImportedPolicy import_yaml(std::string_view yaml) {
  return import_kubernetes({{"in.yaml", std::string(yaml)}}, {parse_address("203.0.113.1").value()});
}

// Every report as the operator sees it, one a line.
inline std::string reports_of(const ImportedPolicy& imported) {
  std::string lines;
  for (const Diagnostic& report : imported.reports.all()) lines += to_text(report, imported.files) + "\n";
  return lines;
}

// The model of what came of YAML that is kept exactly.
inline PolicyModel must_import(std::string_view yaml) {
  const ImportedPolicy imported = import_yaml(yaml);
  EXPECT_FALSE(imported.reports.has_errors()) << reports_of(imported);
  EXPECT_TRUE(imported.toml.has_value());
  auto loaded = load_policy({{"policy.toml", imported.toml.value_or("")}});
  EXPECT_TRUE(loaded.model.has_value());
  return loaded.model.value_or(PolicyModel{});
}

// YAML that is not kept exactly: `part` is reported at the line, and the model is of what is kept.
inline PolicyModel import_with_report(std::string_view yaml, std::uint32_t line, std::string_view part) {
  const ImportedPolicy imported = import_yaml(yaml);
  bool found = false;
  for (const Diagnostic& report : imported.reports.all()) {
    found = found || (report.severity == Severity::error && report.at.line == line &&
                      to_text(report, imported.files).find(part) != std::string::npos);
  }
  EXPECT_TRUE(found) << "no report at line " << line << " says: " << part << "\n" << reports_of(imported);
  EXPECT_TRUE(imported.toml.has_value()) << reports_of(imported);
  auto loaded = load_policy({{"policy.toml", imported.toml.value_or("")}});
  EXPECT_TRUE(loaded.model.has_value());
  return loaded.model.value_or(PolicyModel{});
}

// The TOML, of whatever is enforced already.
inline std::string toml_of(std::string_view yaml) {
  const ImportedPolicy imported = import_yaml(yaml);
  EXPECT_TRUE(imported.toml.has_value()) << reports_of(imported);
  return imported.toml.value_or("");
}

}  // namespace sallyport::config
