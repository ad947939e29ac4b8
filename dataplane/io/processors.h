// Which processors the workers are pinned to.
#pragma once

#include <string>
#include <vector>

#include "config/appliance_model.h"

namespace sallyport::dataplane {

// What this process may run on: its affinity mask (taskset, cgroups' cpuset), rising.
[[nodiscard]] std::vector<unsigned> allowed_processors();
// How many processors' time the process may use, from its cgroup's cpu.max (rounded up); 0: no limit.
[[nodiscard]] unsigned processor_quota();

// One worker a processor. "auto": all of `allowed` up to two, from three on all but the first, which is left to the
// control plane, interrupts and the rest of the machine; not more than `quota` (0: no limit) and not more than 16.
// Throws EnvironmentError where [workers] cores names one that is not allowed.
[[nodiscard]] std::vector<unsigned> worker_processors(const config::WorkersConfig& config,
                                                      const std::vector<unsigned>& allowed, unsigned quota);

// "0-2,5"
[[nodiscard]] std::string processors_text(const std::vector<unsigned>& processors);

}  // namespace sallyport::dataplane
