#include "src/replication/link.h"

#include <algorithm>

namespace sallyport {

bool ReplicationLink::ready(Clock::time_point now) {
  if (connected_ || now < retry_at_) return connected_;
  const std::string problem = log_.connect();
  if (!problem.empty()) return is_well(problem, now);
  ++connects_;
  return connected_ = true;
}

bool ReplicationLink::is_well(const std::string& problem, Clock::time_point now) {
  if (problem.empty()) {
    pause_ = {};
  } else {
    connected_ = false;
    pause_ = std::clamp(2 * pause_, pause_first, pause_last);
    retry_at_ = now + pause_;
  }
  tell(problem);
  return problem.empty();
}

void ReplicationLink::tell(const std::string& problem) {
  if (problem == problem_) return;
  problem_ = problem;
  told_(problem);
}

}  // namespace sallyport
