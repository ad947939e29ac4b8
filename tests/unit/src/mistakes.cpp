// A policy with a mistake of every kind: all of them are told at once, each with its place, its key and what was
// expected.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "src/policy_source.h"

namespace sallyport {
namespace {

TEST(Mistakes, EveryOneIsToldOfAtItsPlace) {
  const char* root = std::getenv("SALLYPORT_SOURCE");
  ASSERT_NE(root, nullptr) << "set by meson test";
  // From its own folder, as an operator may call it, so that messages hold no path of this machine.
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(root) / "tests/unit/config/mistakes");
  std::ifstream file("expected.txt");
  std::vector<std::string> expected;
  for (std::string line; std::getline(file, line);) expected.push_back(line);
  classifier::Identities identities;
  const CompiledPolicy compiled = compile_policy_file("policy.toml", identities);
  std::filesystem::current_path(before);

  EXPECT_FALSE(compiled.policy);
  EXPECT_EQ(lines(compiled.diagnostics, compiled.files), expected);
  std::set<std::string> kinds;
  for (const config::Diagnostic& diagnostic : compiled.diagnostics.all()) {
    EXPECT_EQ(diagnostic.severity, config::Severity::error) << diagnostic.message;
    EXPECT_GT(diagnostic.at.line, 0U) << diagnostic.message;
    EXPECT_GT(diagnostic.at.column, 0U) << diagnostic.message;
    kinds.insert(diagnostic.message.substr(diagnostic.message.rfind(": ") + 1));
  }
  EXPECT_GE(kinds.size(), 50U);
}

}  // namespace
}  // namespace sallyport
