// The one door to Hyperscan: a set of patterns, and scans over a copy of what is looked at.
//
// What is scanned lies in a MatchScratch with zeroes behind it: Hyperscan 5.4.0 reads past the end of its input. A scan
// allocates nothing and takes time linear in what is scanned, whatever the expression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/match_scratch.h"

struct hs_database;

namespace sallyport::classifier {

class PatternDatabase {
 public:
  enum class Letters : std::uint8_t { as_written, any_case };

  // Plain texts, to be found anywhere. Throws where the machine cannot (no memory, no SSSE3).
  [[nodiscard]] static std::shared_ptr<const PatternDatabase> of_literals(const std::vector<std::string>& texts);
  // Regular expressions that have to match all of what is scanned. Nothing, and `message`, where one cannot be
  // compiled.
  [[nodiscard]] static std::shared_ptr<const PatternDatabase> of_whole_texts(const std::vector<std::string>& regexes,
                                                                             Letters letters, std::string& message);
  // Why a regular expression cannot be taken; empty: it can.
  [[nodiscard]] static std::string refusal(const std::string& regex, Letters letters);

  ~PatternDatabase();
  PatternDatabase(const PatternDatabase&) = delete;
  PatternDatabase& operator=(const PatternDatabase&) = delete;

  // Called for each hit with the place of the pattern and the offset behind what it matched. True: enough, stop.
  using OnHit = bool (*)(void* context, unsigned pattern, unsigned long long end) noexcept;
  // Scans the first `bytes` of scratch.text(). False: the scan broke off for no memory or a broken database, never for
  // what was scanned.
  bool scan(std::size_t bytes, MatchScratch& scratch, OnHit on_hit, void* context) const noexcept;

  // Makes room in a scratch for scans of this database.
  void reserve(MatchScratch& scratch) const;
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  // "5.4.0 2021-01-26": of the library that is loaded.
  [[nodiscard]] static std::string_view hyperscan_version() noexcept;

 private:
  explicit PatternDatabase(hs_database* database) noexcept : database_(database) {}
  hs_database* database_;
};

}  // namespace sallyport::classifier
