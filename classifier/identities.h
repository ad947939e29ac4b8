// Names that outlive a policy: rules, networks, workloads and egresses as small numbers.
//
// A flow remembers by which rule it was decided and its record is written when it ends, maybe many reloads later; a
// counter keeps its identity by the name of its rule. So numbers are handed out once and never taken back. Written and
// read by the control plane only; workers carry the numbers and never look behind them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sallyport::classifier {

using Id = std::uint32_t;  // 0: nobody, nothing

class Identities {
 public:
  Identities();

  // The number of a name; the empty name is 0.
  [[nodiscard]] Id intern(std::string_view name);
  // References stay valid as long as this lives.
  [[nodiscard]] const std::string& name(Id id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

 private:
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, Id> ids_;
};

}  // namespace sallyport::classifier
