// What one entry of the log holds: the records of flow_state_format.h, behind the same head, without an end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/flow/saved_flow.h"
#include "src/flow_state_format.h"

namespace sallyport {

inline constexpr std::size_t entry_bytes = 48U << 10U;  // an entry ends with the record that reaches it

class EntryWriter {
 public:
  explicit EntryWriter(std::uint32_t workers) : workers_(workers) {}

  template <typename Record>
  void add(const Record& record) {
    encode(records_, record);
    ++count_;
  }
  [[nodiscard]] bool full() const noexcept { return records_.size() >= entry_bytes; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // All of it, and begins anew.
  [[nodiscard]] std::string finish(std::uint64_t now_ns);

 private:
  const std::uint32_t workers_;
  std::string records_;
  std::uint64_t count_ = 0;
};

struct EntryTakers {
  std::function<void(std::span<const dataplane::SavedFlow>)> open;
  std::function<void(std::span<const dataplane::EndedFlow>)> ended;
};
// In the order in which they were written, as many of a kind at once as follow each other. What is wrong with it;
// empty: nothing. Records in front of a broken one are taken.
[[nodiscard]] std::string read_entry(std::string_view entry, FlowStateHead& head, const EntryTakers& takers);

}  // namespace sallyport
