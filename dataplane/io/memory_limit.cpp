#include "dataplane/io/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {

std::optional<std::size_t> parse_memory_available(std::istream& meminfo) {
  for (std::string line; std::getline(meminfo, line);) {
    constexpr std::string_view wanted = "MemAvailable:";
    if (!line.starts_with(wanted)) continue;
    const std::size_t digits = line.find_first_of("0123456789");
    if (digits == std::string::npos) return std::nullopt;
    return std::size_t{std::stoull(line.substr(digits))} << 10U;  // "kB" means KiB
  }
  return std::nullopt;
}

std::optional<std::size_t> parse_control_group(std::istream& max, std::istream& current) {
  std::size_t limit = 0;
  std::size_t used = 0;
  if (!(max >> limit) || !(current >> used)) return std::nullopt;
  return limit - std::min(limit, used);
}

std::size_t available_memory_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::ifstream max("/sys/fs/cgroup/memory.max");
  std::ifstream current("/sys/fs/cgroup/memory.current");
  constexpr std::size_t unknown = std::numeric_limits<std::size_t>::max();
  return std::min(parse_memory_available(meminfo).value_or(unknown),
                  parse_control_group(max, current).value_or(unknown));
}

void check_fits(std::size_t wanted_bytes, const config::Limits& limits) {
  const std::size_t available = available_memory_bytes();
  if (wanted_bytes <= available) return;
  throw EnvironmentError("limits: flows = " + std::to_string(limits.flows) +
                         " and held_bytes = " + std::to_string(limits.held_bytes >> 20U) + "M take " +
                         std::to_string(wanted_bytes >> 20U) + " MiB, " + std::to_string(available >> 20U) +
                         " MiB are available: lower them, or give the gateway more memory");
}

}  // namespace sallyport::dataplane
