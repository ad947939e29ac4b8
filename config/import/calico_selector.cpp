#include "config/import/calico_selector.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"

namespace sallyport::config {
namespace {

using Operator = SelectorTerm::Operator;
using Terms = std::vector<SelectorTerm>;  // all of them
using Alternatives = std::vector<Terms>;  // any of them

constexpr std::size_t most_alternatives = 64;
constexpr std::size_t most_terms = 64;
constexpr unsigned deepest = 32;

// Thrown and caught in this file only.
struct Wrong {
  std::string why;
};

// An expression and its opposite, so that "!" only swaps them.
struct Expression {
  Alternatives yes;
  Alternatives no;
};

Alternatives either(Alternatives a, Alternatives b) {
  std::move(b.begin(), b.end(), std::back_inserter(a));
  if (a.size() > most_alternatives) throw Wrong{"it has too many alternatives"};
  return a;
}

Alternatives both(const Alternatives& a, const Alternatives& b) {
  if (a.size() * b.size() > most_alternatives) throw Wrong{"it has too many alternatives"};
  Alternatives product;
  for (const Terms& left : a) {
    for (const Terms& right : b) {
      Terms terms = left;
      terms.insert(terms.end(), right.begin(), right.end());
      if (terms.size() > most_terms) throw Wrong{"it has too many terms"};
      product.push_back(std::move(terms));
    }
  }
  return product;
}

Expression term(std::string key, Operator op, Operator opposite, std::vector<std::string> values) {
  SelectorTerm yes{std::move(key), op, std::move(values)};
  SelectorTerm no = yes;
  no.op = opposite;
  return {{{std::move(yes)}}, {{std::move(no)}}};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Expression parse() {
    Expression all = disjunction(0);
    blanks();
    if (!rest_.empty()) throw Wrong{fmt::format("{} is not understood", in_quotes(rest_))};
    return all;
  }

 private:
  void blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }

  bool take(std::string_view word) {
    blanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  void expect(std::string_view word) {
    if (!take(word)) throw Wrong{fmt::format("{} is expected before {}", in_quotes(word), in_quotes(rest_))};
  }

  Expression disjunction(unsigned depth) {
    if (depth > deepest) throw Wrong{"it is nested too deep"};
    Expression left = conjunction(depth);
    while (take("||")) {
      const Expression right = conjunction(depth);
      left = {either(std::move(left.yes), right.yes), both(left.no, right.no)};
    }
    return left;
  }

  Expression conjunction(unsigned depth) {
    Expression left = negation(depth);
    while (take("&&")) {
      const Expression right = negation(depth);
      left = {both(left.yes, right.yes), either(std::move(left.no), right.no)};
    }
    return left;
  }

  Expression negation(unsigned depth) {
    bool negated = false;
    while (take("!")) negated = !negated;
    Expression inner = primary(depth);
    if (negated) std::swap(inner.yes, inner.no);
    return inner;
  }

  Expression primary(unsigned depth) {
    if (take("(")) {
      Expression inner = disjunction(depth + 1);
      expect(")");
      return inner;
    }
    if (take("all()")) return {{{}}, {}};
    if (take("has(")) {
      std::string key = label();
      expect(")");
      return term(std::move(key), Operator::exists, Operator::does_not_exist, {});
    }
    std::string key = label();
    if (take("==")) return term(std::move(key), Operator::in, Operator::not_in, {value()});
    if (take("!=")) return term(std::move(key), Operator::not_in, Operator::in, {value()});
    if (take("not")) {
      expect("in");
      return term(std::move(key), Operator::not_in, Operator::in, values());
    }
    if (take("in")) return term(std::move(key), Operator::in, Operator::not_in, values());
    throw Wrong{fmt::format("behind {}, {} is no comparison that can be kept", in_quotes(key), in_quotes(rest_))};
  }

  std::string label() {
    blanks();
    const std::size_t end = std::min(
        rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-"), rest_.size());
    if (end == 0 || end > bounds::label_key_bytes)
      throw Wrong{fmt::format("no label stands before {}", in_quotes(rest_))};
    std::string key(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return key;
  }

  std::string value() {
    blanks();
    const char quote = rest_.empty() ? ' ' : rest_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : std::string_view::npos;
    if (end > bounds::label_value_bytes + 1) {  // or there is none
      throw Wrong{fmt::format("no value in quotes stands before {}", in_quotes(rest_))};
    }
    std::string text(rest_.substr(1, end - 1));
    if (std::any_of(text.begin(), text.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
      throw Wrong{"a value holds control characters"};
    }
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::vector<std::string> values() {
    std::vector<std::string> list;
    expect("{");
    do {
      list.push_back(value());
      if (list.size() > most_terms) throw Wrong{"it has too many values"};
    } while (take(","));
    expect("}");
    return list;
  }

  std::string_view rest_;
};

// What equals one value goes to match_labels, where readers look first.
Selector selector_of(Terms terms) {
  Selector selector;
  for (SelectorTerm& each : terms) {
    const bool equals = each.op == Operator::in && each.values.size() == 1;
    if (equals && selector.match_labels.emplace(each.key, each.values.front()).second) continue;
    selector.match_expressions.push_back(std::move(each));
  }
  return selector;
}

}  // namespace

Parsed<CalicoSelector> parse_calico_selector(std::string_view text) {
  CalicoSelector selector;
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n'; };
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  if (text.empty()) {
    selector.alternatives.emplace_back();
    return selector;
  }
  if (text == "global()") {
    selector.global = true;
    return selector;
  }
  try {
    for (Terms& terms : Parser(text).parse().yes) selector.alternatives.push_back(selector_of(std::move(terms)));
    return selector;
  } catch (const Wrong& wrong) {
    return Parsed<CalicoSelector>::failure(fmt::format("selector {}: {}", in_quotes(text), wrong.why));
  }
}

}  // namespace sallyport::config
