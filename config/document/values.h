// Value readers for TableReader: a node in, a value out, or a report and nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/address.h"
#include "config/diagnostics.h"
#include "config/document/parsed.h"
#include "config/document/table_reader.h"

namespace sallyport::config {

using Milliseconds = std::chrono::milliseconds;

// ---- text -----------------------------------------------------------------------------------------------------------

// Text of one line: no control characters, at most bounds::text_bytes. May be empty.
[[nodiscard]] std::optional<std::string> text(const Item& item, Diagnostics& diagnostics);
// The same, not empty.
[[nodiscard]] std::optional<std::string> filled_text(const Item& item, Diagnostics& diagnostics);
// What an object is called: not empty, at most bounds::name_bytes, no '/' (records write "namespace/name").
[[nodiscard]] std::optional<std::string> object_name(const Item& item, Diagnostics& diagnostics);

// ---- numbers and choices --------------------------------------------------------------------------------------------

[[nodiscard]] std::optional<bool> boolean(const Item& item, Diagnostics& diagnostics);

[[nodiscard]] std::optional<std::int64_t> read_integer(const Item& item, std::int64_t least, std::int64_t most,
                                                       Diagnostics& diagnostics);

// A whole number, both ends included.
template <typename T>
[[nodiscard]] auto integer(std::int64_t least, std::int64_t most) {
  return [least, most](const Item& item, Diagnostics& diagnostics) -> std::optional<T> {
    const auto number = read_integer(item, least, most, diagnostics);
    if (!number) return std::nullopt;
    return static_cast<T>(*number);
  };
}

template <typename T>
using Choice = std::pair<std::string_view, T>;

// The index of the word that the item is.
[[nodiscard]] std::optional<std::size_t> read_choice(const Item& item, const std::vector<std::string_view>& words,
                                                     Diagnostics& diagnostics);

// One of a table of words.
template <typename T, std::size_t count>
[[nodiscard]] auto one_of(const std::array<Choice<T>, count>& choices) {
  return [&choices](const Item& item, Diagnostics& diagnostics) -> std::optional<T> {
    std::vector<std::string_view> words;
    words.reserve(count);
    for (const auto& choice : choices) words.push_back(choice.first);
    const auto index = read_choice(item, words, diagnostics);
    if (!index) return std::nullopt;
    return choices[*index].second;
  };
}

// ---- quantities -----------------------------------------------------------------------------------------------------

[[nodiscard]] std::optional<Milliseconds> read_duration(const Item& item, Milliseconds least, Milliseconds most,
                                                        Diagnostics& diagnostics);
[[nodiscard]] auto inline duration(Milliseconds least, Milliseconds most) {
  return [least, most](const Item& item, Diagnostics& diagnostics) {
    return read_duration(item, least, most, diagnostics);
  };
}

using ParseQuantity = Parsed<std::uint64_t> (*)(std::string_view);
// Text as `parse` takes it, or a plain integer.
[[nodiscard]] std::optional<std::uint64_t> read_quantity(const Item& item, ParseQuantity parse, std::uint64_t least,
                                                         std::uint64_t most, Diagnostics& diagnostics);
template <typename T>
[[nodiscard]] auto quantity(ParseQuantity parse, std::uint64_t least, std::uint64_t most) {
  return [parse, least, most](const Item& item, Diagnostics& diagnostics) -> std::optional<T> {
    const auto number = read_quantity(item, parse, least, most, diagnostics);
    if (!number) return std::nullopt;
    return static_cast<T>(*number);
  };
}

// ---- addresses ------------------------------------------------------------------------------------------------------

[[nodiscard]] std::optional<IpAddress> address(const Item& item, Diagnostics& diagnostics);
// Host bits are cleared, with a warning.
[[nodiscard]] std::optional<Prefix> prefix(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] std::optional<AddressRange> address_range(const Item& item, Diagnostics& diagnostics);

// What is wrong with a text that should be a CIDR.
[[nodiscard]] std::string bad_prefix_message(std::string_view text);
[[nodiscard]] std::string host_bits_message(std::string_view text, const Prefix& cleared);

}  // namespace sallyport::config
