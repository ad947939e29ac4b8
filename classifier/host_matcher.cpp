#include "classifier/host_matcher.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace sallyport::classifier {
namespace {

using config::HostPattern;
using config::RouteAction;

// regex:1 | not exact:1 | 255 - length:8 | not deny:1 | order:32. A name of 253 bytes fits.
[[nodiscard]] std::uint64_t rank_of(bool regex, bool exact, std::size_t length, RouteAction action,
                                    std::uint32_t order) noexcept {
  const std::uint64_t shortness = regex ? 0 : 255U - std::min<std::size_t>(length, 255);
  return std::uint64_t{regex} << 42U | std::uint64_t{!exact && !regex} << 41U | shortness << 33U |
         std::uint64_t{action != RouteAction::deny} << 32U | order;
}

}  // namespace

HostMatcher::HostMatcher(std::shared_ptr<const HostPatterns> patterns, std::vector<Entry> entries)
    : patterns_(std::move(patterns)) {
  for (Entry& entry : entries) {
    if (auto* set = std::get_if<std::shared_ptr<const DomainSet>>(&entry.names)) {
      sets_.push_back({std::move(*set), entry.action, entry.order, entry.value});
      continue;
    }
    const HostPatternId id = std::get<HostPatternId>(entry.names);
    const bool exact = entry.kind == HostPattern::Kind::exact;
    const std::size_t length = id.regex ? 0 : patterns_->text_bytes(id);
    patterns_by_id_.push_back(
        {id, entry.kind, entry.action, rank_of(id.regex, exact, length, entry.action, entry.order), entry.value});
    (id.regex ? has_regexes_ : has_literals_) = true;
  }
  std::ranges::stable_sort(patterns_by_id_, {}, &PatternEntry::id);
}

// What a scan's hits mean in this table.
struct HostMatcher::Visit {
  const HostMatcher& matcher;
  void* take;
  void (*call)(void* take, std::uint64_t rank, RouteAction action, std::uint32_t value);

  static void on_match(void* context, HostPatternId id, bool whole) noexcept {
    const auto& visit = *static_cast<const Visit*>(context);
    const auto& all = visit.matcher.patterns_by_id_;
    const auto below = [](const PatternEntry& entry, HostPatternId wanted) { return entry.id < wanted; };
    for (auto at = std::lower_bound(all.begin(), all.end(), id, below); at != all.end() && at->id == id; ++at) {
      const PatternEntry& entry = *at;
      const bool matches =
          id.regex || entry.kind == HostPattern::Kind::apex || (entry.kind == HostPattern::Kind::exact) == whole;
      if (matches) visit.call(visit.take, entry.rank, entry.action, entry.value);
    }
  }
};

template <typename Take>
void HostMatcher::for_each_pattern(const HostName& name, MatchScratch& scratch, Take& take) const {
  const auto call = [](void* function, std::uint64_t rank, RouteAction action, std::uint32_t value) {
    (*static_cast<Take*>(function))(rank, action, value);
  };
  Visit visit{*this, &take, call};
  if (has_literals_) patterns_->scan_literals(name, scratch, &Visit::on_match, &visit);
  if (has_regexes_) patterns_->scan_regexes(name, scratch, &Visit::on_match, &visit);
}

// A name of a set matches, or with 0 none does.
template <typename Take>
void HostMatcher::take_set(const SetEntry& set, std::size_t length, Take& take) {
  if (length == 0) return;
  const bool exact = set.set->match() == DomainSet::Match::exact;
  take(rank_of(false, exact, length, set.action, set.order), set.action, set.value);
}

template <typename Take>
void HostMatcher::for_each_match(const HostName& name, MatchScratch& scratch, Take&& take) const {
  for_each_pattern(name, scratch, take);
  if (sets_.empty()) return;
  const NameSuffixes suffixes(name.view());
  for (const SetEntry& set : sets_) take_set(set, set.set->find(suffixes), take);
}

namespace {

// What match() makes of the entries that match.
class Best {
 public:
  void operator()(std::uint64_t rank, RouteAction action, std::uint32_t value) noexcept {
    const bool audit = action == RouteAction::audit;
    std::uint64_t& best = audit ? audited_ : decided_;
    if (rank >= best) return;
    best = rank;
    (audit ? result_.audited : result_.value) = value;
  }
  [[nodiscard]] HostMatcher::Result result() const noexcept {
    return {result_.value, audited_ >= decided_ ? HostMatcher::none : result_.audited};
  }

 private:
  static constexpr std::uint64_t worst = ~std::uint64_t{0};
  std::uint64_t decided_ = worst;
  std::uint64_t audited_ = worst;
  HostMatcher::Result result_;
};

}  // namespace

template <typename Take>
void HostMatcher::match_sets(std::span<const HostName> names, std::span<Take> takes) const {
  if (sets_.empty()) return;
  const NameBatch batch(names);
  std::array<std::size_t, batch_max> lengths;
  for (const SetEntry& set : sets_) {
    set.set->find(batch, std::span(lengths).first(names.size()));
    for (std::size_t i = 0; i < names.size(); ++i) take_set(set, lengths[i], takes[i]);
  }
}

HostMatcher::Result HostMatcher::match(const HostName& name, MatchScratch& scratch) const noexcept {
  Best best;
  for_each_match(name, scratch, best);
  return best.result();
}

void HostMatcher::match(std::span<const HostName> names, MatchScratch& scratch,
                        std::span<Result> results) const noexcept {
  if (names.size() != results.size()) std::abort();
  for (std::size_t done = 0; done < names.size(); done += batch_max) {
    const auto batch = names.subspan(done, std::min(batch_max, names.size() - done));
    std::array<Best, batch_max> best;
    for (std::size_t i = 0; i < batch.size(); ++i) for_each_pattern(batch[i], scratch, best[i]);
    match_sets<Best>(batch, best);
    for (std::size_t i = 0; i < batch.size(); ++i) results[done + i] = best[i].result();
  }
}

void HostMatcher::for_each_taker(const HostName& name, MatchScratch& scratch, OnTaker on_taker,
                                 void* context) const noexcept {
  auto take = [&](Rank rank, RouteAction, std::uint32_t value) {
    on_taker(context, static_cast<std::uint32_t>(rank >> 33U), value);
  };
  for_each_match(name, scratch, take);
}

std::vector<HostMatcher::Candidate> HostMatcher::match_all(const HostName& name, MatchScratch& scratch) const {
  std::vector<std::pair<Rank, Candidate>> found;
  auto take = [&](Rank rank, RouteAction action, std::uint32_t value) { found.push_back({rank, {value, action}}); };
  for_each_match(name, scratch, take);
  std::ranges::stable_sort(found, {}, [](const auto& candidate) { return candidate.first; });
  std::vector<Candidate> candidates;
  candidates.reserve(found.size());
  for (const auto& [rank, candidate] : found) candidates.push_back(candidate);
  return candidates;
}

}  // namespace sallyport::classifier
