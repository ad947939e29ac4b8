// The client's side of following packets: until so many were told, so much time has passed, or Ctrl-C.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "src/control_protocol.h"
#include "src/json_values.h"

namespace sallyport {

// SIGINT and SIGTERM ask for the end instead of being it, as long as this lives. One a process.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  [[nodiscard]] static bool asked() noexcept;
};

struct TapLimits {
  std::uint64_t count = 0;    // 0: none
  std::uint32_t seconds = 0;  // 0: none
};

// Hands the line that names the ports, then every sighting to `take`, which answers how many of what `limits` counts it
// was good for; none: there is no point in going on. Answers what the gateway says at the end.
[[nodiscard]] End follow_packets(const std::string& socket_path, const TapRequest& request, const TapLimits& limits,
                                 const std::function<std::optional<std::uint64_t>(const Json&)>& take);

}  // namespace sallyport
