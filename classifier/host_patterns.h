// All host name patterns of one policy, compiled together, so that a policy with thousands of small route tables holds
// two Hyperscan databases and not thousands.
//
// Theory of operation. A pattern of a route is written down once, however many routes use it, and has a number. A name
// is scanned once for the whole policy and gives the numbers that match; a HostMatcher holds what they mean for one
// table.
//
//   literals  exact, wildcard and apex patterns. What is scanned is the name backwards between two marks: for
//             "www.example.com" the bytes "!moc.elpmaxe.www.". The literal of "example.com" is "!moc.elpmaxe.": it can
//             only be found at the start and at the end of a label, so a hit needs no check, and whether it ends where
//             the name ends tells exact from below. One literal serves "example.com", "*.example.com" and
//             ".example.com". Backwards because Hyperscan tells literals apart by their last eight bytes, and names
//             differ at their front.
//   regexes   scanned over the name itself, as \A(?:...)\z, caseless.
//
// See docs/adr/0004-host-names.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "classifier/host_name.h"
#include "classifier/pattern_database.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// A distinct text of exact, wildcard and apex patterns, or a distinct regex.
struct HostPatternId {
  bool regex = false;
  std::uint32_t number = 0;

  friend auto operator<=>(const HostPatternId&, const HostPatternId&) noexcept = default;
};

struct HostPatternError {
  config::HostPattern pattern;  // with its place in the file
  std::string message;          // what is wrong with it
};

class HostPatterns {
 public:
  // Collects patterns; the same pattern has the same id.
  class Builder {
   public:
    [[nodiscard]] HostPatternId add(const config::HostPattern& pattern);

   private:
    friend class HostPatterns;
    std::unordered_map<std::string, std::uint32_t> literal_ids_;
    std::unordered_map<std::string, std::uint32_t> regex_ids_;
    std::vector<std::string> literals_;
    std::vector<config::HostPattern> regexes_;
  };
  // Either patterns, or every regex that cannot be compiled. `previous`, where given and of the same patterns, lends
  // its databases: compiling ten thousand names takes a quarter of a second.
  using Compiled = std::variant<std::shared_ptr<const HostPatterns>, std::vector<HostPatternError>>;
  [[nodiscard]] static Compiled compile(Builder builder, const HostPatterns* previous = nullptr);

  ~HostPatterns();
  HostPatterns(const HostPatterns&) = delete;
  HostPatterns& operator=(const HostPatterns&) = delete;

  using Scratch = std::unique_ptr<MatchScratch, MatchScratchDeleter>;
  [[nodiscard]] Scratch make_scratch() const;
  void reserve(MatchScratch& scratch) const;

  // Called once for every text or regex that matches. `whole`: the text is the whole name, else the name is below it.
  using OnMatch = void (*)(void* context, HostPatternId id, bool whole) noexcept;
  void scan_literals(const HostName& name, MatchScratch& scratch, OnMatch on_match, void* context) const noexcept;
  void scan_regexes(const HostName& name, MatchScratch& scratch, OnMatch on_match, void* context) const noexcept;

  [[nodiscard]] std::size_t literals() const noexcept;
  [[nodiscard]] std::size_t regexes() const noexcept;
  // Bytes of a literal's text: what "longer before shorter" compares.
  [[nodiscard]] std::size_t text_bytes(HostPatternId id) const noexcept;
  // Memory of the databases in bytes.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  // "5.4.0 2021-01-26": of the library that is loaded.
  [[nodiscard]] static std::string_view hyperscan_version() noexcept;

 private:
  struct Impl;
  explicit HostPatterns(std::unique_ptr<const Impl> impl) noexcept;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace sallyport::classifier
