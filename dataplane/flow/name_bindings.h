// Which names trusted DNS servers have bound to which addresses, for all workers at once.
//
// A worker that forwards an answer first writes what it says into a shard of its own; every worker reads all shards. So
// a binding holds everywhere before the client can have seen the answer, whichever worker its next flow belongs to, and
// nobody waits for anybody.
//
// No name is stored. What is kept are facts, each a keyed hash and the time until which it holds: "this name is bound
// to this address", "a name below this one is" (one fact for each name above), "some name is". So "db.example.com" and
// "*.example.com" are one lookup each, a hundred thousand names of one address cost nobody a search, and the facts do
// not depend on the policy: they go on under the next one. Without the secret of the hash nobody can make two facts
// meet; by chance a question is answered wrong once in 10^13 with a million facts.
//
// A fact of a whole name counts for the client that asked first, as long as it holds: see Shares.
//
// A shard is written by one thread. A fact that is over gives its place to a new one: `until` goes to zero first, then
// the key changes, then `until` is set; a reader looks at the key, at `until`, and at the key again.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "classifier/bound_names.h"
#include "classifier/host_name.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/memory.h"
#include "dataplane/flow/shares.h"

namespace sallyport::dataplane {

// Nanoseconds since the epoch.
using Instant = std::uint64_t;

// Facts of one writer: open addressing over cache lines of four.
class BindingShard {
 public:
  explicit BindingShard(std::size_t facts)
      : words_(facts == 0 ? 0 : std::bit_ceil(facts / line) * line * 2),
        askers_(words_.size() / 2),
        by_place_(Shares::places) {}

  // The writer. False: no place near where it belongs.
  [[nodiscard]] bool put(std::uint64_t key, Instant until, SharePlace asker, Instant now) noexcept {
    std::size_t place = none;
    for (std::size_t i = 0; i < window; ++i) {
      const std::size_t at = slot(key, i);
      const std::uint64_t found = key_at(at).load(std::memory_order_relaxed);
      if (found == key) {
        extend(at, until, asker, now);
        return true;
      }
      if (place == none && (found == 0 || until_at(at).load(std::memory_order_relaxed) <= now)) place = at;
      if (found == 0) break;
    }
    if (place == none) return false;
    retire(place);
    askers_[place] = asker;
    key_at(place).store(key, std::memory_order_release);
    until_at(place).store(until, std::memory_order_release);
    note_latest(until);
    if (is_name(key)) count(place, 1);
    return true;
  }
  // Counts out what is over, a few lines further with each call. The writer.
  void sweep(Instant now) noexcept {
    constexpr std::size_t slots_a_call = 64 * line;
    for (std::size_t i = 0; i < std::min(slots_a_call, slots()); ++i) {
      swept_ = (swept_ + 1) & (slots() - 1);
      if (until_at(swept_).load(std::memory_order_relaxed) <= now) retire(swept_);
    }
  }

  // Any thread.
  [[nodiscard]] bool holds(std::uint64_t key, Instant now) const noexcept {
    if (words_.size() == 0) return false;
    for (std::size_t i = 0; i < window; ++i) {
      const std::size_t at = slot(key, i);
      const std::uint64_t found = key_at(at).load(std::memory_order_acquire);
      if (found == 0) return false;
      if (found != key) continue;
      const bool live = until_at(at).load(std::memory_order_acquire) > now;
      return live && key_at(at).load(std::memory_order_relaxed) == key;
    }
    return false;
  }
  // Bindings of names, those included that are over and not swept yet. Any thread.
  [[nodiscard]] std::uint64_t names() const noexcept { return names_.load(std::memory_order_relaxed); }
  // Does one hold still, of those that were put here? Any thread.
  [[nodiscard]] bool holds_any(Instant now) const noexcept { return latest_.load(std::memory_order_relaxed) > now; }
  // Names of one client. The writer.
  [[nodiscard]] std::uint32_t names_of(SharePlace asker) const noexcept { return by_place_[asker.number]; }
  [[nodiscard]] std::size_t slots() const noexcept { return words_.size() / 2; }
  [[nodiscard]] std::size_t bytes() const noexcept { return words_.bytes() + askers_.bytes() + by_place_.bytes(); }

  // Takes over all of another shard that nobody writes any more.
  void take_over(const BindingShard& other) noexcept {
    for (std::size_t at = 0; at < other.slots(); ++at) {
      const Instant until = other.until_at(at).load(std::memory_order_acquire);
      if (until != 0) (void)put(other.key_at(at).load(std::memory_order_relaxed), until, other.askers_[at], 0);
    }
  }

  // The lowest bit of a key tells the bindings of whole names, which are counted, from the rest.
  [[nodiscard]] static bool is_name(std::uint64_t key) noexcept { return (key & 1U) != 0; }

 private:
  static constexpr std::size_t line = 4;
  static constexpr std::size_t window = 4 * line;
  static constexpr std::size_t none = SIZE_MAX;
  using Word = std::atomic_ref<std::uint64_t>;

  [[nodiscard]] std::size_t slot(std::uint64_t key, std::size_t i) const noexcept {
    return (((key >> 2U) * line) + i) & (slots() - 1);
  }
  // atomic_ref of C++20 takes no const; nothing is written through these on a reader's way.
  [[nodiscard]] Word key_at(std::size_t at) const noexcept { return Word(const_cast<std::uint64_t&>(words_[2 * at])); }
  [[nodiscard]] Word until_at(std::size_t at) const noexcept {
    return Word(const_cast<std::uint64_t&>(words_[2 * at + 1]));
  }
  // One that is over counts for who asks now.
  void extend(std::size_t at, Instant until, SharePlace asker, Instant now) noexcept {
    if (until_at(at).load(std::memory_order_relaxed) <= now) {
      retire(at);
      askers_[at] = asker;
    }
    const Instant before = until_at(at).load(std::memory_order_relaxed);
    if (before == 0 && is_name(key_at(at).load(std::memory_order_relaxed))) count(at, 1);
    if (until > before) until_at(at).store(until, std::memory_order_release);
    note_latest(until);
  }
  void retire(std::size_t at) noexcept {
    if (until_at(at).load(std::memory_order_relaxed) == 0) return;
    until_at(at).store(0, std::memory_order_relaxed);
    if (is_name(key_at(at).load(std::memory_order_relaxed))) count(at, -1);
  }
  void note_latest(Instant until) noexcept {
    if (until > latest_.load(std::memory_order_relaxed)) latest_.store(until, std::memory_order_relaxed);
  }
  void count(std::size_t at, int by) noexcept {
    names_.store(names_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(by), std::memory_order_relaxed);
    by_place_[askers_[at].number] += static_cast<std::uint32_t>(by);
  }

  Block<std::uint64_t> words_;     // key and `until` in turn
  Block<SharePlace> askers_;       // of each fact
  Block<std::uint32_t> by_place_;  // names, by who asked for them
  std::size_t swept_ = 0;
  std::atomic<std::uint64_t> names_{0};
  std::atomic<Instant> latest_{0};
};

class NameBindings {
 public:
  // For `names_max` bindings of a name to an address, whichever of the workers learn them. Throws std::bad_alloc.
  NameBindings(std::uint32_t workers, std::uint32_t names_max, std::uint64_t seed);
  // A larger one in the place of `before`, whose facts are to be taken over.
  NameBindings(const NameBindings& before, std::uint32_t names_max);

  // Who learns for whom.
  struct Learner {
    std::uint32_t worker;
    SharePlace asker;
  };
  // The learner's worker alone. False: `names_max` bindings are there, or the asker has as many as are left, or no
  // place; nothing that is there is given up for it.
  [[nodiscard]] bool learn(const Learner& learner, std::string_view name, const IpAddress& address, Instant until,
                           Instant now, std::uint32_t names_max) noexcept;
  // To be called by the worker with each answer: forgets some of what is over.
  void sweep(std::uint32_t worker, Instant now) noexcept { shards_[worker]->sweep(now); }
  // Control plane, once no worker writes to `before` any more.
  void take_over(const NameBindings& before) noexcept;

  // Any thread.
  [[nodiscard]] bool knows(const IpAddress& address, Instant now) const noexcept;
  [[nodiscard]] bool binds(const classifier::Domain& domain, const IpAddress& address, Instant now) const noexcept;
  [[nodiscard]] std::uint64_t names() const noexcept;
  [[nodiscard]] std::uint32_t capacity() const noexcept { return names_max_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  // A number for a domain, for a flow to remember by which it passed; never 0.
  [[nodiscard]] std::uint32_t mark(const classifier::Domain& domain) const noexcept;

 private:
  enum class Fact : std::uint64_t { some = 2, below = 4, name = 1 };  // what a key says; see BindingShard::is_name
  [[nodiscard]] std::uint64_t key(Fact fact, std::string_view text, const IpAddress& address) const noexcept;
  [[nodiscard]] bool holds(std::uint64_t key, Instant now) const noexcept;
  [[nodiscard]] bool has_room(const Learner& learner, Instant now, std::uint32_t names_max) const noexcept;

  KeyHash hash_;
  std::uint32_t names_max_;
  std::vector<std::unique_ptr<BindingShard>> shards_;  // one a worker, and the last one the control plane's
};

// What a flow asks, at a moment. `mark`: the domain by which the flow passed when it was new holds for it still.
class BoundNamesNow final : public classifier::BoundNames {
 public:
  BoundNamesNow(const NameBindings* bindings, const NameBindings* before, Instant now, std::uint32_t mark = 0) noexcept
      : bindings_(bindings), before_(before), now_(now), mark_(mark) {}

  [[nodiscard]] bool knows(const IpAddress& address) const noexcept override {
    return mark_ != 0 || (bindings_ != nullptr && bindings_->knows(address, now_)) ||
           (before_ != nullptr && before_->knows(address, now_));
  }
  [[nodiscard]] bool binds(const classifier::Domain& domain, const IpAddress& address) const noexcept override {
    return (mark_ != 0 && bindings_ != nullptr && bindings_->mark(domain) == mark_) ||
           (bindings_ != nullptr && bindings_->binds(domain, address, now_)) ||
           (before_ != nullptr && before_->binds(domain, address, now_));
  }

 private:
  const NameBindings* bindings_;
  const NameBindings* before_;
  Instant now_;
  std::uint32_t mark_;
};

}  // namespace sallyport::dataplane
