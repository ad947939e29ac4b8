#include "classifier/selectors.h"

#include <gtest/gtest.h>

namespace sallyport::classifier {
namespace {

using Term = config::SelectorTerm;
using Operator = config::SelectorTerm::Operator;

const config::Labels labels{{"app", "web"}, {"env", "prod"}, {"empty", ""}};

bool term(const char* key, Operator op, std::vector<std::string> values = {}) {
  return matches({{}, {Term{key, op, std::move(values)}}}, labels);
}

TEST(Selectors, EmptySelectsEverything) {
  EXPECT_TRUE(matches({}, labels));
  EXPECT_TRUE(matches({}, {}));
}

TEST(Selectors, MatchLabels) {
  EXPECT_TRUE(matches({{{"app", "web"}}, {}}, labels));
  EXPECT_TRUE(matches({{{"app", "web"}, {"env", "prod"}}, {}}, labels));
  EXPECT_FALSE(matches({{{"app", "web"}, {"env", "dev"}}, {}}, labels));
  EXPECT_FALSE(matches({{{"absent", ""}}, {}}, labels));
  EXPECT_TRUE(matches({{{"empty", ""}}, {}}, labels));
}

TEST(Selectors, In) {
  EXPECT_TRUE(term("app", Operator::in, {"db", "web"}));
  EXPECT_FALSE(term("app", Operator::in, {"db"}));
  EXPECT_FALSE(term("absent", Operator::in, {"web", ""}));
}

TEST(Selectors, NotInHoldsWhereTheKeyIsAbsent) {
  EXPECT_FALSE(term("app", Operator::not_in, {"db", "web"}));
  EXPECT_TRUE(term("app", Operator::not_in, {"db"}));
  EXPECT_TRUE(term("absent", Operator::not_in, {"web"}));
}

TEST(Selectors, Exists) {
  EXPECT_TRUE(term("empty", Operator::exists));
  EXPECT_FALSE(term("absent", Operator::exists));
}

TEST(Selectors, DoesNotExist) {
  EXPECT_FALSE(term("empty", Operator::does_not_exist));
  EXPECT_TRUE(term("absent", Operator::does_not_exist));
}

TEST(Selectors, AllTermsMustHold) {
  const Term web{"app", Operator::in, {"web"}};
  const Term no_tier{"tier", Operator::does_not_exist, {}};
  const Term no_env{"env", Operator::does_not_exist, {}};
  EXPECT_TRUE(matches({{{"env", "prod"}}, {web, no_tier}}, labels));
  EXPECT_FALSE(matches({{{"env", "prod"}}, {web, no_env}}, labels));
  EXPECT_FALSE(matches({{{"env", "dev"}}, {web, no_tier}}, labels));
}

}  // namespace
}  // namespace sallyport::classifier
