#include "dataplane/io/processors.h"

#include <algorithm>
#include <fstream>

#include <sched.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {
namespace {

constexpr std::size_t automatic_workers_max = 16;

}  // namespace

std::vector<unsigned> allowed_processors() {
  // Larger than any machine; sched_getaffinity() refuses a mask smaller than the kernel's.
  constexpr unsigned count = 8192;
  cpu_set_t* mask = CPU_ALLOC(count);
  const std::size_t bytes = CPU_ALLOC_SIZE(count);
  CPU_ZERO_S(bytes, mask);
  std::vector<unsigned> allowed;
  if (::sched_getaffinity(0, bytes, mask) == 0) {
    for (unsigned processor = 0; processor < count; ++processor) {
      if (CPU_ISSET_S(processor, bytes, mask)) allowed.push_back(processor);
    }
  }
  CPU_FREE(mask);
  if (allowed.empty()) allowed.push_back(0);
  return allowed;
}

unsigned processor_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");  // "max 100000" or "150000 100000"
  unsigned long quota = 0;
  unsigned long period = 0;
  if (!(file >> quota >> period) || period == 0) return 0;
  return static_cast<unsigned>((quota + period - 1) / period);
}

std::vector<unsigned> worker_processors(const config::WorkersConfig& config, const std::vector<unsigned>& allowed,
                                        unsigned quota) {
  if (!config.cores_auto) {
    for (const unsigned core : config.cores) {
      if (std::find(allowed.begin(), allowed.end(), core) == allowed.end()) {
        throw EnvironmentError("workers.cores: processor " + std::to_string(core) +
                               " is not there or not allowed; this process may use " + processors_text(allowed));
      }
    }
    return config.cores;
  }
  std::size_t count = allowed.size() <= 2 ? allowed.size() : allowed.size() - 1;
  count = std::min(count, automatic_workers_max);
  if (quota != 0) count = std::min<std::size_t>(count, quota);
  // The last ones: the first processor of a machine has the most other work.
  return {allowed.end() - static_cast<std::ptrdiff_t>(count), allowed.end()};
}

std::string processors_text(const std::vector<unsigned>& processors) {
  std::string text;
  for (std::size_t i = 0; i < processors.size();) {
    std::size_t last = i;
    while (last + 1 < processors.size() && processors[last + 1] == processors[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(processors[i]);
    if (last != i) text += '-' + std::to_string(processors[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace sallyport::dataplane
