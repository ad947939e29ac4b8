#include "config/document/toml_document.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/bounds.h"

namespace sallyport::config {
namespace {

using namespace std::string_view_literals;

// The one error of a text that is refused.
Diagnostic refusal(std::string_view text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_toml(text, 0, diagnostics));
  EXPECT_EQ(diagnostics.errors(), 1U) << text.substr(0, 100);
  return diagnostics.all().empty() ? Diagnostic{} : diagnostics.all().front();
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(TomlDocument, EveryKindOfValueWithItsPlace) {
  constexpr auto text = R"(# comment
b = [1, 2.5, "x",
  true, { c = 1979-05-27 }]
a = 'later by name, earlier by place'
)"sv;
  Diagnostics diagnostics;
  const auto root = parse_toml(text, 7, diagnostics);
  ASSERT_TRUE(root);
  const auto& table = std::get<Table>(root->is);
  ASSERT_EQ(table.entries.size(), 2U);
  EXPECT_EQ(table.entries[0].key, "b");
  EXPECT_EQ(table.entries[1].key, "a");
  EXPECT_EQ(table.entries[1].at, (Location{7, 4, 1}));
  EXPECT_EQ(table.entries[1].value.at, (Location{7, 4, 5}));
  const auto& array = std::get<Array>(table.entries[0].value.is);
  ASSERT_EQ(array.size(), 5U);
  EXPECT_EQ(std::get<std::int64_t>(array[0].is), 1);
  EXPECT_EQ(std::get<double>(array[1].is), 2.5);
  EXPECT_EQ(std::get<std::string>(array[2].is), "x");
  EXPECT_EQ(std::get<bool>(array[3].is), true);
  EXPECT_EQ(array[3].at, (Location{7, 3, 3}));
  const auto& date = std::get<Table>(array[4].is).entries[0].value;
  EXPECT_TRUE(std::holds_alternative<DateOrTime>(date.is));
  EXPECT_EQ(kind_of(date), "a date or time");
  EXPECT_EQ(kind_of(array[4]), "a table");
}

TEST(TomlDocument, WhatWasProbablyMeantIsSaid) {
  const struct {
    std::string_view text, hint;
  } table[] = {
      {"[d]\nuncaptured = deny\n", "; a text stands in quotes: \"deny\""},
      {"a = [ tcp ]\n", "; a text stands in quotes: \"tcp\""},
      {"a = 10.1.0.0/16\n", "; a text stands in quotes: \"10.1.0.0/16\""},
      {"a = True\n", "; a truth value is true or false, in small letters"},
      {"a = yes\n", "; a truth value is true or false, in small letters"},
      {"uncaptured: deny\n", "; a key and its value are joined by \"=\""},
      {"a = { b = 1,\n  c = 2 }\n",
       "; a table in { } stands on one line: close it here, or write it as a [table] of its own"},
      {"[port]\n[port]\n", "; several of a kind are written [[port]], each of them"},
      {"[snat]\n[snat]\n", "; [snat] stands above already: its keys belong there"},
      {"[limits]\na = 1\n [limits]\n", "; [limits] stands above already: its keys belong there"},
      {"a = [\"b\"]\na = [\"c\"]\n", "; it has a value above already: one of the two is to go"},
      {"[[namespace]]\n[namespace]\n", "; several of a kind are written [[namespace]], each of them"},
  };
  for (const auto& mistake : table) {
    const std::string message = refusal(mistake.text).message;
    EXPECT_TRUE(message.ends_with(mistake.hint)) << mistake.text << message;
  }
}

TEST(TomlDocument, ColumnsCountCharacters) {
  Diagnostics diagnostics;
  const auto root = parse_toml("\"\u00e9\u20ac\" = 1", 0, diagnostics);
  ASSERT_TRUE(root);
  EXPECT_EQ(std::get<Table>(root->is).entries[0].value.at, (Location{0, 1, 8}));
}

TEST(TomlDocument, EmptyTextsAreDocuments) {
  for (const auto text : {""sv, "\n"sv, "# only a comment"sv, "\xef\xbb\xbf"sv, "\r\n\t\r\n"sv}) {
    Diagnostics diagnostics;
    EXPECT_TRUE(parse_toml(text, 0, diagnostics)) << text;
  }
}

TEST(TomlDocument, SyntaxErrorsKnowTheirPlace) {
  EXPECT_EQ(refusal("a = 1\na = 2\n").at.line, 2U);
  EXPECT_EQ(refusal("a = 1\n[b\n").at.line, 2U);
  EXPECT_EQ(refusal("x = \"open\ny = 1").at.line, 1U);
  EXPECT_EQ(refusal("a = 99999999999999999999").at.line, 1U);
  EXPECT_EQ(refusal("a = 1 b = 2").at, (Location{0, 1, 7}));
}

// toml++ 3.3.0 ends the process over these.
TEST(TomlDocument, BrokenAssumptionsOfTheLibraryAreErrors) {
  const auto header = refusal("# \u00e9\na = 1\n[[^^namespace]]\nb = 2\n");
  EXPECT_EQ(header.at, (Location{0, 3, 3}));
  EXPECT_NE(header.message.find("not TOML"), std::string::npos);
  EXPECT_EQ(refusal("[^").at, (Location{0, 1, 2}));
}

TEST(TomlDocument, LettersBehindAJoinedLineAreLetters) {
  Diagnostics diagnostics;
  const auto root = parse_toml("a = \"\"\"x \\\n  \u00fcber\"\"\"", 0, diagnostics);
  ASSERT_TRUE(root);
  EXPECT_EQ(std::get<std::string>(std::get<Table>(root->is).entries[0].value.is), "x \u00fcber");
  EXPECT_EQ(refusal("\u00fc = 1").at, (Location{0, 1, 1}));
}

TEST(TomlDocument, TextIsUtf8WithoutNul) {
  const auto not_utf8 = refusal("ok = 1\nname = \"\xc3\xa9\xff\"\n");
  EXPECT_EQ(not_utf8.at, (Location{0, 2, 10}));
  EXPECT_NE(not_utf8.message.find("0xff"), std::string::npos);
  const auto nul = refusal("a = 1\n# \0\n"sv);
  EXPECT_EQ(nul.at, (Location{0, 2, 3}));
  EXPECT_NE(nul.message.find("NUL"), std::string::npos);
}

TEST(TomlDocument, NestingHasABound) {
  EXPECT_NE(refusal("a = " + repeated("[", 100'000)).message, "");
  EXPECT_NE(refusal("a = " + repeated("{ a = ", 100'000)).message, "");
  EXPECT_NE(refusal(repeated("a.", 100'000) + "a = 1").message, "");
  EXPECT_NE(refusal("[" + repeated("a . ", 100'000) + "a]").message, "");
  EXPECT_NE(refusal("x = 1\n[[" + repeated("'a b'.", 100'000) + "a]]").message, "");
  EXPECT_NE(refusal(repeated("\"a.\\\"b\".", 100'000) + "a = 1").message, "");
  // Every part alone is within its bound, together they are not.
  EXPECT_NE(
      refusal("[" + repeated("a.", 60) + "a]\n" + repeated("b.", 60) + "b = " + repeated("[", 60) + repeated("]", 60))
          .message,
      "");
}

TEST(TomlDocument, LongTextsAreNoDeepKeys) {
  const std::string names = repeated("name.example. and then ", 1000) + repeated("a.b.c, ", 1000);
  Diagnostics diagnostics;
  EXPECT_TRUE(parse_toml("# " + names + "\na = \"" + names + "\"\n", 0, diagnostics));
  EXPECT_TRUE(parse_toml(repeated("a.", 63) + "a = 1", 0, diagnostics));
}

TEST(TomlDocument, SizeHasABound) {
  const std::string text(bounds::toml_bytes + 1, '\n');
  EXPECT_NE(refusal(text).message.find("larger"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::config
