// Two policies asked the same question: what of it is told, one flow at a time, and in the end all together. Bounded,
// however many flows there are.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "classifier/identities.h"
#include "classifier/policy.h"
#include "src/flow_outcome.h"
#include "src/recorded_flow.h"
#include "src/terminal.h"

namespace sallyport {

// One side: a policy and its own working memory.
struct Side {
  const classifier::Policy& policy;
  std::unique_ptr<classifier::MatchScratch, void (*)(classifier::MatchScratch*)> scratch;
  explicit Side(const classifier::Policy& of) : policy(of), scratch(of.make_scratch()) {}
};

struct ComparisonSums {
  std::uint64_t flows = 0;          // decided by both
  std::uint64_t verdict = 0;        // another verdict
  std::uint64_t address = 0;        // the same, but under another address
  std::uint64_t other_records = 0;  // lines that are no flow's
  std::uint64_t unreadable_lines = 0;
};

class FlowComparison {
 public:
  FlowComparison(const classifier::Policy& before, const classifier::Policy& after,
                 const classifier::Identities& identities, const ApplianceView& appliance)
      : before_(before), after_(after), identities_(identities), appliance_(appliance) {}

  struct Difference {
    Change change = Change::none;
    FlowOutcome before, after;
  };
  // Decides and counts.
  [[nodiscard]] Difference compare(const RecordedFlow& flow);
  void count_other_record() noexcept { ++sums_.other_records; }
  void count_unreadable_line() noexcept { ++sums_.unreadable_lines; }
  [[nodiscard]] const ComparisonSums& sums() const noexcept { return sums_; }

  // Three lines, with line end.
  [[nodiscard]] std::string text(std::uint64_t line, const RecordedFlow& flow, const Difference& difference,
                                 const Style& style) const;
  // One object on one line, without line end.
  [[nodiscard]] std::string json(std::uint64_t line, const RecordedFlow& flow, const Difference& difference) const;
  [[nodiscard]] std::string summary_text(const Style& style) const;
  [[nodiscard]] std::string summary_json() const;

 private:
  // Old verdict and rule, new verdict and rule.
  using Group = std::array<std::string, 4>;
  static constexpr std::size_t groups_max = 1000;

  void count_group(const Difference& difference);
  [[nodiscard]] std::string rule_of(const FlowOutcome& outcome) const;
  [[nodiscard]] std::string told(const FlowOutcome& outcome, const Side& side, const Style& style) const;

  Side before_, after_;
  const classifier::Identities& identities_;
  const ApplianceView& appliance_;
  ComparisonSums sums_;
  std::map<Group, std::uint64_t> groups_;
  std::uint64_t ungrouped_ = 0;
};

}  // namespace sallyport
