// Figures as metrics, in the text format that Prometheus scrapes. docs/METRICS.md says what each one means; names and
// units by Prometheus' conventions. Labels are bounded: by what is configured, by this code's own lists, and for rules
// by the number that is counted apart.
#pragma once

#include <string>
#include <string_view>

#include "src/monitor/figures.h"

namespace sallyport {

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string metrics_text(const Figures& figures, std::string_view version);

}  // namespace sallyport
