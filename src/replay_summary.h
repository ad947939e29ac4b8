// What `sallyport replay` says at its end.
#pragma once

#include <chrono>
#include <string>

#include "src/replay_engine.h"

namespace sallyport {

// One figure a line, the reasons below the sums that they add up to. Only the last line depends on the machine.
[[nodiscard]] std::string summary_text(const ReplayTotals& totals, std::chrono::nanoseconds took);

// received = transmitted + held + sum of the drops, and nothing is held at the end: else the program has a bug of its
// own and ends here.
void check_sums(const ReplayTotals& totals);

}  // namespace sallyport
