#include "src/replication/status.h"

#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace sallyport {

using Role = ReplicationStatus::Role;

std::string_view to_string(Role role) {
  constexpr std::array<std::string_view, 3> texts = {"off", "writing", "following"};
  return texts[static_cast<std::size_t>(role)];
}

std::string to_text(const ReplicationStatus& status) {
  if (status.role == Role::off) return "flows are not replicated";
  if (!status.connected)
    return fmt::format("flows are not replicated now: {}", status.problem.empty() ? "not connected" : status.problem);
  if (status.role == Role::writing) {
    return fmt::format("{} flows and {} ends told, {} lost; all open flows take {} ms", status.flows_sent,
                       status.ends_sent, status.lost_queued + status.lost_away, status.whole_ms);
  }
  return fmt::format("{} flows and {} ends heard, {} found no place, the latest {} ms ago", status.flows_received,
                     status.ends_received, status.refused, status.lag_ms);
}

}  // namespace sallyport
