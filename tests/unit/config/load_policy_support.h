// What the tests of the policy loader share: text in, model or diagnostics out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.h"

namespace sallyport::config {

inline Loaded<PolicyModel> load(std::string_view text) { return load_policy({{"policy.toml", std::string(text)}}); }

// Every diagnostic as the operator sees it, one a line.
template <typename Model>
std::string messages(const Loaded<Model>& loaded) {
  std::string lines;
  for (const Diagnostic& diagnostic : loaded.diagnostics.all()) lines += to_text(diagnostic, loaded.files) + "\n";
  return lines;
}

// The model of a text that has to be right, warnings aside.
inline PolicyModel must_load(std::string_view text) {
  auto loaded = load(text);
  EXPECT_TRUE(loaded.model.has_value()) << messages(loaded);
  return loaded.model.value_or(PolicyModel{});
}

// The text is refused with exactly one error, which stands at line:column, under this path, and says this.
template <typename Model>
void expect_one_error(const Loaded<Model>& loaded, std::uint32_t line, std::uint32_t column, std::string_view path,
                      std::string_view part) {
  EXPECT_FALSE(loaded.model.has_value());
  ASSERT_EQ(loaded.diagnostics.errors(), 1U) << messages(loaded);
  for (const Diagnostic& diagnostic : loaded.diagnostics.all()) {
    if (diagnostic.severity != Severity::error) continue;
    EXPECT_EQ(diagnostic.at.line, line) << messages(loaded);
    EXPECT_EQ(diagnostic.at.column, column) << messages(loaded);
    EXPECT_EQ(diagnostic.key_path, path) << messages(loaded);
    EXPECT_NE(diagnostic.message.find(part), std::string::npos) << messages(loaded) << "  expected: " << part;
  }
}

// The text is taken with exactly one warning that says this.
template <typename Model>
void expect_one_warning(const Loaded<Model>& loaded, std::string_view path, std::string_view part) {
  EXPECT_TRUE(loaded.model.has_value()) << messages(loaded);
  ASSERT_EQ(loaded.diagnostics.all().size(), 1U) << messages(loaded);
  const Diagnostic& diagnostic = loaded.diagnostics.all().front();
  EXPECT_EQ(diagnostic.severity, Severity::warning);
  EXPECT_EQ(diagnostic.key_path, path) << messages(loaded);
  EXPECT_NE(diagnostic.message.find(part), std::string::npos) << messages(loaded) << "  expected: " << part;
}

inline Prefix net(std::string_view text) { return parse_prefix(text).value().prefix; }
inline IpAddress ip(std::string_view text) { return parse_address(text).value(); }

}  // namespace sallyport::config
