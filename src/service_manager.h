// What systemd is told (sd_notify(3)): ready, reloading, stopping, alive. Nothing where no service manager asked for
// it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

class ServiceManager {
 public:
  // Takes NOTIFY_SOCKET as it is now.
  ServiceManager();

  // Also after reloading. `status` is what `systemctl status` shows.
  void ready(std::string_view status) const;
  void reloading() const;
  void stopping() const;
  void alive() const;
  // WatchdogSec= of the unit: silence for so long is taken for death. None: nobody watches.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

 private:
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace sallyport
