// Which route of one (egress network, port) does a host name belong to?
//
// Precedence: exact before wildcard and apex, longer before shorter, any of these before a regex; a name of a domain
// set counts as if it stood in the route (exact, or apex with subdomains). At equal specificity deny beats allow and
// audit, then the lower order. An audit entry never decides: it is reported beside what decides, where it would have
// won.
//
// A matcher is a small table over what all matchers of a policy share: the HostPatterns and the domain sets. It costs a
// few words an entry. Immutable; read by any number of threads, each with its own scratch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "classifier/domain_set.h"
#include "classifier/host_name.h"
#include "classifier/host_patterns.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class HostMatcher {
 public:
  struct Entry {
    std::variant<std::shared_ptr<const DomainSet>, HostPatternId> names;
    config::HostPattern::Kind kind = config::HostPattern::Kind::exact;  // of a pattern; a set has its own
    config::RouteAction action = config::RouteAction::allow;
    std::uint32_t value = 0;  // what match() answers, below `none`: the number of a route
    std::uint32_t order = 0;  // place in the file; lower wins
  };

  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct Result {
    std::uint32_t value = none;    // of the most specific allow or deny entry
    std::uint32_t audited = none;  // of the most specific audit entry, where it stands before that
  };
  // One entry that matches, for an explanation.
  struct Candidate {
    std::uint32_t value = none;
    config::RouteAction action = config::RouteAction::allow;
  };

  // `patterns` is the one whose builder gave the ids.
  HostMatcher(std::shared_ptr<const HostPatterns> patterns, std::vector<Entry> entries);

  // Allocates nothing.
  [[nodiscard]] Result match(const HostName& name, MatchScratch& scratch) const noexcept;
  // results[i] is match(names[i]); both spans have one length. Waits for memory once for each batch_max of the names,
  // where one after the other each waits twice.
  static constexpr std::size_t batch_max = NameBatch::names_max;
  void match(std::span<const HostName> names, MatchScratch& scratch, std::span<Result> results) const noexcept;
  // Called for every entry that matches, with what match() ranks them by but for action and order: lower is more
  // specific, below `no_name_distance`.
  static constexpr std::uint32_t no_name_distance = std::uint32_t{1} << 10U;
  using OnTaker = void (*)(void* context, std::uint32_t distance, std::uint32_t value) noexcept;
  void for_each_taker(const HostName& name, MatchScratch& scratch, OnTaker on_taker, void* context) const noexcept;
  // Every entry that matches, the most specific first.
  [[nodiscard]] std::vector<Candidate> match_all(const HostName& name, MatchScratch& scratch) const;
  // The most entries that can match one name.
  [[nodiscard]] std::size_t entries() const noexcept { return patterns_by_id_.size() + sets_.size(); }

 private:
  // Lower is better: regex | not exact | ~length | not deny | order, see host_matcher.cpp.
  using Rank = std::uint64_t;
  struct PatternEntry {
    HostPatternId id;
    config::HostPattern::Kind kind = config::HostPattern::Kind::exact;
    config::RouteAction action = config::RouteAction::allow;
    Rank rank = 0;
    std::uint32_t value = 0;
  };
  struct SetEntry {
    std::shared_ptr<const DomainSet> set;
    config::RouteAction action = config::RouteAction::allow;
    std::uint32_t order = 0;
    std::uint32_t value = 0;
  };
  struct Visit;
  template <typename Take>
  void for_each_match(const HostName& name, MatchScratch& scratch, Take&& take) const;
  template <typename Take>
  void for_each_pattern(const HostName& name, MatchScratch& scratch, Take& take) const;
  template <typename Take>
  static void take_set(const SetEntry& set, std::size_t length, Take& take);
  template <typename Take>
  void match_sets(std::span<const HostName> names, std::span<Take> takes) const;

  std::shared_ptr<const HostPatterns> patterns_;
  std::vector<PatternEntry> patterns_by_id_;  // literals before regexes
  std::vector<SetEntry> sets_;
  bool has_literals_ = false;
  bool has_regexes_ = false;
};

}  // namespace sallyport::classifier
