// `sallyport version`, `sallyport --version`.
#pragma once

#include <string>

#include "src/exit_code.h"

namespace sallyport {

[[nodiscard]] ExitCode version_command();
// What our own code was built for, and what it chose by the processor when it started: "AVX2; prefixes in batches:
// AVX-512". Hyperscan and DPDK choose for themselves.
[[nodiscard]] std::string simd_level();

}  // namespace sallyport
