#include "config/document/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "config/document/in_quotes.h"

namespace sallyport::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Decimal digits at the start of `text`, taken off it. Nothing where there are none or the number is over 64 bits.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// Letters at the start of `text`, taken off it.
std::string_view take_letters(std::string_view& text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto* end = std::find_if_not(text.begin(), text.end(), is_letter);
  const std::string_view letters = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(letters.size());
  return letters;
}

// Durations of 10,000 years are refused long before they overflow.
constexpr std::uint64_t longest_ms = 1ULL << 48U;

constexpr std::array<Unit, 4> time_units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

Parsed<std::uint64_t> parse_scaled(std::string_view text, std::uint64_t thousand, std::string_view example) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  constexpr std::string_view letters = "KMGT";
  const std::size_t power = rest.empty() ? 0 : letters.find(rest.front()) + 1;
  if (!number || rest.size() > 1 || (!rest.empty() && power == 0)) {
    return Parsed<std::uint64_t>::failure(
        fmt::format("{}: expected a whole number and K, M, G or T, such as \"{}\"", in_quotes(text), example));
  }
  std::uint64_t value = *number;
  for (std::size_t i = 0; i < power; ++i) {
    if (value > std::numeric_limits<std::uint64_t>::max() / thousand) {
      return Parsed<std::uint64_t>::failure(fmt::format("{} is more than 64 bits hold", in_quotes(text)));
    }
    value *= thousand;
  }
  return value;
}

}  // namespace

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return Parsed<std::chrono::milliseconds>::failure(
        fmt::format("{}: expected a duration such as \"10s\", \"2h4m\" or \"250ms\"", in_quotes(text)));
  };
  std::uint64_t total = 0;
  const auto* allowed = time_units.begin();
  std::string_view rest = text;
  if (rest.empty()) return wrong();
  while (!rest.empty()) {
    const auto number = take_number(rest);
    const std::string_view name = take_letters(rest);
    const auto* unit = std::find_if(allowed, time_units.end(), [&](const Unit& u) { return u.name == name; });
    if (!number || unit == time_units.end()) return wrong();
    if (*number > longest_ms / unit->factor || total + *number * unit->factor > longest_ms) {
      return Parsed<std::chrono::milliseconds>::failure(fmt::format("{} is too long a time", in_quotes(text)));
    }
    total += *number * unit->factor;
    allowed = unit + 1;
  }
  return std::chrono::milliseconds(total);
}

Parsed<std::uint64_t> parse_size(std::string_view text) { return parse_scaled(text, 1024, "256M"); }

Parsed<std::uint64_t> parse_bits(std::string_view text) { return parse_scaled(text, 1000, "100M"); }

Parsed<NumberRange> parse_number_range(std::string_view text, std::uint32_t low, std::uint32_t high) {
  const auto wrong = [&](std::string_view why) {
    return Parsed<NumberRange>::failure(fmt::format("{}: {}", in_quotes(text), why));
  };
  std::string_view rest = text;
  const auto first = take_number(rest);
  auto last = first;
  if (!rest.empty() && rest.front() == '-') {
    rest.remove_prefix(1);
    last = take_number(rest);
  }
  if (!first || !last || !rest.empty()) return wrong("expected a range of numbers such as \"1024-65535\"");
  if (*last < *first) return wrong("the range ends before it starts");
  if (*first < low || *last > high) return wrong(fmt::format("expected numbers from {} to {}", low, high));
  return NumberRange{static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*last)};
}

Parsed<std::vector<unsigned>> parse_number_list(std::string_view text, std::uint32_t high) {
  const auto wrong = [&](std::string_view why) {
    return Parsed<std::vector<unsigned>>::failure(fmt::format("{}: {}", in_quotes(text), why));
  };
  std::vector<unsigned> numbers;
  std::vector<bool> seen(high + 1U);
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const auto range = parse_number_range(text.substr(start, comma - start), 0, high);
    if (!range) return wrong(fmt::format("expected numbers and ranges up to {}, such as \"1-3,5\"", high));
    for (unsigned number = (*range).first; number <= (*range).last; ++number) {
      if (seen[number]) return wrong(fmt::format("{} stands twice", number));
      seen[number] = true;
      numbers.push_back(number);
    }
    start = comma + 1;
  }
  return numbers;
}

std::string to_string(std::chrono::milliseconds duration) {
  auto rest = static_cast<std::uint64_t>(duration.count());
  std::string text;
  for (const Unit& unit : time_units) {
    if (rest >= unit.factor) text += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace sallyport::config
