#include "config/document/values.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/suggestion.h"
#include "config/document/units.h"

namespace sallyport::config {
namespace {

const std::string* string_of(const Item& item, Diagnostics& diagnostics, std::string_view expected = "a string") {
  const auto* string = std::get_if<std::string>(&item.node->is);
  if (string == nullptr) report_kind(item, diagnostics, expected);
  return string;
}

// "a", "b" or "c"
std::string alternatives(const std::vector<std::string_view>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view separator = i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    list += fmt::format("{}\"{}\"", separator, words[i]);
  }
  return list;
}

// Of two words the other one is no guess, unless it is the same in other letters.
std::string choice_hint(std::string_view wrong, const std::vector<std::string_view>& words) {
  const bool is_same =
      std::any_of(words.begin(), words.end(), [&](std::string_view word) { return edit_distance(wrong, word) == 0; });
  return words.size() > 2 || is_same ? suggestion(wrong, words) : std::string();
}

// "; 256 is over 255", "; 01 begins with a 0": what keeps four numbers with dots between them from being an address.
std::string wrong_byte(std::string_view address) {
  for (int parts = 0; parts < 4; ++parts) {
    const std::string_view part = address.substr(0, address.find('.'));
    const bool number = !part.empty() && part.size() <= 5 &&
                        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number) return {};
    if (part.size() > 1 && part.front() == '0') return fmt::format("; {} begins with a 0", part);
    if (std::stoi(std::string(part)) > 255) return fmt::format("; {} is over 255", part);
    address.remove_prefix(std::min(part.size() + 1, address.size()));
  }
  return {};
}

}  // namespace

std::optional<std::string> text(const Item& item, Diagnostics& diagnostics) {
  const std::string* string = string_of(item, diagnostics);
  if (string == nullptr) return std::nullopt;
  if (string->size() > bounds::text_bytes) {
    report(item, diagnostics, fmt::format("longer than {} bytes", bounds::text_bytes));
    return std::nullopt;
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(string->begin(), string->end(), is_control)) {
    report(item, diagnostics, fmt::format("{} holds a control character", in_quotes(*string)));
    return std::nullopt;
  }
  return *string;
}

std::optional<std::string> filled_text(const Item& item, Diagnostics& diagnostics) {
  auto value = text(item, diagnostics);
  if (value && value->empty()) {
    report(item, diagnostics, "empty; expected a text");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> object_name(const Item& item, Diagnostics& diagnostics) {
  auto name = filled_text(item, diagnostics);
  if (!name) return std::nullopt;
  if (name->size() > bounds::name_bytes) {
    report(item, diagnostics, fmt::format("{} bytes long, a name has at most {}", name->size(), bounds::name_bytes));
    return std::nullopt;
  }
  if (name->find('/') != std::string::npos) {
    report(item, diagnostics, fmt::format("{}: a name holds no \"/\"", in_quotes(*name)));
    return std::nullopt;
  }
  return name;
}

std::optional<bool> boolean(const Item& item, Diagnostics& diagnostics) {
  const auto* value = std::get_if<bool>(&item.node->is);
  if (value == nullptr) {
    report_kind(item, diagnostics, "true or false");
    return std::nullopt;
  }
  return *value;
}

std::optional<std::int64_t> read_integer(const Item& item, std::int64_t least, std::int64_t most,
                                         Diagnostics& diagnostics) {
  const auto* number = std::get_if<std::int64_t>(&item.node->is);
  if (number == nullptr) {
    const bool quoted = std::holds_alternative<std::string>(item.node->is);
    report(item, diagnostics,
           fmt::format("expected an integer, this is {}{}", kind_of(*item.node),
                       quoted ? "; a number has neither quotes nor a unit, as in 10_000" : ""));
    return std::nullopt;
  }
  if (*number < least || *number > most) {
    report(item, diagnostics, fmt::format("{} is out of range, expected {} to {}", *number, least, most));
    return std::nullopt;
  }
  return *number;
}

std::optional<std::size_t> read_choice(const Item& item, const std::vector<std::string_view>& words,
                                       Diagnostics& diagnostics) {
  const std::string* string = string_of(item, diagnostics, alternatives(words));
  if (string == nullptr) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *string);
  if (found == words.end()) {
    report(item, diagnostics,
           fmt::format("{}: expected {}{}", in_quotes(*string), alternatives(words), choice_hint(*string, words)));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - words.begin());
}

std::optional<Milliseconds> read_duration(const Item& item, Milliseconds least, Milliseconds most,
                                          Diagnostics& diagnostics) {
  const std::string* string = string_of(item, diagnostics, "a duration such as \"10s\"");
  if (string == nullptr) return std::nullopt;
  const auto parsed = parse_duration(*string);
  if (!parsed) {
    report(item, diagnostics, parsed.error);
    return std::nullopt;
  }
  if (*parsed < least || *parsed > most) {
    report(item, diagnostics,
           fmt::format("{} is out of range, expected {} to {}", in_quotes(*string), to_string(least), to_string(most)));
    return std::nullopt;
  }
  return *parsed;
}

std::optional<std::uint64_t> read_quantity(const Item& item, ParseQuantity parse, std::uint64_t least,
                                           std::uint64_t most, Diagnostics& diagnostics) {
  const auto* string = std::get_if<std::string>(&item.node->is);
  const auto* number = std::get_if<std::int64_t>(&item.node->is);
  if (string == nullptr && number == nullptr) {
    report_kind(item, diagnostics, "a quantity such as \"12M\"");
    return std::nullopt;
  }
  const auto parsed = parse(string != nullptr ? *string : fmt::format("{}", *number));
  if (!parsed) {
    report(item, diagnostics, parsed.error);
    return std::nullopt;
  }
  if (*parsed < least || *parsed > most) {
    report(item, diagnostics, fmt::format("{} is out of range, expected {} to {}", *parsed, least, most));
    return std::nullopt;
  }
  return *parsed;
}

std::optional<IpAddress> address(const Item& item, Diagnostics& diagnostics) {
  const std::string* string = string_of(item, diagnostics, "an address such as \"192.0.2.1\"");
  if (string == nullptr) return std::nullopt;
  auto parsed = parse_address(*string);
  if (!parsed) {
    report(item, diagnostics,
           fmt::format("{}: expected an address such as \"192.0.2.1\" or \"2001:db8::1\"{}", in_quotes(*string),
                       wrong_byte(*string)));
  }
  return parsed;
}

std::optional<Prefix> prefix(const Item& item, Diagnostics& diagnostics) {
  const std::string* string = string_of(item, diagnostics, "a CIDR such as \"10.0.0.0/8\"");
  if (string == nullptr) return std::nullopt;
  const auto parsed = parse_prefix(*string);
  if (!parsed) {
    report(item, diagnostics, bad_prefix_message(*string));
    return std::nullopt;
  }
  if (parsed->host_bits_cleared) {
    diagnostics.warning(item.at(), item.path, host_bits_message(*string, parsed->prefix));
  }
  return parsed->prefix;
}

std::optional<AddressRange> address_range(const Item& item, Diagnostics& diagnostics) {
  const std::string* string = string_of(item, diagnostics, "a range of addresses");
  if (string == nullptr) return std::nullopt;
  auto parsed = parse_range(*string);
  if (!parsed) {
    report(item, diagnostics,
           fmt::format("{}: expected a CIDR, an address, or a range such as \"192.0.2.8-192.0.2.15\"",
                       in_quotes(*string)));
    return std::nullopt;
  }
  if (const auto cidr = parse_prefix(*string); cidr && cidr->host_bits_cleared) {
    diagnostics.warning(item.at(), item.path, host_bits_message(*string, cidr->prefix));
  }
  return parsed;
}

std::string bad_prefix_message(std::string_view text) {
  if (const auto single = parse_address(text)) {
    return fmt::format("{}: expected a CIDR; a single address is \"{}/{}\"", in_quotes(text), text,
                       address_bits(single->family));
  }
  const std::size_t slash = text.find('/');
  if (const auto base = parse_address(text.substr(0, slash)); base && slash + 1 < text.size()) {
    return fmt::format("{}: no length of a CIDR, expected 0 to {} behind the \"/\"", in_quotes(text),
                       address_bits(base->family));
  }
  if (parse_range(text)) {
    return fmt::format("{}: expected a CIDR; ranges stand in the pools of egresses only", in_quotes(text));
  }
  return fmt::format("{}: expected a CIDR such as \"10.0.0.0/8\" or \"fd00::/8\"{}", in_quotes(text),
                     wrong_byte(text.substr(0, slash)));
}

std::string host_bits_message(std::string_view text, const Prefix& cleared) {
  return fmt::format("{} has bits set behind its length; taken as {}", in_quotes(text), to_string(cleared));
}

}  // namespace sallyport::config
