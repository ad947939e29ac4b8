#include "classifier/prefix_claims.h"

#include <utility>

#include "classifier/rank_set.h"

namespace sallyport::classifier {

namespace {

// The tag of a claim is its rank and, in the lowest bit, whether it is a hole.
class WinnerVisitor {
 public:
  explicit WinnerVisitor(std::uint32_t ranks) : open_(ranks), standing_(ranks) {}

  void expect(std::uint32_t tag) { __builtin_prefetch(&open_[tag >> 1U], 1); }
  void enter(std::uint32_t tag) { change(tag, 1); }
  void leave(std::uint32_t tag) { change(tag, -1); }

  void visit(const Prefix& prefix) {
    while (!around_.empty() && !around_.back().prefix.contains(prefix)) around_.pop_back();
    const std::uint32_t outer = around_.empty() ? PrefixTrie::none : around_.back().value;
    const std::uint32_t lowest = standing_.lowest();
    const std::uint32_t winner = lowest == RankSet::none ? PrefixTrie::none : lowest;
    if (winner == outer) return;
    around_.push_back({prefix, winner});
    winners_.push_back(around_.back());
  }

  [[nodiscard]] std::vector<PrefixTrie::Entry> take() && { return std::move(winners_); }

 private:
  struct Open {
    std::int32_t claims = 0;
    std::int32_t holes = 0;
    [[nodiscard]] bool stands() const noexcept { return claims > 0 && holes == 0; }
  };

  void change(std::uint32_t tag, std::int32_t by) {
    const std::uint32_t rank = tag >> 1U;
    Open& open = open_[rank];
    const bool stood = open.stands();
    ((tag & 1U) != 0 ? open.holes : open.claims) += by;
    if (stood == open.stands()) return;
    if (stood)
      standing_.erase(rank);
    else
      standing_.insert(rank);
  }

  std::vector<Open> open_;
  RankSet standing_;
  std::vector<PrefixTrie::Entry> around_;  // the answers that contain the visited prefix
  std::vector<PrefixTrie::Entry> winners_;
};

}  // namespace

std::vector<PrefixTrie::Entry> Claims::resolve() && {
  WinnerVisitor visitor(ranks_);
  std::move(walk_).walk(visitor);
  return std::move(visitor).take();
}

std::vector<PrefixTrie::Entry> resolve_claims(const std::vector<Claim>& claims) {
  Claims gathered;
  gathered.reserve(claims.size());
  for (const Claim& claim : claims) gathered.add(claim);
  return std::move(gathered).resolve();
}

PrefixTrie make_address_set(const std::vector<Prefix>& prefixes) {
  std::vector<PrefixTrie::Entry> entries;
  entries.reserve(prefixes.size());
  for (const Prefix& prefix : prefixes) entries.push_back({prefix, 0});
  return PrefixTrie::from_prefixes(entries);
}

}  // namespace sallyport::classifier
