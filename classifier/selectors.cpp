#include "classifier/selectors.h"

#include <algorithm>

namespace sallyport::classifier {

namespace {

bool holds(const config::SelectorTerm& term, const config::Labels& labels) {
  using Operator = config::SelectorTerm::Operator;
  const auto label = labels.find(term.key);
  const bool exists = label != labels.end();
  const auto listed = [&] {
    return exists && std::find(term.values.begin(), term.values.end(), label->second) != term.values.end();
  };
  switch (term.op) {
    case Operator::in:
      return listed();
    case Operator::not_in:
      return !listed();
    case Operator::exists:
      return exists;
    case Operator::does_not_exist:
      return !exists;
  }
  return false;
}

}  // namespace

bool matches(const config::Selector& selector, const config::Labels& labels) {
  const auto equals = [&](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  };
  return std::all_of(selector.match_labels.begin(), selector.match_labels.end(), equals) &&
         std::all_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](const config::SelectorTerm& term) { return holds(term, labels); });
}

}  // namespace sallyport::classifier
