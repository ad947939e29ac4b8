// Who was refused lately, and why: the last flows that were denied, and the names and senders that most of them had.
//
// Told of every flow on the flow log's thread, a flood of denials included, so what is kept are numbers and bytes;
// they become text when somebody asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/identities.h"
#include "dataplane/flow_record.h"
#include "src/monitor/top_counts.h"

namespace sallyport {

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
  struct Count {
    std::string what;
    std::uint64_t flows = 0;
  };

  Refusals();

  // Flows that were allowed are passed over. The identities know this flow and all before.
  void add(const dataplane::FlowRecord& flow, const std::shared_ptr<const classifier::Identities>& identities);

  [[nodiscard]] std::vector<Refusal> last() const;                   // the newest first
  [[nodiscard]] std::vector<Count> names(std::size_t most) const;    // the most frequent first
  [[nodiscard]] std::vector<Count> sources(std::size_t most) const;  // likewise

 private:
  struct Sender {
    IpAddress address;
    classifier::Id namespace_name = 0, workload = 0;

    friend bool operator==(const Sender&, const Sender&) noexcept = default;
  };
  struct HashOfSender {
    std::size_t operator()(const Sender& sender) const noexcept;
  };
  struct HashOfText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  struct Kept {
    std::uint64_t at_ns = 0;
    dataplane::FlowKey flow;
    classifier::Reason reason = classifier::Reason::uncaptured;
    classifier::Id namespace_name = 0, workload = 0, rule = 0;
    std::uint16_t name_length = 0;
    std::array<char, dataplane::record_name_bytes> name{};
  };

  [[nodiscard]] Refusal refusal_of(const Kept& kept) const;
  [[nodiscard]] std::string text_of(const Sender& sender) const;

  mutable std::mutex mutex_;
  std::shared_ptr<const classifier::Identities> identities_;
  std::vector<Kept> ring_;
  std::uint64_t count_ = 0;  // ever
  TopCounts<std::string, HashOfText, std::equal_to<>> names_{counted_max};
  TopCounts<Sender, HashOfSender, std::equal_to<>> sources_{counted_max};
};

}  // namespace sallyport
