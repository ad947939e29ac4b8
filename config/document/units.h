// Quantities as operators write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/document/parsed.h"

namespace sallyport::config {

// "10s", "2h4m", "250ms", "1h0m30s": whole numbers with h, m, s, ms, each unit at most once and in this order.
[[nodiscard]] Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
// Bytes: "4096", "12K", "256M", "1G", by powers of 1024.
[[nodiscard]] Parsed<std::uint64_t> parse_size(std::string_view text);
// Bits, or bits per second: "100M", "1500K", "10G", by powers of 1000.
[[nodiscard]] Parsed<std::uint64_t> parse_bits(std::string_view text);

struct NumberRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};
// "1024-65535", or one number; both ends within [low, high].
[[nodiscard]] Parsed<NumberRange> parse_number_range(std::string_view text, std::uint32_t low, std::uint32_t high);
// "1-3,5": rising order of the text does not matter, the answer is as written. A number twice is an error.
[[nodiscard]] Parsed<std::vector<unsigned>> parse_number_list(std::string_view text, std::uint32_t high);

// "2h4m", as parse_duration() reads it.
[[nodiscard]] std::string to_string(std::chrono::milliseconds duration);

}  // namespace sallyport::config
