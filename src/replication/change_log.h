// A log that several machines see in one order: what replication wants of the engine that carries it.
//
// Each call answers what went wrong, in a clause; empty: nothing. After that the log wants to be connected anew.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

class ChangeLog {
 public:
  // Of an entry; rising.
  struct Position {
    std::uint64_t ms = 0, number = 0;
    auto operator<=>(const Position&) const = default;
  };

  ChangeLog() = default;
  ChangeLog(const ChangeLog&) = delete;
  ChangeLog& operator=(const ChangeLog&) = delete;
  virtual ~ChangeLog() = default;

  [[nodiscard]] virtual std::string connect() = 0;
  [[nodiscard]] virtual std::string append(std::string_view entry, Position& at) = 0;
  // Entries before this one may be forgotten.
  [[nodiscard]] virtual std::string trim(const Position& first) = 0;
  // Where the last entry is; none: where it was asked to begin.
  [[nodiscard]] virtual std::string find_last(Position& last) = 0;
  // Some of the entries behind `after`, which moves on; waits so long where there is none.
  [[nodiscard]] virtual std::string read(Position& after, std::chrono::milliseconds patience,
                                         std::vector<std::string>& entries) = 0;
};

}  // namespace sallyport
