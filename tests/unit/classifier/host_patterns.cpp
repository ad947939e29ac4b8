#include "classifier/host_patterns.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "guard_page.h"

namespace sallyport::classifier {
namespace {

using config::HostPattern;
using Kind = HostPattern::Kind;
using Patterns = std::shared_ptr<const HostPatterns>;

Patterns compiled(const std::vector<HostPattern>& patterns, const HostPatterns* previous = nullptr) {
  HostPatterns::Builder builder;
  for (const HostPattern& pattern : patterns) (void)builder.add(pattern);
  return std::get<Patterns>(HostPatterns::compile(std::move(builder), previous));
}

std::vector<HostPatternError> errors_of(const std::vector<std::string>& regexes) {
  HostPatterns::Builder builder;
  std::uint32_t line = 1;
  for (const std::string& regex : regexes) (void)builder.add({Kind::regex, regex, {0, line++, 5}});
  auto result = HostPatterns::compile(std::move(builder));
  if (std::holds_alternative<Patterns>(result)) return {};
  return std::get<std::vector<HostPatternError>>(std::move(result));
}

// "0" or "0!" for every hit of a literal (! where it is the whole name), "r0" for one of a regex; sorted.
std::string hits(const Patterns& patterns, const HostName& name) {
  std::vector<std::string> all;
  const HostPatterns::OnMatch on_match = [](void* context, HostPatternId id, bool whole) noexcept {
    static_cast<std::vector<std::string>*>(context)->push_back(
        id.regex ? "r" + std::to_string(id.number) : std::to_string(id.number) + (whole ? "!" : ""));
  };
  const auto scratch = patterns->make_scratch();
  patterns->scan_literals(name, *scratch, on_match, &all);
  patterns->scan_regexes(name, *scratch, on_match, &all);
  std::sort(all.begin(), all.end());
  std::string text;
  for (const std::string& hit : all) text += (text.empty() ? "" : " ") + hit;
  return text;
}
std::string hits(const Patterns& patterns, std::string_view name) { return hits(patterns, *normalise(name)); }

TEST(HostPatterns, SamePatternSameId) {
  HostPatterns::Builder builder;
  const HostPatternId exact = builder.add({Kind::exact, "example.com", {}});
  EXPECT_EQ(builder.add({Kind::wildcard, "example.com", {}}), exact) << "one literal serves all three kinds";
  EXPECT_EQ(builder.add({Kind::apex, "example.com", {}}), exact);
  EXPECT_NE(builder.add({Kind::regex, "example.com", {}}), exact);
  EXPECT_NE(builder.add({Kind::exact, "example.org", {}}), exact);
  const auto patterns = std::get<Patterns>(HostPatterns::compile(std::move(builder)));
  EXPECT_EQ(patterns->literals(), 2U);
  EXPECT_EQ(patterns->regexes(), 1U);
  EXPECT_EQ(patterns->text_bytes(exact), 11U);
}

TEST(HostPatterns, NoPatternsNoHits) {
  const Patterns patterns = compiled({});
  EXPECT_EQ(hits(patterns, "example.com"), "");
  EXPECT_EQ(patterns->memory_bytes(), 0U);
}

TEST(HostPatterns, LiteralsEndAtLabels) {
  const Patterns patterns =
      compiled({{Kind::exact, "example.com", {}}, {Kind::exact, "com", {}}, {Kind::exact, "a.example.com", {}}});
  EXPECT_EQ(hits(patterns, "example.com"), "0! 1");
  EXPECT_EQ(hits(patterns, "com"), "1!");
  EXPECT_EQ(hits(patterns, "a.example.com"), "0 1 2!");
  EXPECT_EQ(hits(patterns, "b.a.example.com"), "0 1 2");
  EXPECT_EQ(hits(patterns, "aa.example.com"), "0 1");
  for (const char* name : {"example.com.evil.org", "comm", "example", "moc"})
    EXPECT_EQ(hits(patterns, name), "") << name;
  for (const char* name : {"fooexample.com", "ple.com"}) EXPECT_EQ(hits(patterns, name), "1") << name;
  EXPECT_EQ(hits(patterns, "example.com.com.com"), "1");
}

TEST(HostPatterns, Case59RegexMatchesTheWholeName) {
  const Patterns patterns = compiled({{Kind::regex, R"(api-[0-9]+\.example\.com)", {}},
                                      {Kind::regex, "a|ab", {}},
                                      {Kind::regex, R"(.*\.example\.org)", {}}});
  EXPECT_EQ(hits(patterns, "api-12.example.com"), "r0");
  for (const char* name : {"api-.example.com", "api-1xexample.com", "api-1.example.com.evil", "xapi-1.example.com",
                           "evil.api-1.example.com"}) {
    EXPECT_EQ(hits(patterns, name), "") << name;
  }
  EXPECT_EQ(hits(patterns, "a"), "r1") << "top-level alternation is anchored on both sides";
  EXPECT_EQ(hits(patterns, "ab"), "r1");
  EXPECT_EQ(hits(patterns, "abc"), "");
  EXPECT_EQ(hits(patterns, "ba"), "");
  EXPECT_EQ(hits(patterns, "x.y.example.org"), "r2");
  EXPECT_EQ(hits(patterns, "example.org"), "");
}

TEST(HostPatterns, RegexesDoNotKnowCase) {
  const Patterns patterns = compiled({{Kind::regex, R"(WWW\.Example\.COM)", {}}, {Kind::regex, "[A-Z]+", {}}});
  EXPECT_EQ(hits(patterns, "www.EXAMPLE.com"), "r0");
  EXPECT_EQ(hits(patterns, "localhost"), "r1");
}

TEST(HostPatterns, RegexesMayHaveTheirOwnAnchors) {
  const Patterns patterns =
      compiled({{Kind::regex, R"(^www\.example\.com$)", {}}, {Kind::regex, "^a$|^b$", {}}, {Kind::regex, "", {}}});
  EXPECT_EQ(hits(patterns, "www.example.com"), "r0");
  EXPECT_EQ(hits(patterns, "b"), "r1");
  EXPECT_EQ(hits(patterns, "a.b"), "");
}

TEST(HostPatterns, EveryBadRegexIsTold) {
  const auto errors = errors_of({"fine", "(", "[z-a]", R"((a)\1)", "(?=x)y", "also-fine", "a{2,1}"});
  ASSERT_EQ(errors.size(), 5U);
  for (const HostPatternError& error : errors) EXPECT_FALSE(error.message.empty()) << error.pattern.text;
  EXPECT_EQ(errors[0].pattern.text, "(");
  EXPECT_EQ(errors[0].pattern.at.line, 2U);
  EXPECT_EQ(errors[4].pattern.at.line, 7U);
}

// What would change its meaning, or that of its neighbours, inside the anchors.
TEST(HostPatterns, RegexesThatReachOutOfTheirBrackets) {
  for (const char* regex : {"a)|(b", ")", "a)(", R"(a\)", "a(?#", R"(\Qabc)", "(?x)a #"}) {
    EXPECT_EQ(errors_of({regex}).size(), 1U) << regex;
  }
}

TEST(HostPatterns, TooLargeARegexIsAnError) { EXPECT_EQ(errors_of({"(a{1,30000}b{1,30000}){1,30000}"}).size(), 1U); }

TEST(HostPatterns, DatabasesOfTheSamePatternsAreShared) {
  const std::vector<HostPattern> patterns{{Kind::exact, "example.com", {}}, {Kind::regex, "a+", {}}};
  Patterns second;
  {
    const Patterns first = compiled(patterns);
    second = compiled(patterns, first.get());
  }
  EXPECT_EQ(hits(second, "example.com"), "0!");
  EXPECT_EQ(hits(second, "aaa"), "r0");
  const Patterns third = compiled({{Kind::exact, "example.org", {}}, {Kind::regex, "b+", {}}}, second.get());
  EXPECT_EQ(hits(third, "example.com"), "");
  EXPECT_EQ(hits(third, "example.org"), "0!");
  EXPECT_EQ(hits(third, "bbb"), "r0");
}

// Hyperscan 5.4.0 reads behind what it scans. A name whose last byte is the last of its page must do no harm: it is
// copied first.
TEST(HostPatterns, NameBeforeAnUnmappedPage) {
  std::vector<HostPattern> all;
  for (int i = 0; i < 3'000; ++i) all.push_back({Kind::exact, "n" + std::to_string(i) + ".example.com", {}});
  all.push_back({Kind::exact, "com", {}});
  all.push_back({Kind::regex, R"([a-z.]*\.com)", {}});
  const Patterns patterns = compiled(all);
  GuardPage page;
  for (std::size_t size = 1; size <= 249; ++size) {
    std::string text;
    while (text.size() < size) text += text.size() % 40 == 39 && text.size() + 1 < size ? '.' : 'a';
    const HostName& name = *new (page.last(sizeof(HostName), alignof(HostName))) HostName(*normalise(text + ".com"));
    EXPECT_EQ(hits(patterns, name), "3000 r0") << text;
  }
}

}  // namespace
}  // namespace sallyport::classifier
