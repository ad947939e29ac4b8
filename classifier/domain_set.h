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
  NameSuffixes() noexcept;  // of no name: none
  explicit NameSuffixes(std::string_view name) noexcept { assign(name); }
  // A normal form, at most HostName::bytes_max, which must live as long.
  void assign(std::string_view name) noexcept;

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
inline NameSuffixes::NameSuffixes() noexcept = default;

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
  // lengths[i] is find(names[i]); both spans have one length, at most batch_max. Waits for the lines of all names, then
  // for the bytes of those that these hint at, where one after the other each waits twice.
  static constexpr std::size_t batch_max = 16;
  void find(std::span<const NameSuffixes> names, std::span<std::size_t> lengths) const noexcept;

 private:
  static constexpr std::size_t slots = 10;
  struct alignas(64) Line {
    std::array<std::uint16_t, slots> tags{};
    std::uint8_t used = 0;
    bool overflows = false;  // a name that belongs here stands in a following line
    std::array<std::uint32_t, slots> places{};
  };
  static_assert(sizeof(Line) == 64);

  // Calls `visit` with each suffix of at most `labels` that has as many as some name of the set, longest first, until
  // it says true. Answers how many labels that one has; 0: none said so.
  template <typename Visit>
  std::size_t first_possible(const NameSuffixes& suffixes, std::size_t labels, Visit&& visit) const noexcept;
  void fetch_lines(const NameSuffixes& suffixes) const noexcept;
  // Fetches the name that the lines hint at first. Answers how many labels that has; 0: none of the set can match.
  [[nodiscard]] std::size_t fetch_name(const NameSuffixes& suffixes) const noexcept;
  // find() among the suffixes of at most `labels`.
  [[nodiscard]] std::size_t look(const NameSuffixes& suffixes, std::size_t labels) const noexcept;
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
  std::vector<char> bytes_;                             // length byte and name, one after the other
  std::bitset<HostName::labels_max + 1> label_counts_;  // numbers of labels that names of the set have
};

}  // namespace sallyport::classifier
