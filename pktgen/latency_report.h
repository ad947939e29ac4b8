// Percentiles as people and programs read them.
#pragma once

#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pktgen/latency.h"

namespace sallyport::pktgen {

[[nodiscard]] inline double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

// One line. `absent`: why there is none, where there is none.
[[nodiscard]] inline std::string latency_text(const char* name, const Latency& latency,
                                              const char* absent = "nothing that could be told apart came back") {
  if (latency.count() == 0) return fmt::format("{:<10}not measured: {}\n", name, absent);
  return fmt::format("{:<10}p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, max {:.1f} us\n", name,
                     microseconds(latency.percentile(0.5)), microseconds(latency.percentile(0.99)),
                     microseconds(latency.percentile(0.999)), microseconds(latency.largest()));
}

// Null where nothing was measured.
[[nodiscard]] inline nlohmann::ordered_json latency_json(const Latency& latency) {
  if (latency.count() == 0) return nullptr;
  return {{"p50", microseconds(latency.percentile(0.5))},
          {"p99", microseconds(latency.percentile(0.99))},
          {"p99.9", microseconds(latency.percentile(0.999))},
          {"max", microseconds(latency.largest())}};
}

}  // namespace sallyport::pktgen
