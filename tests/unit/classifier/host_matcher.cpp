#include "classifier/host_matcher.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>
#include <regex.h>

namespace sallyport::classifier {
namespace {

using config::HostPattern;
using config::RouteAction;
using Kind = HostPattern::Kind;
constexpr std::uint32_t none = HostMatcher::none;

struct Route {
  Kind kind = Kind::exact;
  std::string text;
  RouteAction action = RouteAction::allow;
  std::shared_ptr<const DomainSet> set;  // instead of a pattern
};
Route exact(std::string text, RouteAction action = RouteAction::allow) {
  return {Kind::exact, std::move(text), action, {}};
}
Route wildcard(std::string text, RouteAction action = RouteAction::allow) {
  return {Kind::wildcard, std::move(text), action, {}};
}
Route apex(std::string text, RouteAction action = RouteAction::allow) {
  return {Kind::apex, std::move(text), action, {}};
}
Route regex(std::string text, RouteAction action = RouteAction::allow) {
  return {Kind::regex, std::move(text), action, {}};
}
Route set(DomainSet::Match match, const std::vector<std::string>& names, RouteAction action = RouteAction::allow) {
  return {Kind::exact, "", action, std::make_shared<const DomainSet>(match, names)};
}

// A table whose values and file order are the places of its routes.
class Table {
 public:
  explicit Table(const std::vector<Route>& routes) {
    HostPatterns::Builder builder;
    std::vector<HostMatcher::Entry> entries;
    for (const Route& route : routes) {
      HostMatcher::Entry entry;
      if (route.set != nullptr) {
        entry.names = route.set;
      } else {
        entry.names = builder.add({route.kind, route.text, {}});
      }
      entry.kind = route.kind;
      entry.action = route.action;
      entry.value = entry.order = static_cast<std::uint32_t>(entries.size());
      entries.push_back(entry);
    }
    auto patterns = std::get<std::shared_ptr<const HostPatterns>>(HostPatterns::compile(std::move(builder)));
    scratch_ = patterns->make_scratch();
    matcher_.emplace(std::move(patterns), std::move(entries));
  }

  [[nodiscard]] HostMatcher::Result result(std::string_view name) const {
    return matcher_->match(*normalise(name), *scratch_);
  }
  [[nodiscard]] std::uint32_t match(std::string_view name) const { return result(name).value; }
  [[nodiscard]] std::vector<HostMatcher::Result> results(const std::vector<HostName>& names) const {
    std::vector<HostMatcher::Result> results(names.size());
    matcher_->match(names, *scratch_, results);
    return results;
  }
  [[nodiscard]] std::vector<std::uint32_t> all(std::string_view name) const {
    std::vector<std::uint32_t> values;
    for (const auto& candidate : matcher_->match_all(*normalise(name), *scratch_)) values.push_back(candidate.value);
    return values;
  }

 private:
  HostPatterns::Scratch scratch_;
  std::optional<HostMatcher> matcher_;
};

TEST(HostMatcher, EmptyTable) {
  EXPECT_EQ(Table({}).match("example.com"), none);
  EXPECT_TRUE(Table({}).all("example.com").empty());
}

TEST(HostMatcher, Case46Exact) {
  const Table table({exact("example.com")});
  EXPECT_EQ(table.match("example.com"), 0U);
  EXPECT_EQ(table.match("example.com."), 0U);
  EXPECT_EQ(table.match("EXAMPLE.com"), 0U);
  for (const char* name : {"www.example.com", "com", "fooexample.com", "example.com.evil.org", "example.co"})
    EXPECT_EQ(table.match(name), none) << name;
}

TEST(HostMatcher, Case47WildcardNeverMatchesApex) {
  const Table table({wildcard("example.com")});
  EXPECT_EQ(table.match("foo.example.com"), 0U);
  EXPECT_EQ(table.match("bar.foo.example.com"), 0U);
  for (const char* name : {"example.com", "fooexample.com", "example.com.evil.org", "foo.example.com.evil.org"})
    EXPECT_EQ(table.match(name), none) << name;
}

TEST(HostMatcher, ApexIsTheNameAndAllBelow) {
  const Table table({apex("example.com")});
  for (const char* name : {"example.com", "foo.example.com", "bar.foo.example.com"})
    EXPECT_EQ(table.match(name), 0U) << name;
  for (const char* name : {"fooexample.com", "example.com.evil.org", "com"}) EXPECT_EQ(table.match(name), none) << name;
}

TEST(HostMatcher, Case48ExactBeforeLongerBeforeShorterBeforeRegex) {
  const Table table(
      {regex(".*"), wildcard("com"), wildcard("example.com"), exact("abc.example.com"), apex("sub.example.com")});
  EXPECT_EQ(table.match("abc.example.com"), 3U);
  EXPECT_EQ(table.match("xyz.example.com"), 2U);
  EXPECT_EQ(table.match("example.com"), 1U);
  EXPECT_EQ(table.match("sub.example.com"), 4U);
  EXPECT_EQ(table.match("x.sub.example.com"), 4U);
  EXPECT_EQ(table.match("com"), 0U);
  EXPECT_EQ(table.all("abc.example.com"), (std::vector<std::uint32_t>{3, 2, 1, 0}));
}

TEST(HostMatcher, ExactBeatsApexOfTheSameName) {
  const Table table({apex("example.com", RouteAction::deny), exact("example.com")});
  EXPECT_EQ(table.match("example.com"), 1U) << "less specific, though it denies";
  EXPECT_EQ(table.match("www.example.com"), 0U);
}

TEST(HostMatcher, Case52DenyBeatsAllowThenFileOrder) {
  EXPECT_EQ(Table({exact("a.b"), exact("a.b", RouteAction::deny), exact("a.b", RouteAction::deny)}).match("a.b"), 1U);
  EXPECT_EQ(Table({exact("a.b"), exact("a.b")}).match("a.b"), 0U);
  EXPECT_EQ(Table({wildcard("b"), apex("b", RouteAction::deny)}).match("a.b"), 1U)
      << "wildcard and apex are equally specific";
  EXPECT_EQ(Table({apex("b"), wildcard("b")}).match("a.b"), 0U);
  EXPECT_EQ(Table({regex("a.*"), regex(".*b", RouteAction::deny)}).match("a.b"), 1U);
  EXPECT_EQ(Table({regex("a.*"), regex(".*b")}).match("a.b"), 0U);
}

TEST(HostMatcher, NamesOfASetRankAsIfWritten) {
  const auto subdomains = [](std::vector<std::string> names, RouteAction action = RouteAction::allow) {
    return set(DomainSet::Match::subdomains, names, action);
  };
  EXPECT_EQ(Table({subdomains({"example.com"}), exact("example.com")}).match("example.com"), 1U);
  EXPECT_EQ(Table({set(DomainSet::Match::exact, {"example.com"}), exact("example.com")}).match("example.com"), 0U);
  EXPECT_EQ(Table({exact("example.com"), set(DomainSet::Match::exact, {"example.com"}, RouteAction::deny)})
                .match("example.com"),
            1U);
  EXPECT_EQ(Table({wildcard("com"), subdomains({"com", "b.example.com"})}).match("a.b.example.com"), 1U)
      << "the longest name of the set";
  EXPECT_EQ(Table({wildcard("b.example.com"), subdomains({"example.com"})}).match("a.b.example.com"), 0U);
  EXPECT_EQ(Table({apex("example.com"), subdomains({"example.com"}, RouteAction::deny)}).match("www.example.com"), 1U);
  EXPECT_EQ(Table({regex(".*"), subdomains({"com"})}).match("www.example.com"), 1U);
  EXPECT_EQ(Table({subdomains({"com"}), subdomains({"example.com"})}).all("www.example.com"),
            (std::vector<std::uint32_t>{1, 0}));
  EXPECT_EQ(Table({subdomains({"example.com"})}).match("example.org"), none);
}

TEST(HostMatcher, AuditDoesNotDecideAndIsReportedWhereItWouldHave) {
  const Table table({wildcard("example.com"), exact("www.example.com", RouteAction::audit),
                     wildcard("com", RouteAction::audit), apex("org", RouteAction::audit)});
  EXPECT_EQ(table.result("www.example.com").value, 0U);
  EXPECT_EQ(table.result("www.example.com").audited, 1U);
  EXPECT_EQ(table.result("ftp.example.com").value, 0U);
  EXPECT_EQ(table.result("ftp.example.com").audited, none) << "the wildcard for com stands behind";
  EXPECT_EQ(table.result("a.org").value, none);
  EXPECT_EQ(table.result("a.org").audited, 3U);
  EXPECT_EQ(Table({exact("a.b", RouteAction::audit), exact("a.b", RouteAction::deny)}).result("a.b").audited, none);
  EXPECT_EQ(Table({exact("a.b", RouteAction::audit), exact("a.b")}).result("a.b").audited, 0U);
}

// Several tables over one set of patterns do not see each other's.
TEST(HostMatcher, TablesShareThePatterns) {
  HostPatterns::Builder builder;
  const HostPatternId shared = builder.add({Kind::wildcard, "example.com", {}});
  const HostPatternId other = builder.add({Kind::exact, "www.example.com", {}});
  const HostPatternId expression = builder.add({Kind::regex, ".*", {}});
  const auto patterns = std::get<std::shared_ptr<const HostPatterns>>(HostPatterns::compile(std::move(builder)));
  const auto scratch = patterns->make_scratch();
  const HostMatcher first(patterns, {{shared, Kind::wildcard, RouteAction::allow, 1, 1}});
  const HostMatcher second(
      patterns, {{shared, Kind::wildcard, RouteAction::allow, 2, 1}, {other, Kind::exact, RouteAction::allow, 3, 2}});
  const HostMatcher third(patterns, {{expression, Kind::regex, RouteAction::allow, 4, 1}});
  const HostName name = *normalise("www.example.com");
  EXPECT_EQ(first.match(name, *scratch).value, 1U);
  EXPECT_EQ(second.match(name, *scratch).value, 3U);
  EXPECT_EQ(third.match(name, *scratch).value, 4U);
  EXPECT_EQ(third.match(*normalise("org"), *scratch).value, 4U);
  EXPECT_EQ(first.match(*normalise("org"), *scratch).value, none);
}

// POSIX extended, caseless, the whole text.
class Expression {
 public:
  explicit Expression(const std::string& text) {
    if (regcomp(&compiled_, ("^(" + text + ")$").c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) std::abort();
  }
  ~Expression() { regfree(&compiled_); }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  [[nodiscard]] bool matches(const std::string& name) const {
    return regexec(&compiled_, name.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
};

// The rules of precedence once more, as plainly as they can be said.
class NaiveMatcher {
 public:
  NaiveMatcher(std::vector<Route> routes, std::vector<std::vector<std::string>> set_names)
      : routes_(std::move(routes)), set_names_(std::move(set_names)) {
    for (const Route& route : routes_) regexes_.emplace_back(route.kind == Kind::regex ? route.text : "x");
  }

  [[nodiscard]] std::vector<std::uint32_t> all(const std::string& name) const {
    // Lower is better: regex, apex or wildcard, length, not deny, order.
    std::vector<std::tuple<bool, bool, int, bool, std::uint32_t>> found;
    for (std::uint32_t i = 0; i < routes_.size(); ++i) {
      const bool deny = routes_[i].action == RouteAction::deny;
      if (const auto length = matched(i, name)) {
        const bool is_regex = routes_[i].kind == Kind::regex;
        const bool is_exact = routes_[i].set == nullptr ? routes_[i].kind == Kind::exact
                                                        : routes_[i].set->match() == DomainSet::Match::exact;
        found.emplace_back(is_regex, !is_exact, -*length, !deny, i);
      }
    }
    std::sort(found.begin(), found.end());
    std::vector<std::uint32_t> values;
    for (const auto& entry : found) values.push_back(std::get<4>(entry));
    return values;
  }

 private:
  static bool is_below(const std::string& name, const std::string& text) { return name.ends_with("." + text); }

  [[nodiscard]] std::optional<int> matched(std::uint32_t i, const std::string& name) const {
    const Route& route = routes_[i];
    if (route.set != nullptr) {
      std::optional<int> longest;
      const bool subdomains = route.set->match() == DomainSet::Match::subdomains;
      for (const std::string& text : set_names_[i]) {
        if (name == text || (subdomains && is_below(name, text)))
          longest = std::max(longest.value_or(0), static_cast<int>(text.size()));
      }
      return longest;
    }
    const auto length = static_cast<int>(route.text.size());
    switch (route.kind) {
      case Kind::exact:
        return name == route.text ? std::optional(length) : std::nullopt;
      case Kind::wildcard:
        return is_below(name, route.text) ? std::optional(length) : std::nullopt;
      case Kind::apex:
        return name == route.text || is_below(name, route.text) ? std::optional(length) : std::nullopt;
      case Kind::regex:
        return regexes_[i].matches(name) ? std::optional(0) : std::nullopt;
    }
    return std::nullopt;
  }

  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> set_names_;
  std::deque<Expression> regexes_;
};

class RandomRoutes {
 public:
  explicit RandomRoutes(unsigned seed) : random_(seed) {}

  // Labels that are parts of one another, so names nearly match.
  std::string name(unsigned labels_max) {
    static const std::vector<std::string> labels{"a",   "b",  "ab",   "ba",  "aa", "example", "xample",
                                                 "com", "co", "evil", "x-1", "_t", "a-b",     "1"};
    std::string text;
    for (std::size_t left = 1 + below(labels_max); left > 0; --left)
      text += (text.empty() ? "" : ".") + labels[below(labels.size())];
    return text;
  }
  std::string expression() {
    static const std::vector<std::string> parts{"a",        "b",      "[ab]+",       R"(\.)",  ".*",
                                                "(com|co)", "x?",     R"([a-z]+\.)", "A",      "[^.]*",
                                                "(a|b.)*",  R"(\w+)", "1|2",         "example"};
    std::string text;
    for (std::size_t left = 1 + below(5); left > 0; --left) text += parts[below(parts.size())];
    return text;
  }
  RouteAction action() { return below(3) == 0 ? RouteAction::deny : RouteAction::allow; }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  std::mt19937 random_;
};

TEST(HostMatcher, Case59LikeNaiveOnRandomTables) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    RandomRoutes random(seed);
    std::vector<Route> routes;
    std::vector<std::vector<std::string>> set_names;
    for (std::size_t left = 1 + random.below(40); left > 0; --left) {
      set_names.emplace_back();
      switch (random.below(5)) {
        case 0:
          routes.push_back(exact(random.name(4), random.action()));
          break;
        case 1:
          routes.push_back(wildcard(random.name(3), random.action()));
          break;
        case 2:
          routes.push_back(apex(random.name(3), random.action()));
          break;
        case 3:
          routes.push_back(regex(random.expression(), random.action()));
          break;
        default:
          for (std::size_t i = 0; i < 20; ++i) set_names.back().push_back(random.name(3));
          routes.push_back(set(random.below(2) == 0 ? DomainSet::Match::exact : DomainSet::Match::subdomains,
                               set_names.back(), random.action()));
      }
    }
    const Table table(routes);
    const NaiveMatcher naive(routes, set_names);
    std::vector<HostName> asked;
    for (int i = 0; i < 200; ++i) {
      const std::string name = random.name(5);
      asked.push_back(*normalise(name));
      const auto expected = naive.all(name);
      ASSERT_EQ(table.all(name), expected) << "seed " << seed << ", " << name;
      ASSERT_EQ(table.match(name), expected.empty() ? none : expected.front()) << "seed " << seed << ", " << name;
    }
    asked.resize(asked.size() - seed % HostMatcher::batch_max);
    const auto together = table.results(asked);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const HostMatcher::Result alone = table.result(asked[i].view());
      ASSERT_EQ(together[i].value, alone.value) << "seed " << seed << ", " << asked[i].view();
      ASSERT_EQ(together[i].audited, alone.audited) << "seed " << seed << ", " << asked[i].view();
    }
  }
}

TEST(HostMatcher, Case59AHundredThousandNames) {
  std::mt19937 random(59);
  std::vector<Route> routes;
  std::vector<std::string> names;
  const auto name = [&] {
    std::string text;
    for (std::size_t left = 1 + random() % 3; left > 0; --left)
      text += std::string("n") + std::to_string(random() % 3'000) + ".";
    return text + (random() % 2 == 0 ? "com" : "example.org");
  };
  std::unordered_map<std::string, std::uint32_t> by_text;
  while (routes.size() < 100'000) {
    const std::string text = name();
    if (!by_text.emplace(text, static_cast<std::uint32_t>(routes.size())).second) continue;
    routes.push_back(apex(text));
  }
  const Table table(routes);
  for (int i = 0; i < 50'000; ++i) {
    const std::string asked = name();
    std::uint32_t expected = none;
    for (std::size_t start = 0; start != std::string::npos && expected == none;) {
      if (const auto known = by_text.find(asked.substr(start)); known != by_text.end()) expected = known->second;
      const std::size_t dot = asked.find('.', start);
      start = dot == std::string::npos ? dot : dot + 1;
    }
    ASSERT_EQ(table.match(asked), expected) << asked;
  }
}

}  // namespace
}  // namespace sallyport::classifier
