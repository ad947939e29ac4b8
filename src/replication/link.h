// The connection to the log: made anew when it was lost, ever less often while nobody is there.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "src/replication/change_log.h"

namespace sallyport {

class ReplicationLink {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds pause_first{100}, pause_last{5'000};

  // `told` hears of each problem that is not the one before, and of an empty one when all is well again.
  ReplicationLink(ChangeLog& log, std::function<void(const std::string&)> told) : log_(log), told_(std::move(told)) {}

  // Connected; tries where it is time to.
  [[nodiscard]] bool ready(Clock::time_point now);
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  [[nodiscard]] std::uint64_t connects() const noexcept { return connects_; }
  // What a call of the log answered; true where nothing is wrong.
  bool is_well(const std::string& problem, Clock::time_point now);

  [[nodiscard]] ChangeLog& log() noexcept { return log_; }

 private:
  void tell(const std::string& problem);

  ChangeLog& log_;
  const std::function<void(const std::string&)> told_;
  bool connected_ = false;
  std::uint64_t connects_ = 0;
  std::chrono::milliseconds pause_{0};
  Clock::time_point retry_at_;
  std::string problem_ = "not asked yet";
};

}  // namespace sallyport
