// The picture of `top`: what `show` answers, and what has changed since the last time.
#pragma once

#include <cstddef>
#include <string>

#include "src/json_values.h"
#include "src/terminal.h"

namespace sallyport {

// The gateway's answers at one moment; what was not asked is null.
struct TopAnswers {
  double at_seconds = 0;  // of a steady clock
  Json ports, reasons, policy, workers, egress;
};

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 0;  // 0: as many as there are
};

// Lines of at most so many columns, each with its end. `before` is an earlier moment; without one there are no rates.
[[nodiscard]] std::string top_text(const TopAnswers& now, const TopAnswers* before, ScreenSize size,
                                   const Style& style);

// "1.23M", "45.6k", "789"
[[nodiscard]] std::string short_number(double number);

}  // namespace sallyport
