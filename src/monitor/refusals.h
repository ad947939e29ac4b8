// Who was refused lately, and why: the last flows that were denied, and the names and senders that most of them had.
//
// The counts are those of the Space-Saving algorithm (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent
// and Top-k Elements in Data Streams, 2005): bounded however many names there are; what is frequent is never missed,
// and its count may be too high by what the least of them had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "classifier/identities.h"
#include "dataplane/flow_record.h"

namespace sallyport {

class TopCounts {
 public:
  struct One {
    std::string what;
    std::uint64_t count = 0;
  };

  explicit TopCounts(std::size_t most) : most_(most) {}
  void add(const std::string& what);
  [[nodiscard]] std::vector<One> top(std::size_t most) const;  // the most frequent first

 private:
  std::size_t most_;
  std::map<std::string, std::uint64_t> counts_;
  std::set<std::pair<std::uint64_t, std::string>> rising_;  // the same, by count
};

class Refusals {
 public:
  static constexpr std::size_t last_max = 100;
  static constexpr std::size_t counted_max = 1000;

  struct Refusal {
    std::uint64_t at_ns = 0;  // since the epoch
    std::string source;       // address, and the workload where it is known
    std::string destination;  // address, port, protocol
    std::string name;         // that it showed; may be empty
    std::string reason;
    std::string rule;  // of a network where no rule took it; may be empty
  };

  // Flows that were allowed are passed over.
  void add(const dataplane::FlowRecord& flow, const classifier::Identities& identities);

  [[nodiscard]] std::vector<Refusal> last() const;  // the newest first
  [[nodiscard]] std::vector<TopCounts::One> names(std::size_t most) const;
  [[nodiscard]] std::vector<TopCounts::One> sources(std::size_t most) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Refusal> last_;
  TopCounts names_{counted_max};
  TopCounts sources_{counted_max};
};

}  // namespace sallyport
