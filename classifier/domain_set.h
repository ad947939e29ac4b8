// A large list of domain names: is this name, or one above it, in the list?
//
// Theory of operation. A name is hashed label by label from the right, so one walk gives the hash of every suffix that
// starts at a label. The table is an array of cache lines of ten slots; a slot is 16 bits of the hash and the place of
// the name's bytes. A question prefetches the line of every suffix that is as long in labels as some name of the list,
// then looks, longest first; the bytes are compared before a name counts as found, so no hash decides anything.
//
// A million names take some 25 MB, 8 of which are the table. Immutable; read by any number of threads.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/host_name.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// The suffixes of one name that start at a label, shortest (last label) first, each with its hash.
class NameSuffixes {
 public:
  // A normal form, at most HostName::bytes_max, which must live as long.
  explicit NameSuffixes(std::string_view name) noexcept;

  struct Suffix {
    std::uint64_t hash;
    std::uint8_t start;  // offset into the name
  };
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] std::span<const Suffix> all() const noexcept { return {suffixes_.data(), size_}; }

 private:
  std::string_view name_;
  std::size_t size_ = 0;
  std::array<Suffix, HostName::labels_max> suffixes_;  // the first size_ of them: 2 KB are not set for nothing
};

// The suffixes of several names, those of one behind those of the other: what is asked for at once.
class NameBatch {
 public:
  static constexpr std::size_t names_max = 16;

  // The names must live as long; at most names_max.
  explicit NameBatch(std::span<const HostName> names) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  struct Suffix {
    std::uint64_t hash;
    std::uint8_t start;   // offset into the name
    std::uint8_t labels;  // that it has
    std::uint8_t name;    // which it is one of
  };
  static constexpr std::size_t suffixes_max = names_max * HostName::labels_max;
  // Of each name the shortest first.
  [[nodiscard]] std::span<const Suffix> all() const noexcept { return {suffixes_.data(), suffixes_end_}; }
  [[nodiscard]] const Suffix& whole(std::size_t name) const noexcept { return suffixes_[ends_[name] - 1U]; }
  // HostName::readable bytes may be loaded wherever one of these lies.
  [[nodiscard]] std::string_view text(const Suffix& suffix) const noexcept {
    return names_[suffix.name].view().substr(suffix.start);
  }

 private:
  std::span<const HostName> names_;
  std::size_t size_ = 0;
  std::size_t suffixes_end_ = 0;
  std::array<std::uint16_t, names_max> ends_;
  std::array<Suffix, suffixes_max> suffixes_;  // the first suffixes_end_ of them: 32 KB are not set for nothing
};

class DomainSet {
 public:
  using Match = config::DomainSet::Match;

  // Names in normal form (lower case, A-labels, no trailing dot). The same name twice counts once.
  DomainSet(Match match, std::span<const std::string> names);

  [[nodiscard]] Match match() const noexcept { return match_; }
  [[nodiscard]] std::size_t size() const noexcept { return names_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  // Length in bytes of the longest name of the set that matches: the name itself or, with Match::subdomains, one above
  // it. 0: none does.
  [[nodiscard]] std::size_t find(const NameSuffixes& suffixes) const noexcept;
  // lengths[i] is find() of names[i]; both have one size. Waits for the lines of all names, then for the bytes of those
  // that these hint at, where one after the other each waits twice; and goes through suffixes, not names, so that no
  // branch hangs on how many labels a name has.
  void find(const NameBatch& names, std::span<std::size_t> lengths) const noexcept;

 private:
  static constexpr std::size_t slots = 10;
  struct alignas(64) Line {
    std::array<std::uint16_t, slots> tags{};
    std::uint8_t used = 0;
    bool overflows = false;  // a name that belongs here stands in a following line
    std::array<std::uint32_t, slots> places{};
  };
  static_assert(sizeof(Line) == 64);

  // Calls `visit` with each suffix that has as many labels as some name of the set, longest first, until it says true.
  // Answers how many labels that one has; 0: none said so.
  template <typename Visit>
  std::size_t first_possible(const NameSuffixes& suffixes, Visit&& visit) const noexcept;
  // Calls `visit` with each suffix that has no more labels than all names of the set.
  template <typename Visit>
  void for_each_askable(const NameBatch& names, Visit&& visit) const noexcept;
  [[nodiscard]] static unsigned hits_in(const Line& line, std::uint16_t tag) noexcept;
  [[nodiscard]] bool contains(std::uint64_t hash, std::string_view name) const noexcept;
  [[nodiscard]] std::size_t line_of(std::uint64_t hash) const noexcept;
  struct Hashed {
    std::uint64_t hash = 0;
    std::size_t labels = 0;
  };
  void insert_all(std::span<const std::string> names);
  void insert(std::string_view name, const Hashed& hashed);

  Match match_;
  std::size_t names_ = 0;
  std::vector<Line> lines_;
  // Length byte and name, one after the other; behind the last as many as may be loaded at once.
  std::vector<char> bytes_;
  std::bitset<HostName::labels_max + 1> label_counts_;  // numbers of labels that names of the set have
  std::size_t labels_most_ = 0;
};

}  // namespace sallyport::classifier
