#include "src/service_manager.h"

#include <cstdint>
#include <ctime>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace sallyport {
namespace {

void notify(const std::string& state) { sd_notify(0, state.c_str()); }

std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

ServiceManager::ServiceManager() {
  std::uint64_t silence_us = 0;
  if (sd_watchdog_enabled(0, &silence_us) > 0) watchdog_ = std::chrono::microseconds(silence_us);
}

void ServiceManager::ready(std::string_view status) const { notify(fmt::format("READY=1\nSTATUS={}", status)); }

void ServiceManager::reloading() const { notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us())); }

void ServiceManager::stopping() const { notify("STOPPING=1\nSTATUS=stopping"); }

void ServiceManager::alive() const {
  if (watchdog_) notify("WATCHDOG=1");
}

}  // namespace sallyport
