// "--name value", "--name=value" and "--name" of a command line, by a list of what is known.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::pktgen {

// One line for stderr.
struct Wrong {
  std::string message;
};

struct KnownOption {
  std::string_view name;        // without dashes
  std::string_view value_name;  // empty: a flag
  std::string_view help;
};

class OptionWords {
 public:
  // Throws Wrong: an option that is not known (the nearest one is named), given twice, or without its value.
  OptionWords(std::span<const char* const> arguments, std::span<const KnownOption> known);

  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::string required(std::string_view name) const;
  // Within the bounds, or Wrong.
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least,
                                                    std::uint64_t most) const;
  [[nodiscard]] std::optional<double> positive(std::string_view name) const;
  // The same, but no longer than clocks of nanoseconds and processor cycles can count.
  [[nodiscard]] std::optional<double> seconds(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// "  --name VALUE   help" each.
[[nodiscard]] std::string help_lines(std::span<const KnownOption> known);

}  // namespace sallyport::pktgen
