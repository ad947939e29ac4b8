// Huge pages for packet buffers: how many there are, and more of them, now and after each start of the machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/setup/sysfs.h"

namespace sallyport::setup {

struct HugePages {
  std::uint64_t page_bytes = 0;
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};

// One for each size that the processor has, smallest first.
[[nodiscard]] std::vector<HugePages> list_huge_pages(const Sysfs& sysfs);

// Pages of 2 MiB until there are `bytes` of them; what there is more of stays. The file below `etc` (systemd's
// tmpfiles.d) has systemd do it at boot, when memory still lies in one piece. Throws EnvironmentError where the kernel
// has fewer to give: they are asked for at the next boot all the same. The answer is the file's path.
std::string reserve_huge_pages(const Sysfs& sysfs, const std::string& etc, std::uint64_t bytes);

}  // namespace sallyport::setup
