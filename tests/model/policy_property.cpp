// The classifier and the oracle, asked the same random questions about the same random policies.
//
// SALLYPORT_SEED replays a run, SALLYPORT_DECISIONS says how many questions. A failure prints the seed of its policy:
// with it in SALLYPORT_SEED that policy is the first one.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "classifier/policy.h"
#include "policy_model_oracle.h"
#include "random_policy.h"

namespace sallyport::model {

void PrintTo(const Verdict& verdict, std::ostream* out) {
  *out << (verdict.needs_name ? "(by name) " : "") << verdict.action << " " << verdict.reason
       << " rule=" << verdict.rule << " network=" << verdict.network << (verdict.audited ? " audited" : "");
}
void PrintTo(const Egress& egress, std::ostream* out) {
  *out << egress.kind << " " << egress.name;
  for (const std::string& address : egress.addresses) *out << " " << address;
}
void PrintTo(const Owner& owner, std::ostream* out) { *out << owner.namespace_name << "/" << owner.workload; }

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string shown_text(const Question& question) {
  switch (question.speaks) {
    case Question::Speaks::nothing:
      return "speaks nothing known";
    case Question::Speaks::hello:
      return "shows \"" + question.name + "\" in a hello";
    case Question::Speaks::http:
    case Question::Speaks::http2:
      break;
  }
  std::string text = question.speaks == Question::Speaks::http ? "HTTP/1.1 " : "HTTP/2 ";
  text += question.method + " " + question.target + " of \"" + question.name + "\"";
  for (const auto& [name, value] : question.headers) text += " [" + name + ": " + value + "]";
  return text;
}

std::string said_text(const Question& question) {
  std::string text;
  for (const auto& [name, address] : question.said) text += ", " + name + " has " + to_string(address);
  return text;
}

std::string described(const Question& question) {
  constexpr std::array protocols{"tcp", "udp", "sctp", "icmp"};
  return to_string(question.source) + " -> " + to_string(question.destination) + " " +
         protocols.at(static_cast<std::size_t>(question.protocol)) + "/" + std::to_string(question.port) + " " +
         shown_text(question) + (question.ech ? " with ECH" : "") + said_text(question);
}

// What DNS has said, to the classifier.
class Said final : public classifier::BoundNames {
 public:
  explicit Said(const Question& question) : said_(question.said) {}
  [[nodiscard]] bool knows(const IpAddress& address) const noexcept override {
    return std::any_of(said_.begin(), said_.end(), [&](const auto& one) { return one.second == address; });
  }
  [[nodiscard]] bool binds(const classifier::Domain& domain, const IpAddress& address) const noexcept override {
    using Kind = classifier::Domain::Kind;
    return std::any_of(said_.begin(), said_.end(), [&](const auto& one) {
      const auto& [name, its_address] = one;
      const bool below = name.ends_with("." + std::string(domain.text));
      return its_address == address &&
             ((domain.kind != Kind::exact && below) || (domain.kind != Kind::below && name == domain.text));
    });
  }

 private:
  const std::vector<std::pair<std::string, IpAddress>>& said_;
};

// A policy compiled, with what it needs to be asked.
class Compiled {
 public:
  explicit Compiled(config::PolicyModel model) : compiled_(classifier::Policy::compile(std::move(model), identities_)) {
    if (compiled_.policy) scratch_ = compiled_.policy->make_scratch();
  }

  [[nodiscard]] bool valid() const { return compiled_.policy != nullptr; }

  [[nodiscard]] Owner owner(const IpAddress& address) const {
    const classifier::Source source = compiled_.policy->find_source(address);
    return {identities_.name(source.namespace_name), identities_.name(source.workload)};
  }

  [[nodiscard]] Verdict decide(const Question& question) const {
    const classifier::FlowQuery query = query_of(question);
    const Said said(question);
    classifier::Decision decision = compiled_.policy->decide(compiled_.policy->find_source(query.source), query, &said);
    Verdict verdict;
    verdict.needs_name = decision.action == classifier::Action::needs_name;
    std::vector<classifier::HttpField> fields;
    const classifier::Shown shown = shown_by(question, fields);
    if (verdict.needs_name) decision = compiled_.policy->decide_shown(decision, shown, *scratch_);
    check_binding(question, shown, said, decision);
    take(decision, verdict);
    return verdict;
  }

  // What the first packet decides, before anything is shown.
  [[nodiscard]] Verdict decide_first(const Question& question) const {
    const classifier::FlowQuery query = query_of(question);
    const Said said(question);
    Verdict verdict;
    take(compiled_.policy->decide(compiled_.policy->find_source(query.source), query, &said), verdict);
    return verdict;
  }

  [[nodiscard]] Verdict explained(const Question& question) const {
    std::vector<classifier::HttpField> fields;
    const Said said(question);
    const classifier::Explanation explanation =
        compiled_.policy->explain(query_of(question), shown_by(question, fields), &said);
    Verdict verdict;
    take(explanation.decision, verdict);
    return verdict;
  }

  [[nodiscard]] Egress egress(const Question& question) const {
    const classifier::FlowQuery query = query_of(question);
    const classifier::EgressChoice choice =
        compiled_.policy->choose_egress(compiled_.policy->find_source(query.source), query);
    Egress egress{"untranslated", identities_.name(choice.egress), {}};
    if (choice.kind == classifier::EgressChoice::Kind::no_address) egress.kind = "no_address";
    if (choice.kind != classifier::EgressChoice::Kind::translated) return egress;
    egress.kind = "translated";
    for (std::uint64_t i = 0; i < choice.pool->size(); ++i) egress.addresses.push_back(to_string(choice.pool->at(i)));
    return egress;
  }

 private:
  void take(const classifier::Decision& decision, Verdict& verdict) const {
    verdict.action = decision.action == classifier::Action::allow  ? "allow"
                     : decision.action == classifier::Action::deny ? "deny"
                                                                   : "needs_name";
    verdict.reason = classifier::to_string(decision.reason);
    verdict.rule = identities_.name(decision.rule);
    verdict.network = identities_.name(decision.network);
    verdict.audited = decision.audited;
  }
  static classifier::FlowQuery query_of(const Question& question) {
    return {question.source, question.destination, question.protocol, question.port};
  }
  // What the dataplane does of a flow that may pass otherwise.
  void check_binding(const Question& question, const classifier::Shown& shown, const Said& said,
                     classifier::Decision& decision) const {
    using Binding = classifier::Policy::NameBinding;
    const bool may_show = question.protocol == config::Protocol::tcp || question.protocol == config::Protocol::udp;
    if (decision.action != classifier::Action::allow || !may_show) return;
    const Binding binding = compiled_.policy->check_name_binding(shown.name, question.destination, said);
    if (binding == Binding::audited) decision.audited = true;
    if (binding != Binding::denied) return;
    decision.action = classifier::Action::deny;
    decision.reason = classifier::Reason::name_not_bound;
    decision.rule = 0;
  }
  // `fields` outlives what is shown.
  static classifier::Shown shown_by(const Question& question, std::vector<classifier::HttpField>& fields) {
    using Protocol = classifier::Shown::Protocol;
    classifier::Shown shown;
    shown.name = question.name;
    shown.ech = question.ech;
    switch (question.speaks) {
      case Question::Speaks::nothing:
        return {};
      case Question::Speaks::hello:
        shown.protocol = question.protocol == config::Protocol::tcp ? Protocol::tls : Protocol::quic;
        return shown;
      case Question::Speaks::http:
        shown.protocol = Protocol::http;
        break;
      case Question::Speaks::http2:
        shown.protocol = Protocol::http2;
        break;
    }
    for (const auto& [name, value] : question.headers) fields.push_back({name, value});
    shown.ech = false;
    shown.request = {question.method, question.target, fields};
    return shown;
  }

  classifier::Identities identities_;
  classifier::Policy::Compiled compiled_;
  std::unique_ptr<classifier::MatchScratch, void (*)(classifier::MatchScratch*)> scratch_{nullptr, nullptr};
};

// What came up; a run that misses some of it proves little.
using Tally = std::map<std::string, std::uint64_t>;

// One policy and its questions, up to the first disagreement.
void compare(std::uint64_t seed, std::uint64_t questions, Tally& tally) {
  RandomPolicy generator(seed);
  const config::PolicyModel model = generator.make();
  const Oracle oracle(model);
  const Compiled compiled(model);
  ASSERT_TRUE(compiled.valid());
  for (std::uint64_t i = 0; i < questions; ++i) {
    const Question question = generator.ask();
    ASSERT_EQ(compiled.owner(question.source), oracle.owner(question.source)) << described(question);
    const Verdict verdict = compiled.decide(question);
    ASSERT_EQ(verdict, oracle.decide(question)) << described(question);
    const Egress egress = compiled.egress(question);
    ASSERT_EQ(egress, oracle.egress(question)) << described(question);
    ++tally[verdict.action + " " + verdict.reason + (verdict.needs_name ? " by name" : "")];
    if (verdict.needs_name && question.speaks >= Question::Speaks::http)
      ++tally[verdict.action + " " + verdict.reason + " by request"];
    ++tally[egress.kind + (egress.name.empty() ? "" : " by egress")];
    tally["audited"] += verdict.audited ? 1 : 0;
    if (i % 64 != 0) continue;
    // A flow for which there is no address ends with its first packet, and comes to show nothing.
    const bool ends_first = egress.kind == "no_address" || (egress.kind == "translated" && egress.addresses.empty());
    const Verdict expected = ends_first ? compiled.decide_first(question) : verdict;
    tally["explained without an address"] += ends_first ? 1 : 0;
    Verdict explained = compiled.explained(question);
    explained.needs_name = expected.needs_name;
    ASSERT_EQ(explained, expected) << "explained " << described(question);
  }
}

TEST(PolicyProperty, ClassifierAndOracleAgree) {
  const std::uint64_t first_seed = from_environment("SALLYPORT_SEED", std::random_device{}());
  const std::uint64_t decisions = from_environment("SALLYPORT_DECISIONS", 120'000);
  constexpr std::uint64_t questions_a_policy = 200;
  Tally tally;
  for (std::uint64_t asked = 0, seed = first_seed; asked < decisions; asked += questions_a_policy, ++seed) {
    SCOPED_TRACE("replay with SALLYPORT_SEED=" + std::to_string(seed));
    compare(seed, questions_a_policy, tally);
    if (HasFatalFailure()) return;
  }
  if (decisions < 100'000) return;
  for (const char* expected : {"allow route",
                               "deny route",
                               "allow route by name",
                               "deny route by name",
                               "allow network_default",
                               "deny network_default",
                               "allow network_default by name",
                               "deny network_default by name",
                               "deny no_name by name",
                               "deny name_not_allowed by name",
                               "deny ech_refused by name",
                               "allow route by request",
                               "deny route by request",
                               "deny no_name by request",
                               "deny name_not_allowed by request",
                               "allow uncaptured",
                               "deny uncaptured",
                               "deny network_policy",
                               "deny name_not_bound by name",
                               "untranslated",
                               "translated",
                               "translated by egress",
                               "no_address",
                               "no_address by egress",
                               "audited"})
    EXPECT_GT(tally[expected], 100U) << expected << ", of " << decisions << " from seed " << first_seed;
}

}  // namespace
}  // namespace sallyport::model
